"""The examples, each run as its first lines say, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.record import GateStatus, read_record
from spacediff.results import AuditResult
from spacediff.scenario.scenario import load_scenario
from support.paths import ROOT

EXAMPLES = ROOT / "examples"


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / "harness")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_page_lists_every_example() -> None:
    page = (ROOT / "docs" / "examples.md").read_text("utf-8")
    files = {path.relative_to(ROOT).as_posix() for path in EXAMPLES.rglob("*") if path.suffix in {".py", ".toml"}}
    assert len(files) > 5
    assert {file for file in files if f"(../{file})" not in page} == set()


@pytest.mark.parametrize("scenario", sorted(EXAMPLES.rglob("*.toml")), ids=lambda path: path.stem)
def test_the_scenarios_are_valid(scenario: Path) -> None:
    assert load_scenario(scenario).prompts


@pytest.mark.slow
def test_two_clips_are_compared(tmp_path: Path) -> None:
    first, *_, report = run(tmp_path, str(EXAMPLES / "compare_two_clips.py")).splitlines()
    assert first == "mine.mp4 against space.mp4: differs"
    assert (tmp_path / report).is_file()


@pytest.mark.slow
def test_two_sources_are_read(tmp_path: Path) -> None:
    printed = run(tmp_path, str(EXAMPLES / "read_two_sources.py"))
    assert "call.guidance_scale: 6.0 (run.py:" in printed
    assert "use_dynamic_cfg is ignored where the script gives it" in printed
    assert "+pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config)" in printed


@pytest.mark.slow
def test_parity_is_tested(tmp_path: Path) -> None:
    options = ["-p", "spacediff.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(tmp_path)]
    printed = run(tmp_path, "-m", "pytest", "-q", *options, str(EXAMPLES / "parity"))
    assert "1 passed" in printed
    assert len(list(tmp_path.glob("audits/pytest/*/report.html"))) == 1


@pytest.mark.slow
def test_a_space_of_ones_own_is_audited(tmp_path: Path) -> None:
    run(tmp_path, "-m", "spacediff", "audit", str(EXAMPLES / "own_space" / "mine.toml"), "--only", "as-hosted")
    result = AuditResult(read_record(tmp_path / "audits" / "mine"), tmp_path, tmp_path)
    assert result.record.gate.status is GateStatus.PASSED
    assert result.comparison("as-hosted").verdict.matches
    assert not result.comparison("baseline").verdict.matches
