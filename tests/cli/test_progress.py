"""What the terminal says of the search for the cause."""

from __future__ import annotations

import pytest

from spacediff.cli.progress import Display
from spacediff.explaining.explain import Explaining
from spacediff.explaining.search import Search
from spacediff.plan import Explanation, Prompt, Run
from spacediff.record import Role, RunRecord
from spacediff.settings import Origin, Settings, diff

LEFT = Settings.of({"call": {"a": 1, "b": 1, "c": 1, "d": 1}}, Origin.DECLARED)
RIGHT = Settings.of({"call": {"a": 2, "b": 2, "c": 2, "d": 2}}, Origin.DECLARED)


def record(name: str, *, measured: bool = True) -> RunRecord:
    return RunRecord(key="", name=name, role=Role.VARIANT, prompt="p", source="diffusers", measured=measured, seconds=3)


def going(budget: int = 40) -> Explaining:
    what = Explanation("baseline", "as-[hosted]", LEFT, RIGHT, budget)
    found = Explaining(what, record("baseline"), record("as-[hosted]"), diff(LEFT, RIGHT))
    found.reached[frozenset()] = False
    found.search = Search(found.names, lambda _: False)
    return found


def test_number_and_time_are_told_before_the_search(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as display:
        display.on_plan([])
        display.on_search_started(going().progress)
        display.on_search_started(going(budget=2).progress)
    first, second = capsys.readouterr().err.splitlines()
    # three tests for one among four, and the counter-proof
    assert "among 4 suspects: about 4 generations if it is one of them, 12.0 s at most; the budget is 40" in first
    assert "about 2 generations if it is one of them, 6.0 s at most; the budget is 2" in second


def test_each_probe_says_how_far_it_is_and_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    search = going()
    probe = Run("probe-1", Role.PROBE, Prompt("p", "", 1), "diffusers")
    with Display() as display:
        display.on_plan([])
        display.on_search_started(search.progress)
        search.budget.spend()
        display.on_run_started(probe)
        display.on_run_finished(probe, record("probe-1"), reused=False)
        display.on_probe_finished(search.progress, record("probe-1"), frozenset({"call.a", "call.b"}), reproduced=True)
        display.on_probe_finished(
            search.progress, record("probe-1", measured=False), frozenset({"call.a"}), reproduced=None
        )
        display.on_search_finished()
        display.on_status("scoring")
    lines = capsys.readouterr().err.splitlines()
    assert "[1/4] p · probe-1: 3.0 s (about" in lines[1]
    assert lines[2].strip() == "search, 1 of about 5: with 2 of 4 settings changed: reproduces as-[hosted]"
    assert lines[3].endswith("with 1 of 4 settings changed: gave no clip, so nothing is known of as-[hosted]")
