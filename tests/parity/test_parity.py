"""Parity as an assertion, and as a test of pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import spacediff
from spacediff.api import parity
from spacediff.record import ComparisonRecord, FactKind, Verdict, WorstTileRecord, read_record
from support.paths import ROOT

SCENARIO = """
title = "parity"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 2, num_frames = 9, guidance_scale = 6.0 }
placement = "cpu"
[variants.hosted]
call.guidance_scale = 7.0
[variants.same]
call.guidance_scale = 7.0
[reference]
variant = "hosted"
[scale]
seeds = 1
rerun = false
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parity.toml").write_text(SCENARIO)
    return Path("parity.toml")


def test_a_run_that_is_the_references_passes_and_another_fails(scenario: Path) -> None:
    result = spacediff.assert_reproduces(scenario, variant="same")
    assert result.comparison("same").verdict is spacediff.Verdict.IDENTICAL
    with pytest.raises(AssertionError) as caught:
        spacediff.assert_reproduces(scenario)
    first, answer, *_, last = str(caught.value).splitlines()
    assert first.startswith("lemon: baseline does not reproduce the reference: ")
    assert answer.strip().startswith("The baseline gives an")
    assert last == f"report: {result.report}"
    with pytest.raises(AssertionError, match="there is no such run; did you mean 'same'"):
        spacediff.assert_reproduces(scenario, variant="sane")


def test_the_gate_has_to_pass_where_nothing_else_is_asked(scenario: Path) -> None:
    scenario.write_text(f'{SCENARIO}[gate]\nvariant = "same"\nagainst = "accepted"\n')
    with pytest.raises(AssertionError, match="There is no accepted state to compare with"):
        spacediff.assert_reproduces(scenario)
    spacediff.assert_reproduces(scenario, variant="same")


def test_what_was_not_measured_is_no_match(scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace('variant = "hosted"', 'video = { file = "broken.mp4" }'))
    Path("broken.mp4").write_text("no video")
    with pytest.raises(AssertionError, match=r"baseline was not compared with the reference: .*broken\.mp4"):
        spacediff.assert_reproduces(scenario, max_drift=5)


def test_a_drift_is_judged_in_the_worst_tile_too() -> None:
    tile = WorstTileRecord(frame=0, x=0, y=0, width=16, height=16, error=40.0, floor=0.0, ceiling=80.0, drift=0.5)
    found = ComparisonRecord(
        prompt="lemon", reference="space", candidate="baseline", verdict=Verdict.SETTINGS_DIFFER, drift=0.02,
        worst_tile=tile,
    )  # fmt: skip
    assert parity._above(found, (0.05, None)) == []
    assert parity._above(found, (0.05, 0.6)) == []
    (reason,) = parity._above(found, (0.05, 0.05))
    assert reason.kind is FactKind.GATE_TILE_ABOVE
    processed = found.model_copy(update={"verdict": Verdict.POST_PROCESSED})
    assert parity._above(processed, (0.05, None)), "as for a gate"


@pytest.mark.parametrize("drift", [-0.1, float("nan")])
def test_a_limit_that_is_no_drift_is_refused(scenario: Path, drift: float) -> None:
    with pytest.raises(spacediff.InvalidArgument):
        spacediff.assert_reproduces(scenario, max_drift=drift)


TESTS = """
import pytest

def test_same(reproduces):
    reproduces("parity.toml", variant="same")

def test_other(reproduces):
    reproduces("parity.toml")

@pytest.mark.spacediff("parity.toml", variant="same")
def test_marked(spacediff_result):
    assert spacediff_result.record.title == "parity"

def test_unmarked(spacediff_result):
    pass
"""


@pytest.mark.slow
def test_the_plugin_runs_side_by_side_and_leaves_the_pages(scenario: Path) -> None:
    Path("test_mine.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "spacediff.pytest_plugin",
        "-n",
        "2",
        "-q",
        "--spacediff-out",
        "kept",
    ]
    path = {"PYTHONPATH": str(ROOT / "harness")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **path})
    assert done.returncode == 1, done.stderr
    assert "1 failed, 2 passed, 1 error" in done.stdout
    assert "lemon: baseline does not reproduce the reference" in done.stdout
    assert "spacediff_result needs a marker" in done.stdout
    pages = {page.parent.name for page in Path("kept").glob("*/report.html")}
    assert pages == {f"test_mine.py__{name}" for name in ("test_same", "test_other", "test_marked")}
    assert read_record(Path("kept/test_mine.py__test_other")).finished
    assert scenario.is_file()
