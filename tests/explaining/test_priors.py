"""What is assumed of suspects before anything is generated, and what must not be."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.explaining.priors import at_hand, in_order, without_effect
from spacediff.plan import Explanation
from spacediff.record import FactKind, Ignored, Role, RunRecord, SettingRecord, fact
from spacediff.run import Prompt, Run
from spacediff.settings import Difference, Origin, Setting, Settings, diff

PROMPT = Prompt("p", "", 1)
TOLD = Ignored(argument="load.use_dynamic_cfg", value=True, given_to="CogVideoXPipeline.from_pretrained")


def record(ignored: tuple[Ignored, ...] = (), origin: Origin = Origin.DEFAULT, **resolved: Any) -> RunRecord:
    return resolved_to({path.replace("__", "."): value for path, value in resolved.items()}, ignored, origin)


def resolved_to(
    values: dict[str, Any], ignored: tuple[Ignored, ...] = (), origin: Origin = Origin.DEFAULT
) -> RunRecord:
    settings = {path: SettingRecord(value=value, origin=origin) for path, value in values.items()}
    return RunRecord(key="", name="run", role=Role.VARIANT, prompt="p", source="diffusers", measured=True,
                     settings=settings, ignored=list(ignored))  # fmt: skip


def said(path: str, value: Any) -> Difference:
    """A setting that only the target says."""
    return Difference(path, None, Setting(value, Origin.DECLARED))


def test_a_default_that_is_only_said_aloud_is_innocent() -> None:
    found = without_effect([said("call.eta", 0.0)], record(call__eta=0.0), record(call__eta=0.0))
    assert found == {"call.eta": fact(FactKind.SAME_DEFAULT, value=0.0, where="")}


def test_so_is_one_that_the_other_end_says() -> None:
    suspect = Difference("output.fps", Setting(10, Origin.DECLARED), None)
    assert "output.fps" in without_effect([suspect], record(output__fps=10), record(output__fps=10))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (record(call__eta=1.0), record(call__eta=0.0)),  # another value
        (record(), record(call__eta=0.0)),  # the default is not known
        (record(call__eta=0.0, origin=Origin.OBSERVED), record(call__eta=0.0)),  # seen in that run alone
        (record(call__eta=0.0, origin=Origin.UNKNOWN), record(call__eta=0.0)),
        (record(call__eta=False), record(call__eta=0.0)),
    ],
)
def test_what_is_not_the_same_default_is_left_to_the_search(left: RunRecord, right: RunRecord) -> None:
    assert without_effect([said("call.eta", 0.0)], left, right) == {}


@pytest.mark.parametrize(
    ("path", "mover"),
    [
        ("scheduler.timestep_spacing", "scheduler.class"),
        ("scheduler.timestep_spacing", "model.id"),
        ("call.eta", "model.id"),
        ("vae.tiling", "load.vae"),
        ("load.use_dynamic_cfg", "model.id"),
    ],
)
def test_a_default_that_another_suspect_may_move_is_left_to_the_search(path: str, mover: str) -> None:
    left = resolved_to({path: True})
    right = resolved_to({path: True}, (TOLD,))
    suspect, other = said(path, value=True), said(mover, "another")
    assert without_effect([suspect, other], left, right) == {}
    assert set(without_effect([suspect, said("rng.device", "cuda")], left, right)) == {path}, "this moves nothing"


@pytest.mark.parametrize("path", ["model.dtype", "numerics.tf32", "lora.scale"])
def test_a_default_that_stands_for_several_switches_is_left_to_the_search(path: str) -> None:
    there = resolved_to({path: True})
    assert without_effect([said(path, value=True)], there, there) == {}


def test_what_the_loading_ignores_is_innocent_and_moves_nothing() -> None:
    suspects = [said("load.use_dynamic_cfg", value=True), said("call.eta", 0.0)]
    found = without_effect(suspects, record(call__eta=0.0), record((TOLD,), call__eta=0.0))
    assert found["load.use_dynamic_cfg"] == fact(
        FactKind.ARGUMENT_IGNORED, given_to="CogVideoXPipeline.from_pretrained"
    )
    assert "call.eta" in found
    assert without_effect(suspects, record(call__eta=0.0), record(call__eta=0.0)) == {}, "no record says so"


def test_what_a_scheduler_ignores_may_be_read_elsewhere() -> None:
    ignored = Ignored(argument="scheduler.skip", value=True, given_to="DDIMScheduler.from_config")
    assert without_effect([said("scheduler.skip", value=True)], record(), record((ignored,))) == {}


def test_the_likeliest_come_first_and_equal_ones_last() -> None:
    paths = ["output.fps", "call.eta", "placement", "rng.seed", "call.guidance_scale"]
    left, right = record(call__eta=0.0), record(call__eta=0.0)
    found = [each.path for each in in_order([said(path, value=True) for path in paths], left, right)]
    assert found == ["rng.seed", "call.guidance_scale", "output.fps", "placement", "call.eta"]


def test_runs_that_the_audit_generates_anyway_are_probes() -> None:
    left = Settings.of({"call": {"a": 1}}, Origin.DECLARED)
    right = left.changed_by(Settings.of({"call": {"a": 2, "b": 2, "c": 2}}, Origin.DECLARED))
    runs = [
        Run(
            name, role, Prompt("p", "", 1), "diffusers", left.changed_by(Settings.of({"call": change}, Origin.DECLARED))
        )
        for name, role, change in (
            ("one", Role.VARIANT, {"b": 2}),
            ("two", Role.VARIANT, {"a": 2, "c": 2}),
            ("other-value", Role.VARIANT, {"a": 3}),
            ("other-setting", Role.VARIANT, {"a": 2, "d": 2}),
            ("no-variant", Role.SEED, {"a": 2, "b": 2}),
        )
    ]
    assert len(diff(left, right)) == 3
    what = Explanation("baseline", "as-hosted", left, right, 40)
    found = at_hand(runs, what)
    assert found == {frozenset({"call.b"}): "one", frozenset({"call.a", "call.c"}): "two"}
