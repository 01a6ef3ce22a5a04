"""Audits on a real cluster of two small nodes on this machine, started once for this module and stopped after it.

The tests that need workers of their own come first: those of the others stay until the end. Where a test ends something
while a run is made, a gate holds the run in its first step until then, however fast it would be.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from spacediff.api import run_audit
from spacediff.distributed import cluster as module
from spacediff.distributed.actor import ActorWorker, Terms, Working
from spacediff.distributed.executor import WHERE_AND_HOW_LONG
from spacediff.distributed.session import Session, session
from spacediff.interrupts import handlers_kept
from spacediff.plan import Plan, plan_scenario
from spacediff.progress import SilentListener, WorkerProgress
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.scenario.scenario import parse_scenario
from spacediff.store.store import Store

ray = pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

OURS = "SPACEDIFF_TESTED_CLUSTER"
"""A variable by which the processes of this cluster are known from those of others on this machine."""
STORE = 80 * 2**20
"""Bytes of each node's object store: about the least that Ray takes."""
SCENARIO = """
title = "small"
prompts.lemon = { text = "a blue cone and a green box", seed = 1 }
baseline.model.id = "builtin:tiny-cogvideox-random"
baseline.call = { num_inference_steps = 6, num_frames = 5, guidance_scale = 6.0 }
baseline.placement = "cpu"
reference.variant = "target"
resources.cpus = 1
scale.seeds = 2
variants.target = { call.guidance_scale = 7.0, vae.tiling = true, scheduler.class = "CogVideoXDPMScheduler" }
variants.half = { call.guidance_scale = 7.0, output.fps = 10 }
explain = { from = "baseline", to = "target", tolerance = 0.1, weights = "none" }
"""
SHORT = SCENARIO[: SCENARIO.index("explain")].replace("scale.seeds = 2", "scale = { seeds = 1, rerun = false }")


def planned(seed: int) -> Plan:
    """Return a plan of four runs; a worker keeps what it has made, so each test has a seed of its own."""
    return plan_scenario(parse_scenario(SHORT.replace("seed = 1", f"seed = {seed}"), Path("small.toml")))


PLAN = planned(1)


@dataclass(frozen=True)
class Gate:
    """Files by which a test holds runs, and by which it learns on which node one is held."""

    folder: Path

    def hold(self, *names: str) -> None:
        for name in names:
            (self.folder / f"{name}-held").touch()

    def close(self, node: str) -> None:
        """Hold whatever a node has in hand for good."""
        (self.folder / node).touch()

    def release(self) -> None:
        """Let everything pass, but for what a closed node has in hand."""
        for path in self.folder.glob("*-held"):
            path.unlink()

    def enter(self, name: str, node: str) -> None:
        (self.folder / f"{name}-node").write_text(node)

    def wait(self, name: str, node: str) -> None:
        while (self.folder / f"{name}-held").exists() or (self.folder / node).exists():
            time.sleep(0.02)

    def node_of(self, name: str) -> str:
        """Return the node on which a run is held; empty for one that is not."""
        entered = self.folder / f"{name}-node"
        return entered.read_text() if (self.folder / f"{name}-held").exists() and entered.exists() else ""


def holding(gate: Gate) -> type[ActorWorker]:
    """Return the worker of an actor whose runs wait at a gate in their first step; Ray sends the nodes its code."""

    class Held(SilentListener):
        def __init__(self) -> None:
            self.working, self.name = Working(), ""

        def on_run_started(self, run: Run) -> None:
            self.working, self.name = Working(), run.name

        def on_step(self, done: int, total: int) -> None:
            node = ray.get_runtime_context().get_node_id()
            gate.enter(self.name, node)
            self.working = Working("generating", done, total)
            gate.wait(self.name, node)

    class Holding(module._Located):
        def __init__(self, number: int, terms: Terms) -> None:
            super().__init__(number, terms)
            self._listener = Held()  # type: ignore[assignment]

    return Holding


@pytest.fixture(scope="module")
def nodes(own_cache: Path) -> Iterator[Any]:  # noqa: ARG001 - the nodes get its variable
    """A cluster of two nodes with a core each; the second one may be killed, and then gets a successor."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch, handlers_kept():
        patch.setenv(OURS, str(os.getpid()))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        size = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False}
        quick = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_timeout_ms": 2000}
        started = Cluster(initialize_head=True, head_node_args={**size, "_system_config": quick})
        started.add_node(**size)
        ray.init(address=started.address, log_to_driver=False, logging_level="error")
        yield started
        ray.shutdown()
        started.shutdown()


@pytest.fixture(scope="module")
def whole_gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def opened(nodes: Any, whole_gate: Gate) -> Iterator[Session]:  # noqa: ARG001 - it runs
    """A session whose workers several tests share: those that one test kills are replaced for the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_Located", holding(whole_gate))
        with session([PLAN]) as found:
            yield found


@pytest.fixture
def gate(whole_gate: Gate) -> Iterator[Gate]:
    """The gate of the shared workers, through which everything passes at the beginning and at the end of a test."""
    yield whole_gate
    whole_gate.release()


class Watching(SilentListener):
    """Does something when a run has made a step, or has finished."""

    def __init__(self, act: Callable[[WorkerProgress | None], None] = lambda _: None) -> None:
        self.act = act
        self.seen: list[tuple[int, str]] = []
        self.finished: list[str] = []

    def on_worker(self, progress: WorkerProgress) -> None:
        self.seen.append((progress.worker, progress.run.name))
        if progress.done:
            self.act(progress)

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:  # noqa: ARG002 - as all listeners
        self.finished.append(run.name)
        self.act(None)


def executed(opened: Session, folder: Path, listener: SilentListener, seed: int) -> dict[str, RunRecord]:
    wanted = planned(seed)
    with opened.executor(wanted, folder, 0.0) as executor:
        return {record.name: record for record in executor.execute(wanted.runs, Store(folder), listener)}


def test_the_record_is_that_of_the_executor_on_one_machine(nodes: Any, tmp_path: Path) -> None:  # noqa: ARG001 - runs
    scenario = tmp_path / "small.toml"
    scenario.write_text(SCENARIO)
    listener = Watching()
    cluster = run_audit(scenario, out=tmp_path / "cluster", executor="ray", listener=listener)
    here = run_audit(scenario, out=tmp_path / "here")
    for found, other in ((cluster, here), (here, cluster)):
        assert found.record.model_dump(exclude=WHERE_AND_HOW_LONG) == other.record.model_dump(
            exclude=WHERE_AND_HOW_LONG
        )
    machines = [run.machine for run in cluster.record.runs]
    assert {machine.worker for machine in machines if machine} == {1, 2}
    assert len({machine.node for machine in machines if machine}) == 2
    assert {machine.threads for machine in machines if machine} == {"1"}
    assert all(machines), "each run says which machine made it"
    assert {worker for worker, _ in listener.seen} == {1, 2}
    assert len(list((tmp_path / "cluster" / "runs").glob("*"))) == len(list((tmp_path / "here" / "runs").glob("*")))
    assert not list((tmp_path / "cluster" / "runs").glob(".*")), "no draft is left"


def test_files_pass_through_a_shared_folder_and_a_session_leaves_no_process(nodes: Any, tmp_path: Path) -> None:  # noqa: ARG001 - it runs
    before, shared = workers_of_spacediff(), tmp_path / "shared"
    with session([PLAN], shared=f"file://{shared}") as found:
        records = executed(found, tmp_path / "audit", Watching(), seed=1)
        assert workers_of_spacediff() - before
    assert all(record.measured for record in records.values())
    assert shared.is_dir()
    assert not list(shared.iterdir())
    deadline = time.monotonic() + 60
    while (left := workers_of_spacediff() - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]


def test_runs_of_a_killed_actor_and_of_a_killed_node_go_elsewhere(
    nodes: Any, opened: Session, gate: Gate, tmp_path: Path
) -> None:
    second = nodes.list_all_nodes()[-1]
    killed: list[str] = []
    in_hand: set[str] = set()

    def kill(progress: WorkerProgress | None) -> None:
        assert opened.pool is not None
        node = gate.node_of(progress.run.name) if progress else ""
        in_hand.add(node)
        if progress and not killed and node not in {"", second.node_id}:
            opened.pool.kill(progress.worker)
            killed.append("actor")
        if killed == ["actor"] and second.node_id in in_hand and listener.finished:
            gate.close(second.node_id)
            nodes.remove_node(second, allow_graceful=False)
            killed.append("node")
            gate.release()

    gate.hold(*{run.name for run in PLAN.runs} - {"target"})
    listener = Watching(kill)
    records = executed(opened, tmp_path, listener, seed=2)
    nodes.add_node(num_cpus=1, object_store_memory=STORE)
    assert killed == ["actor", "node"]
    assert {name: record.reason for name, record in records.items() if not record.measured} == {}
    assert sorted(listener.finished) == sorted(records), "each once"
    assert all(Store(tmp_path).get(record.key) for record in records.values())


def test_a_run_that_kills_its_workers_is_given_up_and_the_others_are_made(
    opened: Session, gate: Gate, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(progress: WorkerProgress | None) -> None:
        if progress and progress.run.name == "half":
            killed.append(progress.worker)
            assert opened.pool is not None
            opened.pool.kill(progress.worker)

    gate.hold("half")
    records = executed(opened, tmp_path, Watching(kill), seed=3)
    assert {name: record.code for name, record in records.items() if not record.measured} == {"half": "worker-died"}
    assert "two workers of the cluster ended" in records["half"].reason
    assert len(killed) == 2


def test_a_full_object_store_slows_the_files_down_and_loses_none(opened: Session, tmp_path: Path) -> None:
    held = [ray.put(bytes(8 * 2**20)) for _ in range(STORE // 2**23 + 3)]
    records = executed(opened, tmp_path, Watching(), seed=4)
    assert len(held) * 8 * 2**20 > STORE
    assert all(record.measured for record in records.values())
    assert all(Store(tmp_path).get(record.key) for record in records.values())


def test_an_interrupt_ends_what_workers_do_and_keeps_what_is_finished(
    opened: Session, gate: Gate, tmp_path: Path
) -> None:
    begun: set[str] = set()

    def interrupt(progress: WorkerProgress | None) -> None:
        begun.update({progress.run.name} if progress else {})
        if listener.finished and "half" in begun:
            raise KeyboardInterrupt

    gate.hold("half")
    listener = Watching(interrupt)
    with pytest.raises(KeyboardInterrupt):
        executed(opened, tmp_path, listener, seed=5)
    assert listener.finished
    assert "half" not in listener.finished
    names = [path.name for path in (tmp_path / "runs").iterdir()]
    assert len(names) >= len(listener.finished)
    assert not [name for name in names if name.startswith(".")], "no draft is left"


def workers_of_spacediff() -> set[int]:
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "spacediff.worker" in process.cmdline() and process.environ().get(OURS) == str(os.getpid()):
                found.add(process.pid)
    return found
