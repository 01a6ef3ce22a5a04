"""What is waited for while the runs of an audit are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from spacediff.generating import generate
from spacediff.metrics import METRICS
from spacediff.plan import plan_files
from spacediff.progress import ProgressListener, SilentListener
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.store.store import Store
from support.executors import IdleExecutor


class Reading(IdleExecutor):
    """An executor of files, which notes what it has read when somebody asks for its environment."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.read_when_asked: list[list[str]] = []

    @property
    def environment(self) -> Mapping[str, str]:
        self.read_when_asked.append([*self.read])
        return super().environment

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        for run in runs:
            assert not store.has(run.name)
            listener.on_run_started(run)
            self.read.append(run.name)
            yield RunRecord(
                key=run.name, name=run.name, role=run.role, prompt=run.prompt.name, source=run.source, measured=False
            )


def test_files_are_read_before_anybody_waits_for_torch_to_say_what_this_machine_is(tmp_path: Path) -> None:
    executor = Reading()
    plan = plan_files(tmp_path / "one.mp4", tmp_path / "other.mp4")
    found = generate(plan, Store(tmp_path / "audit"), executor, METRICS[:1], SilentListener())
    assert len(executor.read) == len(plan.runs) == 2
    assert executor.read_when_asked
    assert all(read == executor.read for read in executor.read_when_asked)
    assert found.environment == {"device": "cpu"}
