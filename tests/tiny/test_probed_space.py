"""An audit of the tiny Space with a probe."""

from __future__ import annotations

from pathlib import Path

import pytest

import spacediff
from spacediff.record.trace import Stage
from spacediff.settings import Origin
from support.paths import ROOT


@pytest.mark.slow
def test_the_hosted_settings_and_steps_are_observed(tmp_path: Path) -> None:
    quickstart = (ROOT / "scenarios" / "quickstart.toml").read_text("utf-8")
    start, _, rest = quickstart.partition("[semantics]")
    scenario = tmp_path / "probed.toml"
    scenario.write_text(
        start.replace('"builtin:tiny-space"', '"builtin:tiny-space-probed"') + rest[rest.index("[gate]") :], "utf-8"
    )
    record = spacediff.run_audit(scenario, out=tmp_path / "audit", only="as-hosted").record
    runs = {run.name: run for run in record.runs}
    reference, same, baseline = (runs[name] for name in ("reference", "as-hosted", "baseline"))
    assert reference.warnings == []
    of_the_pipeline = {path for path in reference.settings if path.partition(".")[0] not in {"space", "output"}}
    assert {reference.settings[path].origin for path in of_the_pipeline} == {Origin.OBSERVED}
    unknown_there = same.settings.keys() - reference.settings.keys()
    assert unknown_there == {
        *("call.latents", "model.id", "output.quality", "output.rounding", "rng.dtype", "rng.stream")
    }, "what the Space was not seen to have"
    shared = of_the_pipeline & same.settings.keys()
    assert [path for path in shared if same.settings[path].value != reference.settings[path].value] == []
    differing = {path for path in shared if baseline.settings[path].value != reference.settings[path].value}
    assert differing == {"call.guidance_scale", "call.use_dynamic_cfg", "placement", "scheduler.class"}
    assert reference.trace is not None
    assert len(reference.trace.steps) == 50
    found = {each.candidate: each for each in record.traces if each.reference == "reference"}
    assert found["as-hosted"].stage in {Stage.NOWHERE, Stage.ENCODING}
    assert found["baseline"].stage is Stage.STEP
