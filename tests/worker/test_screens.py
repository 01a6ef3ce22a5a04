"""Runs that end early in the worker's own process, and after the process and the audit were started again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.executor import executor_for
from spacediff.progress import SilentListener
from spacediff.record import Role, RunRecord
from spacediff.run import Prompt, Run, Stop
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM

pytestmark = pytest.mark.slow  # two processes that load torch


def run_of(name: str, **tables: Any) -> Run:
    call = {"num_inference_steps": 3, "num_frames": 5, "height": 48, "width": 64, **tables.pop("call", {})}
    declared = {"model": {"id": RANDOM.id}, "placement": "cpu", "call": call, **tables}
    return Run(name, Role.VARIANT, Prompt("p", "a lemon", 42), "diffusers", Settings.of(declared, Origin.DECLARED))


def executed(folder: Path, *runs: Run) -> list[RunRecord]:
    with executor_for(runs, folder) as executor:
        return list(executor.execute(runs, Store(folder), SilentListener()))


def test_another_process_compares_with_the_exact_target_and_decodes_its_end(tmp_path: Path) -> None:
    target, seed = executed(tmp_path, replace(run_of("target"), is_target=True), run_of("seed", rng={"seed": 43}))
    stop = Stop(target.key, (target.key, seed.key))
    rounded = replace(run_of("rounded", numerics={"attention": "math"}), stop=stop, role=Role.SCREEN)
    tiled = replace(run_of("tiled", vae={"tiling": True}), stop=stop, role=Role.SCREEN)
    first, second = executed(tmp_path, rounded, tiled)
    assert first.stopped is not None
    assert (first.stopped.first, first.stopped.resolution, first.clip) == (1, 0.0, None)
    assert first.stopped.distance is not None
    assert 0 < first.stopped.distance < 1e-4
    assert (second.stopped, second.steps_made) == (None, 0)
    assert second.clip
    assert executed(tmp_path, rounded, tiled) == [first, second]
