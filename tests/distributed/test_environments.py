"""The environment of a run on a cluster: resolved once where the command runs, and built as it is by each node."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.distributed.actor import ActorWorker, Terms
from spacediff.distributed.executor import ClusterExecutor, Hosting
from spacediff.distributed.pool import Order
from spacediff.environments.building import built
from spacediff.environments.resolved import Resolved, resolved
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import Progress, SilentListener
from spacediff.record import Role, RunRecord
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.environment_run import Environments
from spacediff.store.store import Store
from spacediff.worker.messages import PlainRun
from support import wheel_index as index
from support.needs_uv import NEEDS_UV
from support.wheel_index import wheel_index

pytestmark = NEEDS_UV


class KeepingPool:
    """A pool that keeps what it is asked for."""

    workers = 2
    left_out = None
    environment: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def next_number(self) -> int:
        return len(self.orders)

    def submit(self, order: Order, _: object) -> None:
        self.orders.append(order)
        if len(self.orders) == 2:
            raise KeyboardInterrupt

    def abandon(self, _: frozenset[int]) -> None:
        pass


def run_under(version: str, name: str = "old") -> Run:
    tables = {"model": {"id": "org/m"}, "env": {"diffusers": version}, "output": {"fps": len(name)}}
    return Run(name, Role.VARIANT, Prompt("p", "a lemon", 1), "diffusers", Settings.of(tables, Origin.DECLARED))


def executor(pool: KeepingPool, folder: Path) -> ClusterExecutor:
    stand_in: Any = pool
    return ClusterExecutor(stand_in, Hosting(folder, 0.0, threads=1), keep_latents=False)


def test_all_workers_get_the_lock_that_the_command_has_resolved(tmp_path: Path) -> None:
    pool = KeepingPool()
    with wheel_index(tmp_path), executor(pool, tmp_path) as cluster, pytest.raises(KeyboardInterrupt):
        list(cluster.execute([run_under("1.5", "a"), run_under("1.5", "bb")], Store(tmp_path), SilentListener()))
    first, second = (order.environment for order in pool.orders)
    assert first is not None
    assert first.lock.packages["diffusers"] == "1.5"
    assert first == second


def test_a_run_whose_environment_cannot_be_resolved_reaches_no_worker(tmp_path: Path) -> None:
    pool = KeepingPool()
    with wheel_index(tmp_path), executor(pool, tmp_path) as cluster:
        (record,) = cluster.execute([run_under("9.9")], Store(tmp_path), SilentListener())
    assert pool.orders == []
    assert "no release 9.9 of diffusers" in record.reason


def test_a_node_installs_the_lock_that_it_gets_although_it_would_resolve_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_under("1.5")
    with wheel_index(tmp_path):
        sent = resolved(run.settings, SilentListener())
        monkeypatch.setattr(index, "UPLOADED", {**index.UPLOADED, "1.2": "2025-02-01T00:00:00Z"})
        for name, folder in (("SPACEDIFF_CACHE", "node"), ("UV_CACHE_DIR", "node-uv")):
            monkeypatch.setenv(name, str(tmp_path / folder))
        own = resolved(run.settings, SilentListener())
        assert sent is not None
        assert own is not None
        assert (sent.lock.packages["transformers"], own.lock.packages["transformers"]) == ("1.0", "1.2")
        node = Environments(resolve=lambda *_: sent)
        try:
            asked, _ = node._asked(run, SilentListener())
        finally:
            node.close()
    code = "import transformers; print(transformers.__version__)"
    assert subprocess.check_output([asked.request["python"], "-I", "-c", code], text=True).strip() == "1.0"


def test_a_worker_takes_the_environment_of_its_run_and_resolves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []

    def note(self: Environments, run: Run, _: Path, progress: Progress) -> None:
        taken.append(self._resolve(run.settings, progress))
        raise EnvironmentUnavailable("noted")

    monkeypatch.setattr(Environments, "run", note)
    sent: Any = object()
    worker = ActorWorker(1, Terms(threads=1), "node")
    try:
        outcome = worker.produce(PlainRun.of(run_under("1.5")), "key", (), sent)
    finally:
        worker.close()
    assert RunRecord.model_validate_json(outcome.record).reason == "noted"
    assert taken == [sent]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"python": "3.11.7 darwin arm64"}, "was resolved for darwin arm64"),
        ({"shared": "1.0"}, r"shares torch 1\.0, and this machine has 2"),
    ],
)
def test_a_lock_of_another_kind_of_machine_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with wheel_index(tmp_path):
        found = resolved(run_under("1.5").settings, SilentListener())
        assert isinstance(found, Resolved)
        with pytest.raises(EnvironmentUnavailable, match=words):
            built(replace(found.lock, **change), SilentListener())
