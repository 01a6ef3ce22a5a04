"""Audits that are interrupted at every call to their listener: what was finished is recorded, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.audit import audit
from spacediff.clip import Clip, write_lossless
from spacediff.plan import Plan
from spacediff.progress import SilentListener
from spacediff.record import AuditRecord, FactKind, GateStatus, Role, RunRecord, fact, read_record, write_record
from spacediff.run import Prompt, Run
from support.in_process import InProcess

PROMPTS = (Prompt("p", "", 1), Prompt("q", "", 2))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan("Two prompts", "?", "", PROMPTS, tuple(run for prompt in PROMPTS for run in runs_of(prompt, tmp_path)),
                "reference")  # fmt: skip


def runs_of(prompt: Prompt, folder: Path) -> list[Run]:
    runs = []
    for name, role in (("reference", Role.REFERENCE), ("candidate", Role.VARIANT)):
        file = folder / f"{prompt.name}-{name}.mkv"
        frames = np.full((2, 32, 32, 3), 10 * len(name) + prompt.seed, np.uint8)
        frames[:, :8] = 250  # a clip of one colour shows nothing, and the gate is not measured
        write_lossless(Clip(frames, Fraction(8)), file)
        runs.append(Run(name, role, prompt, "video", request={"file": str(file)}))
    return runs


class Interrupting(SilentListener):
    """Raises KeyboardInterrupt at one of its calls, and counts calls and finished runs."""

    def __init__(self, at: int = -1) -> None:
        self.calls = 0
        self.finished: list[RunRecord] = []
        self._at = at

    def on_status(self, text: str) -> None:
        self._count(text)

    def on_step(self, done: int, total: int) -> None:
        self._count(done, total)

    def on_run_started(self, run: Run) -> None:
        self._count(run)

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        self.finished.append(record)
        self._count(run, reused)

    def _count(self, *_: object) -> None:
        self.calls += 1
        if self.calls - 1 == self._at:
            raise KeyboardInterrupt


RUNS = 4 * 3  # each is started, has a status, and is finished
CALLS = RUNS + 2 * (1 + 2)  # each prompt has a status and two frames


def test_there_are_as_many_calls_as_are_interrupted_below(plan: Plan, tmp_path: Path) -> None:
    listener = Interrupting()
    assert audit(plan, tmp_path / "out", listener).finished
    assert listener.calls == CALLS


@pytest.mark.parametrize("at", range(CALLS))
def test_an_interruption_at_any_call_keeps_what_was_finished(plan: Plan, tmp_path: Path, at: int) -> None:
    listener = Interrupting(at)
    record = audit(plan, tmp_path / "out", listener)
    assert not record.finished
    assert fact(FactKind.AUDIT_INTERRUPTED) in record.warnings
    recorded = {run.key for run in record.runs}
    done = listener.finished[:-1] if at in range(2, RUNS, 3) else listener.finished  # the interrupted call comes before
    assert recorded == {run.key for run in done}
    compared = {comparison.prompt for comparison in record.comparisons}
    assert compared == ({"p"} if at >= RUNS + 3 else set())
    kept = {path.parent.name for path in (tmp_path / "out").glob("runs/[!.]*/files.json")}
    assert kept == {run.key for run in listener.finished}

    again = Interrupting()
    whole = audit(plan, tmp_path / "out", again)
    assert whole.finished
    assert len(whole.runs) == 4
    assert {comparison.prompt for comparison in whole.comparisons} == {"p", "q"}


def test_an_interruption_while_the_executor_closes_keeps_all_runs(plan: Plan, tmp_path: Path) -> None:
    class Closing(InProcess):
        def __exit__(self, *_: object) -> None:
            raise KeyboardInterrupt

    record = audit(plan, tmp_path / "out", SilentListener(), Closing({}))
    assert not record.finished
    assert len(record.runs) == 4
    assert record.comparisons == []


def test_an_interruption_before_the_first_run_closes_the_executor(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    class Closing(InProcess):
        def __exit__(self, *_: object) -> None:
            closed.append(True)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("spacediff.forecast.assess", interrupt)
    record = audit(plan, tmp_path / "out", SilentListener(), Closing({}))
    assert (record.finished, record.runs) == (False, [])
    assert closed, "a worker that was started already ends"


def test_an_interruption_of_the_recording_comes_after_it(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    def interrupted_once(record: AuditRecord, folder: Path) -> None:
        attempts.append(len(record.runs))
        if len(attempts) == 1:
            raise KeyboardInterrupt
        write_record(record, folder)

    monkeypatch.setattr("spacediff.audit.write_record", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        audit(plan, tmp_path / "out", SilentListener())
    assert attempts == [4, 4]
    assert read_record(tmp_path / "out").finished


def test_runs_are_recorded_in_the_order_of_the_plan_whatever_the_executor_does(plan: Plan, tmp_path: Path) -> None:
    class Backwards(InProcess):
        def execute(self, runs, store, listener):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as above
            yield from reversed(list(super().execute(runs, store, listener)))

    record = audit(plan, tmp_path / "out", SilentListener(), Backwards({}))
    assert order(record.runs) == [(run.prompt.name, run.name) for run in plan.runs]
    assert record.gate.status is not GateStatus.NOT_MEASURED
    assert read_record(tmp_path / "out") == record


def order(runs: Sequence[RunRecord]) -> list[tuple[str, str]]:
    return [(run.prompt, run.name) for run in runs]
