"""What is asked of the workers of a cluster, and what becomes of it. The pool of these tests answers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spacediff.distributed.actor import Outcome
from spacediff.distributed.executor import ClusterExecutor, Hosting
from spacediff.distributed.pool import Begun, Event, Finished, Order
from spacediff.distributed.transfer import listed
from spacediff.errors import WorkerDied
from spacediff.progress import SilentListener
from spacediff.record import Role, RunRecord
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store

PROMPT = Prompt("p", "a lemon", 42)


class AnsweringPool:
    """A pool whose runs are empty files. Those whose name is in `kept` stay under way."""

    workers = 2
    left_out = None
    environment: Mapping[str, str] = {}

    def __init__(self, *, failing: set[str] | None = None, kept: set[str] | None = None) -> None:
        self.asked: list[str] = []
        self.abandoned: list[frozenset[int]] = []
        self._failing, self._kept = failing or set(), kept or set()
        self._numbers = 0

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def submit(self, order: Order, post: Callable[[Event], None]) -> None:
        self.asked.append(order.run.name)
        post(Begun(order.job.number, 1))
        if order.run.name not in self._kept:
            post(Finished(order.job.number, self._outcome(order)))

    def abandon(self, numbers: frozenset[int]) -> None:
        self.abandoned += [numbers] if numbers else []

    def _outcome(self, order: Order) -> Outcome | Exception:
        run = order.run
        if run.name in self._failing:
            self._failing.discard(run.name)
            return WorkerDied("it ended twice")
        made = RunRecord(key=order.key, name=run.name, role=run.role, prompt=run.prompt[0], source="diffusers",
                         measured=True)  # fmt: skip
        folder = Store(order.draft).folder_of(order.key)
        folder.mkdir(parents=True)
        (folder / "clip.mkv").touch()
        Store(order.draft).seal(folder, made)
        names = sorted(path.relative_to(order.draft).as_posix() for path in folder.iterdir())
        return Outcome(made.model_dump_json(), listed(order.draft, names))


class Noting(SilentListener):
    def __init__(self) -> None:
        self.finished: list[tuple[str, bool]] = []

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        assert (record.prompt, record.name) == (run.prompt.name, run.name)
        self.finished.append((run.name, reused))


def local(name: str, *, against: str = "", **tables: object) -> Run:
    settings = Settings.of({"model": {"id": "m"}, **tables}, Origin.DECLARED)
    return Run(name, Role.VARIANT, PROMPT, "diffusers", settings, against=against)


def missing_video(folder: Path) -> Run:
    return Run("reference", Role.REFERENCE, PROMPT, "video", request={"file": str(folder / "none.mp4")})


@contextmanager
def executor(pool: AnsweringPool, folder: Path) -> Iterator[ClusterExecutor]:
    stand_in: Any = pool
    with ClusterExecutor(stand_in, Hosting(folder, 0.0, threads=1), keep_latents=False) as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "audit")


def test_files_are_taken_into_the_store_and_found_there_the_next_time(store: Store) -> None:
    runs, listener = [local("a"), local("b", output={"fps": 9})], Noting()
    for asked, reused in ((["a", "b"], False), ([], True)):
        pool = AnsweringPool()
        with executor(pool, store.folder) as found:
            records = list(found.execute(runs, store, listener))
        assert pool.asked == asked
        assert listener.finished[-2:] == [("a", reused), ("b", reused)]
        assert all(store.get(record.key) for record in records)
    assert not [path for path in (store.folder / "runs").iterdir() if path.name.startswith(".")], "no draft is left"


def test_one_clip_under_two_names_is_produced_once_and_again_only_where_it_failed(store: Store) -> None:
    pool, listener = AnsweringPool(failing={"b"}), Noting()
    runs = [local("a"), local("also-a"), local("b", output={"fps": 9}), local("also-b", output={"fps": 9})]
    with executor(pool, store.folder) as found:
        records = {record.name: record for record in found.execute(runs, store, listener)}
    assert pool.asked == ["a", "b", "also-b"]
    assert sorted(listener.finished) == [("a", False), ("also-a", True), ("also-b", False), ("b", False)]
    assert (records["b"].code, records["b"].reason) == ("worker-died", "it ended twice")
    assert records["also-b"].measured


def test_what_has_begun_while_a_clip_was_fetched_is_handed_out_or_abandoned(store: Store, tmp_path: Path) -> None:
    pool, listener = AnsweringPool(kept={"slow", "other"}), Noting()
    hosted = missing_video(tmp_path)
    runs = [local("quick"), local("slow", output={"fps": 9}), local("other", output={"fps": 10})]
    with executor(pool, store.folder) as found:
        found.prepare([hosted, *runs], store)
        fetched = list(found.execute([hosted], store, listener))
        assert [record.failed for record in fetched] == [True]
        assert pool.asked == ["quick", "slow", "other"], "while it was fetched"
        assert listener.finished == [("reference", False)], "the others were not asked for yet"
        (record,) = found.execute([runs[0]], store, listener)
        assert record.measured
        assert listener.finished[-1] == ("quick", False)
        assert pool.abandoned == [frozenset({2, 3})]
    assert pool.asked == ["quick", "slow", "other"]


def test_without_a_reference_what_has_not_begun_is_refused(store: Store, tmp_path: Path) -> None:
    pool, hosted = AnsweringPool(), missing_video(tmp_path)
    with executor(pool, store.folder) as found:
        list(found.execute([hosted], store, SilentListener()))
        runs = [local("a", against="reference"), local("b", output={"fps": 9})]
        records = {record.name: record for record in found.execute(runs, store, SilentListener())}
    assert pool.asked == ["b"]
    assert records["a"].code == "reference-missing"
    assert records["b"].measured


def test_an_interruption_abandons_what_is_under_way(store: Store) -> None:
    class Interrupting(SilentListener):
        def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:  # noqa: ARG002 - as all
            raise KeyboardInterrupt

    pool = AnsweringPool(kept={"slow"})
    with executor(pool, store.folder) as found, pytest.raises(KeyboardInterrupt):
        list(found.execute([local("slow"), local("a", output={"fps": 9})], store, Interrupting()))
    assert pool.abandoned == [frozenset({1})]
    assert not [path for path in (store.folder / "runs").iterdir() if path.name.startswith(".")]
