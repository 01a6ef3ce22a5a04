"""When an audit says what it takes: before its first run, and again after the first generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.api import plan_audit
from spacediff.errors import MachineTooSmall
from spacediff.fitting import assessment
from spacediff.fitting.assessment import Assessment
from spacediff.fitting.disk import MOST_ENDS, OnDisk, used_bytes
from spacediff.forecast import Forecast
from spacediff.plan import Plan, plan_files, tried_anyway
from spacediff.progress import SilentListener
from spacediff.record import CostRecord, Fact, FactKind, Role, RunRecord, StageRecord, StepRecord, TraceRecord
from spacediff.store.store import DENOISED, Store
from spacediff.wording import forecast_texts, taken_text
from spacediff.worker.identity import key_of
from support.executors import IdleExecutor

SCENARIO = """
title = "t"
[prompts.p]
text = "a lemon"
seed = 1
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
placement = "cpu"
call.num_inference_steps = 4
[variants.other]
call.guidance_scale = 3.0
[reference]
variant = "baseline"
[explain]
from = "baseline"
to = "other"
budget = 5
"""


class Noting(SilentListener):
    def __init__(self) -> None:
        self.notices: list[Fact] = []

    def on_notice(self, notice: Fact) -> None:
        self.notices.append(notice)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "s.toml").write_text(SCENARIO, "utf-8")
    return plan_audit(tmp_path / "s.toml")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "audit")


def record(name: str, **more: Any) -> RunRecord:
    step = StepRecord(timestep=1.0, guidance=6.0, digest="", mean=0, std=1, norm=1, nonfinite=0)
    stages = [StageRecord(name="denoising", seconds=8.0, peak_bytes=2**30)]
    trace = TraceRecord(steps=[step] * 4, stages=stages)
    known: dict[str, Any] = {"key": name, "name": name, "role": Role.VARIANT, "prompt": "p", "source": "diffusers"}
    return RunRecord(**{**known, "measured": True, "trace": trace, **more})


def keep(plan: Plan, store: Store, names: Iterable[str]) -> None:
    for run in plan.runs:
        key = key_of(run, IdleExecutor().environment)
        if run.name in names:
            with store.writing(key) as draft:
                store.seal(draft, record(run.name, key=key))


def test_files_that_are_only_compared_do_not_wait_for_what_this_machine_is(tmp_path: Path, store: Store) -> None:
    class Importing(IdleExecutor):
        @property
        def environment(self) -> Mapping[str, str]:
            raise AssertionError("torch is not imported yet")

    listener = Noting()
    files = plan_files(tmp_path / "one.mp4", tmp_path / "other.mp4")
    Forecast(files, store, Importing(), listener).begin()
    assert not listener.notices


def test_it_counts_what_is_not_generated_yet(plan: Plan, store: Store) -> None:
    everything = [run.name for run in plan.runs]
    assert everything == ["baseline", "other", "rerun", "seed-2", "seed-3", "seed-4"]
    listener = Noting()
    Forecast(plan, store, IdleExecutor(), listener).begin()
    keep(plan, store, ["baseline", "seed-2"])
    Forecast(plan, store, IdleExecutor(), listener).begin()
    assert [each.kind for each in listener.notices] == [FactKind.EXPECTED] * 2
    assert [each.values["generations"] for each in listener.notices] == [6, 4]
    assert [each.values["search"] for each in listener.notices] == [5, 5]
    keep(plan, store, everything)
    Forecast(plan, store, IdleExecutor(), listener).begin()
    assert len(listener.notices) == 2


def test_the_first_generation_that_was_timed_shows_once_what_the_others_take(plan: Plan, store: Store) -> None:
    listener = Noting()
    records = [record("reference", source="space"), record("baseline"), record("other"), record("rerun")]
    passed, counts = [], []
    keep(plan, store, ["baseline"])
    for each in Forecast(plan, store, IdleExecutor(), listener).follow(records):
        passed.append(each.name)
        counts.append(len(listener.notices))
    assert passed == ["reference", "baseline", "other", "rerun"]
    assert counts == [0, 0, 1, 1]
    (notice,) = listener.notices
    assert (notice.values["generations"], notice.values["step"]) == (5, 2.0)
    assert (notice.values["seconds"], notice.values["search_seconds"]) == (5 * 8.0, 5 * 8.0)


def test_kept_ends_of_a_resumed_audit_are_not_multiplied(plan: Plan, store: Store) -> None:
    listener = Noting()
    keep(plan, store, ["baseline"])
    (store.folder / DENOISED).mkdir()
    for name in "abc":
        (store.folder / DENOISED / name).write_bytes(bytes(1000))
    key = next(key_of(run, IdleExecutor().environment) for run in plan.runs if run.name == "baseline")
    list(Forecast(plan, store, IdleExecutor(), listener).follow([record("baseline", key=key)]))
    (notice,) = listener.notices
    of_runs = 10 * used_bytes(store.folder_of(key))  # five of the plan, five of the search
    assert notice.values["disk"] == of_runs + MOST_ENDS * 1000


def test_an_audit_that_the_disk_cannot_hold_ends_after_its_notices(
    plan: Plan, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessment, "_by_checkpoint", lambda _: [[plan.runs[0]]])
    large = assessment._Assessed(latents=2**40, clip=(9, 64, 96), kept={plan.runs[0].name: 2**60})
    monkeypatch.setattr(assessment, "_assess_checkpoint", lambda *_: large)
    listener = Noting()
    with pytest.raises(MachineTooSmall, match="the disk cannot hold this audit"):
        Forecast(plan, store, IdleExecutor(), listener).begin()
    assert [each.kind for each in listener.notices] == [FactKind.DISK_SHORT]
    Forecast(tried_anyway(plan), store, IdleExecutor(), listener).begin()
    assert [each.kind for each in listener.notices[1:]] == [FactKind.DISK_SHORT, FactKind.EXPECTED]
    assert Assessment().disk == OnDisk()


def test_what_was_expected_is_kept_beside_what_it_took(plan: Plan, store: Store) -> None:
    listener = Noting()
    forecast = Forecast(plan, store, IdleExecutor(), listener)
    forecast.begin()
    made = list(forecast.follow([record("reference", source="space"), record("baseline"), record("other", key="o")]))
    cost = CostRecord(probes=3, steps=10, steps_each=4, generations=2.5)
    found = forecast.record(made, cost, seconds=20.0, search_seconds=9.0)
    assert found is not None
    assert found.expected == listener.notices
    assert len(found.expected) == 2
    taken = found.taken
    said = forecast_texts(found)
    assert said[0].startswith("after the first generation, expected: ")
    assert said[1] == taken_text(taken)
    assert (taken.generations, taken.search, taken.seconds, taken.search_seconds) == (2, 2.5, 20.0, 9.0)
    assert (taken.device, taken.memory) == ("", 2**30)
    assert taken_text(taken) == (
        "taken: 2 generations and 2.5 more in search of the cause; 29.0 s, 9.0 s of it for the search; "
        "1.00 GiB of this machine's memory; less than 1 MiB of the disk."
    )


def test_the_control_with_deterministic_algorithms_is_expected_until_it_is_known_not_to_be_needed(
    plan: Plan, store: Store
) -> None:
    asked, listener = replace(plan, deterministic_control=True), Noting()

    def expected() -> list[tuple[object, object]]:
        listener.notices = []
        Forecast(asked, store, IdleExecutor(), listener).begin()
        return [(each.values["generations"], each.values["control"]) for each in listener.notices]

    assert expected() == [(6, 2)]
    keep(asked, store, ["baseline", "other", "seed-2", "seed-3", "seed-4"])
    assert expected() == [(1, 2)]
    keep(asked, store, ["rerun"])
    assert expected() == [], "its re-run is equal"


def test_what_the_control_took_is_kept_too(plan: Plan, store: Store) -> None:
    forecast = Forecast(plan, store, IdleExecutor(), Noting())
    forecast.begin()
    made = [record("baseline"), record("rerun-deterministic-1", role=Role.DETERMINISTIC)]
    found = forecast.record(made, None, seconds=20.0, search_seconds=0.0)
    assert found is not None
    assert (found.taken.generations, found.taken.control) == (1, 1)
    assert taken_text(found.taken).startswith(
        "taken: 1 generation and 1 more for the control with deterministic algorithms; 20.0 s;"
    )


def test_where_nothing_was_to_be_generated_nothing_is_kept(plan: Plan, store: Store) -> None:
    keep(plan, store, [run.name for run in plan.runs])
    forecast = Forecast(plan, store, IdleExecutor(), Noting())
    forecast.begin()
    assert forecast.record([record("baseline")], None, seconds=1.0, search_seconds=0.0) is None
