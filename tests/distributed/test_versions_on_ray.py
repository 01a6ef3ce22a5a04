"""Releases of a library side by side, on a cluster that the command starts on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.api import compare_versions
from spacediff.interrupts import handlers_kept
from support.needs_uv import skip_without_releases

pytest.importorskip("ray")


pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore::ResourceWarning")]

SCENARIO = """
title = "versions side by side"
prompts.lemon = { text = "a lemon on the left", seed = 42 }
baseline.model.id = "builtin:tiny-cogvideox"
baseline.placement = "cpu"
baseline.call = { num_inference_steps = 2, num_frames = 5, guidance_scale = 1.0 }
baseline.scheduler = { class = "UniPCMultistepScheduler", use_flow_sigmas = true, prediction_type = "flow_prediction" }
baseline.env = { diffusers = "0.36.0", transformers = "4.57.3" }
reference.variant = "baseline"
resources.cpus = 1
"""


def test_releases_that_run_side_by_side_are_compared_as_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_releases()
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "s.toml").write_text(SCENARIO)
    with handlers_kept():
        result = compare_versions(
            tmp_path / "s.toml", first="0.36", last="0.37.0", out=tmp_path / "audit", executor="ray"
        )
    assert [(each.version, each.measured, each.changed) for each in result.versions.releases] == [
        ("0.36.0", True, None),
        ("0.37.0", True, True),
    ]
    made = {run.machine.worker for run in result.audit.record.runs if run.machine}
    assert made == {1, 2}, "two workers shared them"
