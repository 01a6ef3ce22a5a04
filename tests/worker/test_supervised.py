"""A worker process that dies, fails or leaks: the record stays the same, or says why there is no clip."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from spacediff.environment import environment
from spacediff.errors import CheckpointUnavailable, DeviceUnavailable, GenerationFailed, WorkerDied
from spacediff.executor import Sequential
from spacediff.progress import SilentListener
from spacediff.record import Role, RunRecord
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker import process
from spacediff.worker.messages import Failed, Memory
from spacediff.worker.supervised import SupervisedWorker
from support.in_process import InProcess
from support.listeners import RememberingListener

START = process.start_worker
"""Starts a real process, before the session puts a forked one in its place."""
PROMPT = Prompt("p", "A hand squeezes half a lemon", 42)


def run(name: str = "a", **tables: Any) -> Run:
    base = {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": 6, "num_frames": 5}, "placement": "cpu"}
    settings = Settings.of(base, Origin.DECLARED).changed_by(Settings.of(tables, Origin.DECLARED))
    return Run(name, Role.VARIANT, PROMPT, "diffusers", settings)


class At(RememberingListener):
    """Calls a function once, at a step of the denoising."""

    def __init__(self, step: int, act: Callable[[], None], *, always: bool = False) -> None:
        super().__init__()
        self._step, self._act, self._always = step, act, always

    def on_step(self, done: int, total: int) -> None:
        super().on_step(done, total)
        if done == self._step:
            self._act()
            if not self._always:
                self._step = -1


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[SupervisedWorker]:
    made = SupervisedWorker(tmp_path / "denoised")
    yield made
    made.close()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """The record of a run that nobody disturbs, made in this process."""
    with InProcess(environment()) as executor:
        (record,) = executor.execute([run()], Store(tmp_path_factory.mktemp("expected")), SilentListener())
    assert record.measured, record.reason
    return record


def pid(worker: SupervisedWorker) -> int:
    assert worker._running
    return worker._running.pid


def killer(worker: SupervisedWorker) -> Callable[[], None]:
    return lambda: os.kill(pid(worker), signal.SIGKILL)


def steady(record: RunRecord) -> dict[str, object]:
    """A record without what differs from one execution to the next."""
    found = record.model_dump(mode="json", exclude={"seconds": True, "trace": {"stages": True}})
    return {name: value for name, value in found.items() if name != "key"}


def test_a_process_of_its_own_generates_what_this_one_does(
    worker: SupervisedWorker, expected: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "draft").mkdir()
    listener = RememberingListener()
    record = worker.produce(run(), expected.key, tmp_path / "draft", listener)
    assert record.clip
    assert steady(record) == steady(expected)
    assert listener.steps == [(step, 6) for step in range(1, 7)]
    assert listener.texts[:2] == ["loading the checkpoint", "generating"]
    assert {path.name for path in (tmp_path / "draft").iterdir()} == {
        "clip.mkv", "preview.mp4", "delivered.mp4", "latents.zip"
    }  # fmt: skip


def test_one_process_serves_all_runs_and_ends_with_the_worker(worker: SupervisedWorker, tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [run("a"), run("b", call={"guidance_scale": 3.0}), run("c", vae={"tiling": True})]
    pids = set()
    with Sequential(worker_of := worker) as executor:
        for record in executor.execute(runs, store, SilentListener()):
            assert record.measured, record.reason
            pids.add(pid(worker_of))
    assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)
    assert not list((tmp_path / "denoised").glob("*")), "nothing is left to decode"


def test_a_killed_process_is_replaced_and_the_record_is_the_same(
    worker: SupervisedWorker, expected: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "draft").mkdir()
    listener = At(3, killer(worker))
    record = worker.produce(run(), expected.key, tmp_path / "draft", listener)
    assert steady(record) == steady(expected)
    assert "trying again in a new process" in listener.texts


def test_a_run_that_kills_two_processes_fails_with_what_was_last_known_of_it(
    worker: SupervisedWorker, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    with Sequential(worker) as executor:
        (dead,) = executor.execute([run()], store, At(3, killer(worker), always=True))
        (next_one,) = executor.execute([run("b")], store, SilentListener())
    assert (dead.measured, dead.code) == (False, "worker-died")
    assert "was killed by SIGKILL" in dead.reason
    assert "after step 3 of 6" in dead.reason
    assert next_one.measured, "the death of one run is not that of the next"
    assert not list((tmp_path / "runs").glob(".*")), "no draft is left"


def test_a_process_that_is_killed_while_it_starts_or_waits_is_replaced(worker: SupervisedWorker) -> None:
    killed = pid(worker)
    killer(worker)()
    assert worker.environment["torch"]
    assert pid(worker) != killed
    killer(worker)()
    worker.check(run())


def test_the_death_of_a_waiting_process_is_not_that_of_the_next_run(
    worker: SupervisedWorker, expected: RunRecord, tmp_path: Path
) -> None:
    (tmp_path / "draft").mkdir()
    assert worker.environment
    killer(worker)()
    wait_for_the_end(worker)
    record = worker.produce(run(), expected.key, tmp_path / "draft", At(3, killer(worker)))
    assert steady(record) == steady(expected)


def wait_for_the_end(worker: SupervisedWorker) -> None:
    assert worker._running
    while worker._running.alive:
        time.sleep(0.01)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_same_record(expected: RunRecord, tmp_path: Path) -> None:
    """Judged by 50 random moments, from the start of the process to the writing of the files."""
    random.seed(0)
    for number in range(50):
        worker = SupervisedWorker(tmp_path / "denoised")
        draft = tmp_path / f"draft-{number}"
        draft.mkdir()
        timer = threading.Timer(random.uniform(0, 1.5 * max(expected.seconds, 1)), _kill_once(worker))  # noqa: S311
        timer.start()
        assert worker.environment["torch"]  # what an executor asks for first
        worker.check(run())
        record = worker.produce(run(), expected.key, draft, SilentListener())
        timer.cancel()
        worker.close()
        assert steady(record) == steady(expected), f"kill number {number}"


def _kill_once(worker: SupervisedWorker) -> Callable[[], None]:
    victim = pid(worker)

    def kill() -> None:
        with suppress(ProcessLookupError):  # it has ended already
            os.kill(victim, signal.SIGKILL)

    return kill


@pytest.mark.parametrize(
    ("tables", "kind"),
    [
        ({"model": {"id": "/nowhere/at/all"}}, CheckpointUnavailable),
        ({"placement": "cuda:7"}, DeviceUnavailable),
    ],
)
def test_an_error_arrives_as_what_it_is_and_the_process_goes_on(
    worker: SupervisedWorker, tmp_path: Path, tables: dict[str, Any], kind: type[Exception]
) -> None:
    before = pid(worker)
    with pytest.raises(kind):
        worker.produce(run(**tables), "k", tmp_path, SilentListener())
    assert pid(worker) == before


@pytest.mark.parametrize(("left", "replaced"), [(2**20, False), (2**30, True)])
def test_a_process_that_keeps_memory_of_a_device_after_a_failure_is_replaced(
    worker: SupervisedWorker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left: int,
    replaced: bool,  # noqa: FBT001
) -> None:
    failed = Failed(code="generation-failed", message="no", hint="", sound=True, memory=Memory(device=left, host=0))
    monkeypatch.setattr(process.WorkerProcess, "answer", lambda *_: failed)
    before = pid(worker)
    with pytest.raises(GenerationFailed):
        worker.produce(run(), "k", tmp_path, SilentListener())
    assert (worker._running is None) is replaced
    assert psutil.pid_exists(before) is not replaced


def test_a_check_needs_no_loading(worker: SupervisedWorker) -> None:
    worker.check(run())
    with pytest.raises(DeviceUnavailable):
        worker.check(run(placement="cuda:7"))


@pytest.mark.slow
def test_a_process_does_not_outlive_the_audit_that_was_killed(tmp_path: Path) -> None:
    module = Path(__file__)
    script = f"""
import os, signal, sys
sys.path[:0] = {[str(module.parent), str(module.parents[1])]}
from test_supervised import *
worker = SupervisedWorker(Path({str(tmp_path)!r}) / "denoised")
def end():
    print(pid(worker), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
worker.produce(run(call={{"num_inference_steps": 500}}), "k", Path({str(tmp_path)!r}), At(2, end))
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        left = psutil.Process(int(done.stdout))
        assert not psutil.wait_procs([left], timeout=30)[1] or left.status() == psutil.STATUS_ZOMBIE


def test_an_interruption_ends_the_process_and_nothing_else(worker: SupervisedWorker, tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    before = pid(worker)
    with pytest.raises(KeyboardInterrupt):
        worker.produce(run(), "k", tmp_path, At(2, interrupt))
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_process_that_sends_something_else_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "start_worker", START)
    monkeypatch.setattr(process, "_WORKER", ("-c", "print('loading the site', flush=True)"))
    worker = SupervisedWorker(tmp_path)
    with pytest.raises(WorkerDied, match=r"sent 'loading the site.n', which is no message"):
        _ = worker.environment
    worker.close()


def test_what_a_process_prints_is_read_where_there_is_no_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "start_worker", START)
    monkeypatch.setattr(process, "_WORKER", ("-c", "import sys; sys.stderr.write('x' * 2**20); sys.exit(3)"))
    monkeypatch.setattr("sys.stderr", None)
    worker = SupervisedWorker(tmp_path)
    with pytest.raises(WorkerDied, match="exit code 3"):
        _ = worker.environment
    worker.close()


def test_a_process_that_does_not_start_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "start_worker", START)
    monkeypatch.setattr(process, "_WORKER", ("-m", "nowhere.at.all"))
    worker = SupervisedWorker(tmp_path)
    with pytest.raises(WorkerDied, match=r"exit code 1.*No module named 'nowhere'"):
        _ = worker.environment
    worker.close()
