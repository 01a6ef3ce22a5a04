"""What an audit prints while it works: a line for each clip, the search for the cause, bars on a terminal."""

from __future__ import annotations

import io
from importlib import invalidate_caches
from pathlib import Path

import pytest

from spacediff.cli.bars import AuditBars, State, shows_bars
from spacediff.cli.console import Terminal
from spacediff.cli.options import Verbosity
from spacediff.cli.progress import ProgressBars
from spacediff.cli.search_progress import probe_line
from spacediff.fitting.disk import OnDisk
from spacediff.fitting.expectation import Measured, Todo, expectation
from spacediff.progress import SearchProgress, WorkerProgress
from spacediff.record import Role, RunRecord, StageRecord, StoppedRecord, TraceRecord
from spacediff.run import Prompt, Run
from spacediff.wording.numbers import duration


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
    with ProgressBars() as display:
        display.on_plan([])
        display.on_search_started(progress(expected=2.14))
        display.on_search_started(progress(budget=2.5, expected=1))
    first, second = capsys.readouterr().err.splitlines()
    assert "among 4 suspects: about 2.1 generations, 6.4 s, if it shows in the first steps" in first
    assert "about 1 generation, 3.0 s, if it shows in the first steps; the budget is 2.5" in second


def test_each_probe_prints_the_progress_and_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    probe = Run("probe-1", Role.PROBE, Prompt("p", "", 1), "diffusers")
    with ProgressBars() as display:
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
    assert lines[1] == (
        "p · probe-1: 3.0 s; search, 0.1 generations so far: with 2 of 4 settings changed, there is no visible "
        "difference from as-[hosted]"
    ), "one line for each probe, and no total, which is not known"
    assert lines[2].endswith("with 1 of 4 settings changed, there is no output, so it shows nothing")


def test_probes_that_are_made_at_once_print_their_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    probes = [Run(f"probe-{number}", Role.PROBE, Prompt("p", "", 1), "diffusers") for number in (1, 2)]
    with ProgressBars() as display:
        display.on_plan([])
        display.on_search_started(progress())
        for worker, probe in enumerate(probes, 1):
            display.on_run_started(probe)
            display.on_worker(WorkerProgress(worker, probe, "generating", 1, 6))
        assert len(display._working) == 2, "a bar for each"
        for probe in reversed(probes):
            display.on_run_finished(probe, record(probe.name), reused=False)
        assert not display._working
        for probe in probes:
            display.on_probe_finished(progress(), record(probe.name), frozenset({"call.a"}), reproduced=True)
        display.on_search_finished()
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.partition(": 3.0 s; search")[0] for line in lines] == ["p · probe-1", "p · probe-2"]


def test_a_probe_that_ended_early_has_nothing_to_see() -> None:
    stopped = StoppedRecord(target="t", step=1, steps=50, first=1, distances=[0.41], relative=[0.3], made=1)
    ended = record("probe-1", measured=False).model_copy(update={"stopped": stopped})
    said = [probe_line(progress(), ended, 2, reproduced=reproduced) for reproduced in (False, None)]
    assert said[0].endswith("too far from as-[hosted] for the difference to stay unseen")
    assert said[1].endswith("it is not known yet whether a difference is visible")


def test_a_run_that_ended_early_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Run("screen-1", Role.SCREEN, Prompt("p", "", 1), "diffusers")
    stopped = StoppedRecord(target="t", step=1, steps=50, first=1, distances=[0.41], relative=[0.3], made=1)
    with ProgressBars() as display:
        display.on_plan([])
        display.on_run_started(screen)
        ended = record("screen-1", measured=False).model_copy(update={"stopped": stopped})
        display.on_run_finished(screen, ended, reused=False)
        display.on_search_finished()
    line = capsys.readouterr().err
    assert "3.0 s, stopped at step 1 of 50, latents at 0.41 of the distance between seeds" in line
    assert "not measured" not in line


def clip(name: str) -> Run:
    return Run(name, Role.VARIANT, Prompt("p", "", 1), "diffusers")


def shown(capsys: pytest.CaptureFixture[str], verbosity: Verbosity, outcomes: list[RunRecord]) -> list[str]:
    """Return the lines about planned clips, of which one more is never generated."""
    with ProgressBars(verbosity) as display:
        display.on_plan([clip(each.name) for each in outcomes] + [clip("never")])
        for each in outcomes:
            display.on_run_started(clip(each.name))
            display.on_step(1, 2)
            display.on_run_finished(clip(each.name), each, reused=False)
    return capsys.readouterr().err.splitlines()


def test_without_a_terminal_each_clip_is_a_line_with_the_time_left_for_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = shown(capsys, Verbosity.NORMAL, [record("a"), record("b").model_copy(update={"seconds": 5.0})])
    assert first == "[1/3] p · a: 3.0 s", "it has loaded the model too"
    assert second == "[2/3] p · b: 5.0 s (about 4.0 s left for 1 clip)"


def test_nothing_is_said_of_the_time_left_before_a_clip_was_generated(capsys: pytest.CaptureFixture[str]) -> None:
    failed = record("a", measured=False).model_copy(update={"reason": "the checkpoint is not there"})
    (line,) = shown(capsys, Verbosity.NORMAL, [failed])
    assert line == "[1/2] p · a: not measured: the checkpoint is not there"


def test_a_reference_that_is_read_says_nothing_of_the_time_that_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = Prompt("p", "", 1)
    reference = Run("reference", Role.REFERENCE, prompt, "recording")
    generated, other, last = (Run(name, Role.VARIANT, prompt, "script") for name in ("a", "b", "c"))
    with ProgressBars() as display:
        display.on_plan([reference, generated, other, last])
        for run in (reference, generated, other):
            display.on_run_finished(run, record(run.name), reused=False)
    lines = capsys.readouterr().err.splitlines()
    said = [line.partition(": ")[2] for line in lines]
    assert said == ["3.0 s", "3.0 s", "3.0 s (about 3.0 s left for 1 clip)"]


def test_after_one_clip_the_time_that_is_left_is_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    measured = Measured(step=2.0, rest=4.0, steps=4, device="cpu", peak=2**30)
    todo = Todo([clip("a"), clip("b"), clip("c")], None, Path(), control=[clip("d")])
    expected = expectation(todo, OnDisk(10), measured=measured)
    with ProgressBars() as display:
        display.on_plan(todo.runs)
        display.on_notice(expected)
        display.on_run_finished(clip("a"), record("a"), reused=False)
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("[1/3]"))
    assert line == f"[1/3] p · a: 3.0 s (about {duration(2 * measured.seconds(clip('b').settings))} left for 2 clips)"


def test_a_reason_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    failed = [record(name, measured=False).model_copy(update={"reason": "no [gpu]"}) for name in ("a", "b")]
    assert shown(capsys, Verbosity.NORMAL, failed) == [
        "[1/3] p · a: not measured: no [gpu]",
        "[2/3] p · b: not measured: as p · a",
    ]


def test_a_quiet_audit_says_nothing_while_it_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, Verbosity.QUIET, [record("a")]) == []


def test_a_verbose_audit_names_the_seconds_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    stages = [
        StageRecord(name="denoising", seconds=2.5, peak_bytes=1),
        StageRecord(name="decoding", seconds=0.5, peak_bytes=1),
    ]
    traced = record("a").model_copy(update={"trace": TraceRecord(stages=stages)})
    _, line = shown(capsys, Verbosity.VERBOSE, [traced])
    assert line.strip() == "denoising 2.50 s, decoding 0.500 s"


def test_a_notebook_has_bars_where_something_can_draw_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = Terminal(force_jupyter=True)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert not shows_bars(notebook)
    (tmp_path / "ipywidgets.py").touch()
    invalidate_caches()
    assert shows_bars(notebook)
    notebook.quiet = True
    assert not shows_bars(notebook)
    assert shows_bars(Terminal(force_terminal=True, force_jupyter=False))
    assert not shows_bars(Terminal(file=io.StringIO(), force_jupyter=False))


def test_bars_name_the_time_passed_and_the_time_left_in_80_columns() -> None:
    now = 0.0
    file = io.StringIO()
    console = Terminal(file=file, width=80, force_terminal=True)
    with AuditBars(console) as bars:
        bars.get_time = lambda: now
        task = bars.add_task("a long prompt name · a-variant-with-a-long-name", total=8, doing="clips")
        for done in range(1, 4):
            now = 10.0 * done
            bars.update(task, completed=done)
        (line,) = console.render_lines(bars.get_renderable(), console.options)
        assert "left" in State().render(bars.tasks[0]).plain
        bars.update(task, timed=False)
        assert "left" not in State().render(bars.tasks[0]).plain
    text = "".join(segment.text for segment in line)
    assert len(text) <= 80
    assert "3 of 8 clips, 30.0 s so far, about 50.0 s left" in text
    assert file.getvalue().endswith("\x1b[1A\x1b[2K"), "finished bars are gone"
