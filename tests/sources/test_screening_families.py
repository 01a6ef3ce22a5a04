"""Runs that end early in other pipelines, and in those that keep an exception to themselves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import torch

from spacediff.observer.following import KeptRun, RunEndedError, Seeds
from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer, observing
from spacediff.record import TraceRecord
from spacediff.run import Stop
from spacediff.settings import Settings
from spacediff.sources.local.screening import Compared, Screen, kept_run
from spacediff.sources.local.tracing import trace_record
from support.other_pipelines import FAMILIES, drawn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


def watched(family: str, seed: int, prepare: Callable[[Any, Observer], None], keep: Any = None) -> Observation:
    def observe(pipeline: Any, _: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline, keep=keep))
        prepare(pipeline, observer)
        observers.append(observer)

    observers: list[Observer] = []
    with ExitStack() as stack:
        drawn(family, seed, observe)
    return observers[0].seen


def whole(family: str, seed: int = 5) -> KeptRun:
    seen = watched(family, seed, lambda *_: None)
    return kept_run(trace_record(seen), lambda step: seen.latents[step])


def screen_of(family: str, **stop: Any) -> Screen:
    target, other = whole(family), whole(family, 6)
    return Screen(Compared(Stop("t", **stop), target, Settings(), Seeds([target, other])), Settings())


@pytest.mark.parametrize("family", FAMILIES)
def test_another_seed_ends_at_the_first_step_as_far_as_the_seeds_are(family: str) -> None:
    screen = screen_of(family)
    with pytest.raises(RunEndedError):
        watched(family, 6, screen.attach, screen.see)
    assert screen.divergence.first == 1
    assert [*screen.divergence.distances] == pytest.approx([1.0])


@pytest.mark.parametrize("family", FAMILIES)
def test_an_equal_run_ends_before_anything_is_decoded(family: str) -> None:
    decoded: list[Call] = []

    def prepare(pipeline: Any, observer: Observer) -> None:
        add_hook(pipeline.vae, "decode", decoded.append)
        screen.attach(pipeline, observer)

    screen = screen_of(family)
    with pytest.raises(RunEndedError):
        watched(family, 5, prepare, screen.see)
    assert screen.divergence.distances == (0.0, 0.0, 0.0)
    assert not decoded


def test_a_pipeline_that_keeps_the_exception_to_itself_has_ended_all_the_same() -> None:
    def prepare(pipeline: Any, observer: Observer) -> None:
        screen.attach(pipeline, observer)
        add_hook(pipeline.scheduler, "step", stubborn)
        add_hook(pipeline.vae, "decode", lambda call: (call.arguments()["z"],))

    def stubborn(call: Call) -> Any:
        try:
            return call.proceed()
        except BaseException:  # noqa: BLE001 - a pipeline may do so
            return (call.arguments()["sample"],)

    screen = screen_of("wan")
    watched("wan", 6, prepare, screen.see)
    assert screen.ended
    assert len(screen.divergence.distances) == 1, "later steps say nothing more"


def test_a_pipeline_without_a_step_to_watch_goes_to_its_end() -> None:
    screen = Screen(Compared(Stop("t"), kept_run(TraceRecord(), lambda _: None), Settings(), Seeds([])), Settings())
    watched("wan", 6, screen.attach)  # no step arrives
    assert not screen.ended


def test_distances_are_in_the_scaling_of_the_target() -> None:
    usual = whole("stable-diffusion")  # variance exploding
    preserving = replace(usual, scaling="variance preserving", signals=(0.5,) * len(usual.signals))
    other = whole("stable-diffusion", 6)
    seeds = Seeds([usual, other])
    apart = float((usual.latents(1).double() - other.latents(1).double()).norm())  # type: ignore[union-attr]
    assert usual.scaling == "variance exploding"
    assert seeds.distance(1, usual) == pytest.approx(apart)
    assert seeds.distance(1, preserving) == pytest.approx(apart / 2)
    flow = replace(preserving, scaling="flow matching")
    assert seeds.distance(1, flow) is None, "no factor converts these"
