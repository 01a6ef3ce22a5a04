"""The lines on the terminal about the search for the cause."""

from __future__ import annotations

import pytest

from spacediff.cli.progress import Display
from spacediff.cli.search_progress import probe_line
from spacediff.progress import SearchProgress
from spacediff.record import Role, RunRecord, StoppedRecord
from spacediff.run import Prompt, Run


def record(name: str, *, measured: bool = True) -> RunRecord:
    return RunRecord(key="", name=name, role=Role.VARIANT, prompt="p", source="diffusers", measured=measured, seconds=3)


def progress(*, expected: float = 4, spent: float = 0, budget: float = 40) -> SearchProgress:
    return SearchProgress(
        suspects=4,
        target="as-[hosted]",
        probes=1,
        spent=spent,
        budget=budget,
        expected=expected,
        seconds_each=3.0,
    )


def test_generations_and_time_are_printed_before_the_search(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.on_plan([])
        display.on_search_started(progress(expected=2.14))
        display.on_search_started(progress(budget=2.5, expected=1))
    first, second = capsys.readouterr().err.splitlines()
    assert "among 4 suspects: about 2.1 generations if it shows in the first steps, 6.4 s at most" in first
    assert "about 1 generation if it shows in the first steps, 3.0 s at most; the budget is 2.5" in second


def test_each_probe_prints_the_progress_and_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    probe = Run("probe-1", Role.PROBE, Prompt("p", "", 1), "diffusers")
    with Display() as display:
        display.on_plan([])
        display.on_search_started(progress())
        display.on_run_started(probe)
        display.on_run_finished(probe, record("probe-1"), reused=False)
        display.on_probe_finished(
            progress(spent=0.1), record("probe-1"), frozenset({"call.a", "call.b"}), reproduced=True
        )
        display.on_probe_finished(
            progress(spent=0.1), record("probe-1", measured=False), frozenset({"call.a"}), reproduced=None
        )
        display.on_search_finished()
        display.on_status("scoring")
    lines = capsys.readouterr().err.splitlines()
    assert "[1/4] p · probe-1: 3.0 s (about" in lines[1]
    assert lines[2].strip() == (
        "search, 0.1 of about 4.1 generations: with 2 of 4 settings changed: no visible difference from as-[hosted]"
    )
    assert lines[3].endswith("with 1 of 4 settings changed: there is no output, so it shows nothing")


def test_a_probe_that_ended_early_has_nothing_to_see() -> None:
    stopped = StoppedRecord(target="t", step=1, steps=50, first=1, distances=[0.41], relative=[0.3], made=1)
    ended = record("probe-1", measured=False).model_copy(update={"stopped": stopped})
    said = [probe_line(progress(), ended, 2, reproduced=reproduced) for reproduced in (False, None)]
    assert said[0].endswith("too far from as-[hosted] for the difference to stay unseen")
    assert said[1].endswith("whether a difference is visible is not known yet")


def test_a_run_that_ended_early_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Run("screen-1", Role.SCREEN, Prompt("p", "", 1), "diffusers")
    stopped = StoppedRecord(target="t", step=1, steps=50, first=1, distances=[0.41], relative=[0.3], made=1)
    with Display() as display:
        display.on_plan([])
        display.on_run_started(screen)
        ended = record("screen-1", measured=False).model_copy(update={"stopped": stopped})
        display.on_run_finished(screen, ended, reused=False)
    line = capsys.readouterr().err
    assert "3.0 s, stopped at step 1 of 50, latents at 0.41 of the distance between seeds" in line
    assert "not measured" not in line
