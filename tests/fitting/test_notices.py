"""What an audit says before its first run, through the library and in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from spacediff.api import plan_audit
from spacediff.audit import audit
from spacediff.cli.progress import ProgressBars
from spacediff.errors import CheckpointUnavailable
from spacediff.progress import ProgressListener, SilentListener
from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.run import Run
from spacediff.store.store import Store
from spacediff.wording import sentence
from spacediff.worker.records import unmeasured
from support.executors import IdleExecutor

SCENARIO = """
title = "t"
[prompts.p]
text = "a lemon"
seed = 1
[baseline]
model = { id = "./missing" }
placement = "cpu"
[reference]
variant = "baseline"
"""


class Noting(SilentListener):
    def __init__(self) -> None:
        self.heard: list[Fact | str] = []

    def on_plan(self, runs: Sequence[Run]) -> None:
        self.heard.append(f"{len(runs)} runs")

    def on_notice(self, notice: Fact) -> None:
        self.heard.append(notice)

    def on_run_started(self, run: Run) -> None:
        self.heard.append(run.name)


class Refusing(IdleExecutor):
    """An executor whose checkpoint is missing."""

    def __init__(self) -> None:
        super().__init__({"torch": "2.13.0"})

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        del store
        for run in runs:
            listener.on_run_started(run)
            yield unmeasured(run, run.key({}), CheckpointUnavailable("there is no folder"), 0.0)


def test_an_audit_gives_its_notices_before_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(SCENARIO, "utf-8")
    listener = Noting()
    audit(plan_audit(tmp_path / "s.toml"), tmp_path / "a", listener, Refusing())
    plan, notice, expected, first, *_ = listener.heard
    assert (plan, first) == ("5 runs", "baseline")
    assert isinstance(notice, Fact)
    assert notice.kind is FactKind.MEMORY_UNKNOWN
    assert notice.values["runs"] == ["baseline", "rerun", "seed-2", "seed-3", "seed-4"]
    assert isinstance(expected, Fact)
    assert (expected.kind, expected.values["generations"]) == (FactKind.EXPECTED, 5)


def test_the_terminal_shows_a_notice_as_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBars() as display:
        display.on_notice(fact(FactKind.DISK_SHORT, clips=4, need=3 * 2**30, free=2**30))
    said = "note: the disk may fill up: up to 4 clips take about 3.00 GiB, and 1.00 GiB are free."
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("disk", "said"), [(2**19, "less than 1 MiB"), (2**20, "about 1 MiB"), (None, "an unknown part")]
)
def test_little_of_the_disk_is_not_called_nothing(disk: int | None, said: str) -> None:
    unknown = dict.fromkeys(("step", "seconds", "search_seconds", "repeated_seconds", "memory"))
    known = unknown | {"generations": 2, "control": 0, "search": 0.0, "device": "", "least": False, "free": 2**30}
    assert f"; {said} of the disk, where 1.00 GiB are free" in sentence(fact(FactKind.EXPECTED, disk=disk, **known))
