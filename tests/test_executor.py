"""Which runs an executor produces, and in which order. The worker of these tests only notes its calls."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.errors import DeviceUnavailable, DiskFull, QuotaExceeded
from spacediff.executor import Sequential
from spacediff.progress import Progress, SilentListener
from spacediff.record import Role, RunRecord, StepRecord, TraceRecord
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.worker.identity import key_of
from spacediff.worker.protocol import Worker

PROMPT = Prompt("p", "a lemon", 42)
STEP = StepRecord(timestep=1, guidance=None, digest="", mean=0, std=1, norm=1, nonfinite=0)


class NotingWorker:
    """A worker without models: its runs are empty files."""

    def __init__(self, **failures: Exception) -> None:
        self.asked: list[str] = []
        self.prepared: list[str] = []
        self.closed = False
        self._failures = failures

    environment: Mapping[str, str] = {}

    def prepare(self, run: Run) -> None:
        self.prepared.append(run.name)

    def check(self, run: Run) -> None:
        if run.settings.value("placement") == "cuda":
            raise DeviceUnavailable("placement = 'cuda' cannot be used: this machine has no CUDA device")

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        progress.on_status("producing")
        self.asked.append(run.name)
        if run.name in self._failures:
            raise self._failures[run.name]
        (folder / "clip.mkv").touch()
        trace = TraceRecord(steps=[STEP])
        return RunRecord(key=key, name=run.name, role=run.role, prompt=run.prompt.name, source=run.source,
                         measured=True, trace=trace)  # fmt: skip

    def close(self) -> None:
        self.closed = True


class NotingListener(SilentListener):
    def __init__(self) -> None:
        self.finished: list[tuple[str, bool]] = []

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:
        assert (record.prompt, record.name) == (run.prompt.name, run.name)
        self.finished.append((run.name, reused))


def local(name: str, *, against: str = "", **tables: object) -> Run:
    settings = Settings.of({"model": {"id": "m"}, **tables}, Origin.DECLARED)
    return Run(name, Role.VARIANT, PROMPT, "diffusers", settings, against=against)


def hosted(name: str = "reference") -> Run:
    return Run(name, Role.REFERENCE, PROMPT, "space", request={"id": "o/n"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def executed(worker: Worker, runs: list[Run], store: Store, *, latents: bool = False) -> dict[str, RunRecord]:
    with Sequential(worker, keep_latents=latents) as executor:
        executor.prepare(runs, store)
        return {record.name: record for record in executor.execute(runs, store, SilentListener())}


def test_hosted_runs_come_first_and_runs_of_one_checkpoint_together(store: Store) -> None:
    worker = NotingWorker()
    runs = [
        local("a", model={"id": "one"}),
        local("b", model={"id": "two"}),
        local("c", model={"id": "one"}, output={"fps": 9}),
        local("d", model={"id": "one"}, call={"guidance_scale": 7.0}),
        local("e", model={"id": "one"}, output={"fps": 10}),
        hosted(),
    ]
    executed(worker, runs, store)
    assert worker.prepared == ["reference", "a"], "both at once"
    assert worker.asked == ["reference", "a", "c", "e", "d", "b"], (
        "runs that share their denoising are executed in a row"
    )


def test_one_clip_under_two_names_is_produced_once(store: Store) -> None:
    worker, listener = NotingWorker(), NotingListener()
    with Sequential(worker, keep_latents=False) as executor:
        records = list(executor.execute([local("one"), local("other")], store, listener))
    assert worker.asked == ["one"]
    assert listener.finished == [("one", False), ("other", True)]
    assert [record.name for record in records] == ["one", "other"]
    assert records[0].key == records[1].key


def test_a_run_without_latents_is_produced_again_where_they_are_wanted(store: Store) -> None:
    for latents, asked in ((False, ["a"]), (False, []), (True, ["a"])):
        worker = NotingWorker()
        executed(worker, [local("a")], store, latents=latents)
        assert worker.asked == asked


class LookingWorker(NotingWorker):
    """A worker whose runs of a script say that its call takes no arguments."""

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        (folder / "offered.json").write_text(json.dumps({"pipeline": "Pipeline", "arguments": []}))
        return super().produce(run, key, folder, progress)


def of_script(name: str, repeat: int = 0, **tables: object) -> Run:
    settings = Settings.of(tables, Origin.DECLARED, "s.toml:7")
    return Run(name, Role.VARIANT, PROMPT, "script", settings, request={"script": "run.py"}, repeat=repeat)


def test_what_a_script_has_no_place_for_is_refused_before_any_variant_runs(store: Store) -> None:
    runs = [
        of_script("rerun", repeat=1),
        of_script("tiled", vae={"tiling": True}),
        of_script("strange", call={"steps": 3}),
        of_script("baseline"),
    ]
    worker, listener = LookingWorker(), NotingListener()
    with Sequential(worker, keep_latents=False) as executor:
        found = {record.name: record for record in executor.execute(runs, store, listener)}
    assert [name for name, _ in listener.finished] == ["baseline", "strange", "tiled", "rerun"]
    assert worker.asked == ["baseline", "tiled", "rerun"]
    said = "call.steps (s.toml:7) cannot be put into run.py: Pipeline.__call__ takes no argument steps"
    assert (found["strange"].reason, found["strange"].code) == (said, "unsupported-setting")
    again = LookingWorker()
    assert not executed(again, runs, store)["strange"].measured
    assert again.asked == [], "what a stored baseline shows is still known"


def test_without_a_look_at_the_baseline_nothing_is_refused_beforehand(store: Store) -> None:
    worker = NotingWorker()
    executed(worker, [of_script("baseline"), of_script("strange", call={"steps": 3})], store)
    assert worker.asked == ["baseline", "strange"]


def test_without_a_reference_nothing_is_generated_and_the_reason_is_given(store: Store) -> None:
    worker = NotingWorker(reference=QuotaExceeded("the quota is used up"))
    runs = [hosted(), local("a", against="reference"), local("gpu", against="reference", placement="cuda"), local("b")]
    found = executed(worker, runs, store)
    assert worker.asked == ["reference", "b"]
    assert found["reference"].reason == "the quota is used up"
    assert found["a"].reason == "not generated, since there is no reference to compare it with"
    assert found["gpu"].reason == "placement = 'cuda' cannot be used: this machine has no CUDA device"
    assert found["b"].measured


def test_a_variant_that_is_the_reference_comes_first_and_without_it_nothing_is_generated(store: Store) -> None:
    runs = [
        local("a", model={"id": "one"}, against="target"),
        local("b", model={"id": "two"}, against="target"),
        local("target", model={"id": "two"}, output={"fps": 9}),
    ]
    worker = NotingWorker(target=QuotaExceeded("refused"))
    found = executed(worker, runs, store)
    assert worker.asked == ["target"]
    assert [found[name].reason for name in ("target", "a")] == [
        "refused",
        "not generated, since there is no reference to compare it with",
    ]
    worker = NotingWorker()
    executed(worker, runs, store)
    assert worker.asked == ["target", "b", "a"], "what shares its checkpoint is next"


def test_where_a_script_refuses_the_reference_only_its_baseline_runs(store: Store) -> None:
    runs = [
        replace(of_script("baseline"), against="target"),
        replace(of_script("rerun", repeat=1), against="target"),
        replace(of_script("seed-2", vae={"tiling": True}), against="target"),
        of_script("target", call={"steps": 3}),
    ]
    worker = LookingWorker()
    found = executed(worker, runs, store)
    assert worker.asked == ["baseline"]
    assert "cannot be put into run.py" in found["target"].reason
    assert found["rerun"].reason == "not generated, since there is no reference to compare it with"


def test_a_failure_affects_only_its_own_run(store: Store) -> None:
    worker = NotingWorker(a=ZeroDivisionError("by nought"), b=QuotaExceeded("used up", hint="wait"))
    found = executed(worker, [local("a"), local("b", output={"fps": 9}), local("c", output={"fps": 10})], store)
    assert {name: record.measured for name, record in found.items()} == {"a": False, "b": False, "c": True}
    assert found["a"].reason == "ZeroDivisionError: by nought"
    assert (found["b"].reason, found["b"].hint) == ("used up", "wait")
    assert [path.name for path in (store.folder / "runs").iterdir()] == [found["c"].key], "no draft is left"


def test_a_full_disk_ends_the_audit_and_what_was_finished_stays(store: Store) -> None:
    runs = [local("a"), local("b", output={"fps": 9}), local("c", output={"fps": 10})]
    worker = NotingWorker(b=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "clip.mkv"))
    with pytest.raises(DiskFull, match=r"the disk is full: clip\.mkv cannot be written"):
        executed(worker, runs, store)
    assert worker.asked == ["a", "b"], "no further run is generated in vain"
    assert worker.closed
    worker = NotingWorker()
    assert all(record.measured for record in executed(worker, runs, store).values())
    assert worker.asked == ["b", "c"], "the same command goes on from there"


def test_the_worker_is_closed_with_the_executor(store: Store) -> None:
    worker = NotingWorker()
    with pytest.raises(KeyboardInterrupt), Sequential(worker):
        raise KeyboardInterrupt
    assert worker.closed
    assert store.get("0" * 24) is None


def test_the_key_depends_on_the_machine_only_for_local_runs() -> None:
    one, other = ({"torch": version} for version in ("2.11", "2.12"))
    assert key_of(local("a"), one) != key_of(local("a"), other)
    assert key_of(hosted(), one) == key_of(hosted(), other)
    assert key_of(local("a"), one) == key_of(local("a"), one | {"python": "3.12"})


def test_what_is_stored_of_a_private_prompt_has_no_digest_of_its_picture(tmp_path: Path) -> None:
    digest = "0123456789abcdef"

    class Seeing(NotingWorker):
        def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
            record = super().produce(run, key, folder, progress)
            return record.model_copy(update={"trace": TraceRecord(steps=[STEP], inputs=[digest])})

    def stored(text: str, *, private: bool) -> list[str]:
        run = replace(local("baseline"), prompt=Prompt("p", text, 42, private))
        (record,) = Sequential(Seeing(), keep_latents=False).execute([run], Store(tmp_path), SilentListener())
        found = Store(tmp_path).get(record.key)
        assert found is not None
        assert found.trace == record.trace
        assert found.trace is not None
        return found.trace.inputs

    assert stored("public", private=False) == [digest]
    hidden, other = stored("a kite", private=True), stored("another", private=True)
    assert digest not in (*hidden, *other)
    assert hidden != other
    assert len(hidden) == 1
    assert stored("", private=True) == []
