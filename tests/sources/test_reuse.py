"""Reused results give the same bytes as computed ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer, observing, observing_decoding
from spacediff.settings import Origin, Settings
from spacediff.sources.local.reuse import NotResumedError, Reuse, resume
from spacediff.stages import Stage, acts_from, up_to
from support.other_pipelines import FAMILIES, drawn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


def noting(notes: list[str], name: str) -> Callable[[Call], Any]:
    def watch(call: Call) -> Any:
        notes.append(name)
        return call.proceed()

    return watch


class Seeing(Observer):
    """An observer whose observation is changed after the call of the pipeline."""

    def __init__(self, observer: Observer, change: Callable[[Observation], Observation]) -> None:
        self._observer, self._change = observer, change

    @property
    def seen(self) -> Observation:
        return self._change(self._observer.seen)


def declared(**tables: Any) -> Settings:
    return Settings.of(tables, Origin.DECLARED)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_that_skips_the_denoising_gives_the_same_pictures_in_other_pipelines_too(family: str) -> None:
    reuse, settings = Reuse(), declared(call={"num_inference_steps": 3})
    calls: list[str] = []

    def first(pipeline: Any, generator: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline))
        stack.enter_context(reuse.keeping(pipeline, "p", settings, observer, generator))

    def second(pipeline: Any, generator: torch.Generator) -> None:
        end = reuse.denoised("p", settings)
        assert end
        denoiser = pipeline.transformer if hasattr(pipeline, "transformer") else pipeline.unet
        add_hook(denoiser, "forward", noting(calls, "denoised"))
        resume(pipeline, end, generator)
        again.append(stack.enter_context(observing_decoding(pipeline, end.seen)))

    again: list[Any] = []
    with ExitStack() as stack:
        whole = drawn(family, prepare=first)
    with ExitStack() as stack:
        taken = drawn(family, prepare=second)
    assert taken.tobytes() == whole.tobytes() == drawn(family).tobytes()
    assert len(again[0].seen.steps) == 3
    assert again[0].seen.decoded
    assert not calls, "the denoiser has nothing to do"


def test_a_generator_has_the_state_of_the_complete_run() -> None:
    reuse, settings = Reuse(), declared()
    states = []

    def first(pipeline: Any, generator: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline))
        stack.enter_context(reuse.keeping(pipeline, "p", settings, observer, generator))
        states.append(generator)

    def second(pipeline: Any, generator: torch.Generator) -> None:
        end = reuse.denoised("p", settings)
        assert end
        resume(pipeline, end, generator)
        states.append(generator)

    for prepare in (first, second):
        with ExitStack() as stack:
            drawn("stable-diffusion", prepare=prepare)  # its scheduler draws at every step
    assert torch.equal(states[0].get_state(), states[1].get_state())


def test_latents_that_a_pipeline_changes_after_the_last_step_are_computed_again() -> None:
    """LTXConditionPipeline mixes its conditions into what the scheduler returns."""
    reuse = Reuse()

    def mixing(call: Call) -> Any:
        given = call.arguments()["sample"]
        (latents,) = call.proceed()
        return (latents + 0.1 * given,)

    def first(pipeline: Any, generator: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline))
        stack.enter_context(reuse.keeping(pipeline, "p", declared(), observer, generator))
        add_hook(pipeline.scheduler, "step", mixing)

    def second(pipeline: Any, generator: torch.Generator) -> None:
        end = reuse.denoised("p", declared())
        assert end
        resume(pipeline, end, generator)
        add_hook(pipeline.scheduler, "step", mixing)

    with ExitStack() as stack:
        drawn("wan", prepare=first)
    with pytest.raises(NotResumedError, match="other latents are to be decoded"):
        drawn("wan", prepare=second)


@pytest.mark.parametrize(
    ("changed", "shared"),
    [
        ({"output": {"fps": 9}}, True),
        ({"output": {"rounding": "truncate"}}, True),
        ({"vae": {"tiling": True}}, True),
        ({"call": {"guidance_scale": 7.0}}, False),
        ({"rng": {"device": "global"}}, False),
        ({"scheduler": {"class": "X"}}, False),
        ({"placement": "cpu"}, False),
        ({"numerics": {"tf32": True}}, False),
        ({"load": {"anything": 1}}, False),
        ({"something": {"new": 1}}, False),
    ],
)
def test_runs_share_results_up_to_the_stage_of_a_changed_setting(changed: dict[str, Any], shared: bool) -> None:  # noqa: FBT001
    settings = declared(model={"id": "x"}, call={"num_frames": 5})
    other = settings.changed_by(declared(**changed))
    assert (up_to(settings, Stage.DENOISING).digest() == up_to(other, Stage.DENOISING).digest()) is shared


def test_an_unknown_setting_acts_from_the_first_stage() -> None:
    assert acts_from("something.new") is Stage.TEXT
    assert acts_from("vae.tiling") is Stage.DECODING
    assert acts_from("output.fps") is Stage.OUTPUT


def test_a_changed_vae_setting_prevents_reuse_after_the_vae_encoded_an_input() -> None:
    reuse = Reuse()

    def keep(pipeline: Any, generator: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline))
        image_to_video = Seeing(observer, lambda seen: replace(seen, encoded=True))
        stack.enter_context(reuse.keeping(pipeline, "p", declared(), image_to_video, generator))

    with ExitStack() as stack:
        drawn("wan", prepare=keep)
    assert reuse.denoised("p", declared())
    assert reuse.denoised("p", declared(output={"fps": 3}))
    assert reuse.denoised("p", declared(vae={"tiling": True})) is None
    assert reuse.denoised("q", declared()) is None


def test_a_loop_that_steps_twice_at_a_timestep_is_reused() -> None:
    """As PNDM does, the scheduler that Stable Diffusion 1.5 comes with."""
    reuse = Reuse()

    def keep(pipeline: Any, generator: torch.Generator) -> None:
        twice = Seeing(stack.enter_context(observing(pipeline)), lambda seen: replace(seen, steps=second_twice(seen)))
        stack.enter_context(reuse.keeping(pipeline, "p", declared(), twice, generator))

    with ExitStack() as stack:
        drawn("wan", prepare=keep)
    assert reuse.denoised("p", declared())


def second_twice(seen: Observation) -> tuple[Any, ...]:
    first, second, *rest = seen.steps
    return (first, second, second, *rest)


@pytest.mark.parametrize(
    "piecewise",
    [
        pytest.param(lambda seen: replace(seen, loops=seen.loops + 1), id="prepared twice"),
        pytest.param(lambda seen: replace(seen, interleaved=True), id="decoded between"),
        pytest.param(lambda seen: replace(seen, steps=(*seen.steps, seen.steps[0])), id="timesteps start again"),
    ],
)
def test_a_clip_that_is_generated_in_pieces_is_not_reused(piecewise: Callable[[Observation], Observation]) -> None:
    """Such pipelines have a denoising result for each piece, so one kept result would be wrong for the others."""
    kept = {}
    for name, change in (("whole", lambda seen: seen), ("pieces", piecewise)):
        reuse = Reuse()

        def keep(pipeline: Any, generator: torch.Generator) -> None:
            observer = Seeing(stack.enter_context(observing(pipeline)), change)  # noqa: B023 - called in this turn
            stack.enter_context(reuse.keeping(pipeline, "p", declared(), observer, generator))  # noqa: B023 - the same

        with ExitStack() as stack:
            drawn("wan", prepare=keep)
        kept[name] = reuse.denoised("p", declared())
    assert kept["whole"]
    assert kept["pieces"] is None


def test_an_end_that_cannot_be_kept_costs_nothing_but_its_reuse(tmp_path: Path) -> None:
    (tmp_path / "denoised").write_text("a file in place of the folder")
    reuse = Reuse(tmp_path / "denoised")

    def keep(pipeline: Any, generator: torch.Generator) -> None:
        observer = stack.enter_context(observing(pipeline))
        stack.enter_context(reuse.keeping(pipeline, "p", declared(), observer, generator))

    with ExitStack() as stack:
        made = drawn("wan", prepare=keep)
    assert made.tobytes() == drawn("wan").tobytes()
    assert reuse.denoised("p", declared()) is None


def test_embeddings_that_are_taken_over_in_two_calls_are_named_once() -> None:
    class Twice:
        """Encodes the negative prompt in a call of its own, as HunyuanVideo 1.5 does."""

        _execution_device = torch.device("cpu")

        def encode_prompt(self, prompt: str) -> torch.Tensor:
            return torch.full((1, 2), float(len(prompt)))

    taken = []
    reuse = Reuse()
    for _ in range(2):
        pipeline = Twice()
        embedding = reuse.share_embeddings(pipeline, "p", declared())
        assert [float(pipeline.encode_prompt(text).mean()) for text in ("cat", "")] == [3, 0]
        taken.append(embedding.taken)
    assert taken == [[], ["text embeddings"]]


def test_a_copy_of_a_hooked_scheduler_has_no_hook() -> None:
    """Some pipelines copy their scheduler; the copy has its own state and no hook."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler()
    seen: list[str] = []
    for name in ("inner", "outer"):
        add_hook(scheduler, "step", noting(seen, name))
    copied = copy.deepcopy(scheduler)
    for each in (scheduler, copied):
        each.set_timesteps(3)
        each.step(torch.zeros(2), each.timesteps[0], torch.ones(2))
    assert seen == ["outer", "inner"]
    assert (scheduler.step_index, copied.step_index) == (1, 1)
