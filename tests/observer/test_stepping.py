"""Steps are seen where they are made: by copies of a scheduler, by inner pipelines; or said to be unobserved."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import observing
from spacediff.observer.structure import decoders_of, is_denoiser, pipelines_of, schedulers_of
from spacediff.observer.tensors import digest
from support.loops import Combined, Pipeline, Scheduler


def seen(pipeline: Any) -> Observation:
    with observing(pipeline) as observer:
        pipeline()
    return observer.seen


def test_a_scheduler_that_is_copied_for_each_frame_is_observed_as_whole_steps() -> None:
    found = seen(Pipeline("frames"))
    start = torch.arange(96.0).reshape(1, 2, 3, 4, 4)
    frames = [torch.stack([(start + 0.5 * n)[:, :, frame] for frame in range(3)]) for n in range(3)]
    assert [digest(each) for each in found.latents] == [digest(each) for each in frames]
    assert [step.timestep for step in found.steps] == [3.0, 1.0]
    assert found.copied
    assert not found.unobserved
    assert found.noise is not None
    assert not found.noise.drawn, "there is no prepare_latents; the noise is what the first step was given"


def test_a_copy_that_steps_audio_besides_the_scheduler_makes_no_steps() -> None:
    assert seen(Pipeline("audio")).steps == seen(Pipeline("plain")).steps
    assert not seen(Pipeline("audio")).copied


def test_steps_of_a_rebuilt_scheduler_are_said_to_be_unobserved() -> None:
    found = seen(Pipeline("rebuilt"))
    assert (found.steps, found.unobserved) == ((), ("noise", "steps"))
    assert found.decoded == seen(Pipeline("plain")).decoded


def test_a_copy_of_a_hooked_scheduler_is_hooked_on_request_only() -> None:
    counted: list[Any] = []

    def count(call: Call) -> Any:
        counted.append(call.owner)
        return call.proceed()

    for follow in (False, True):
        scheduler = Scheduler()
        add_hook(scheduler, "step", count, follow_copies=follow)
        copied = copy.deepcopy(scheduler)
        assert torch.equal(copied.step(torch.ones(1), 1.0, torch.zeros(1))[0], torch.ones(1))
        assert counted == [copied] * follow


def test_the_inner_pipelines_of_a_combined_one_are_observed() -> None:
    pipeline = Combined()
    assert pipelines_of(pipeline) == [pipeline, pipeline.prior_pipe, pipeline.decoder_pipe]
    assert [part for _, part in schedulers_of(pipeline)] == [pipeline.scheduler, pipeline.prior_pipe.scheduler]
    assert [name for name, _ in decoders_of(pipeline)] == ["movq", "vae"]
    assert len(seen(pipeline).steps) == 4


@pytest.mark.parametrize("cut", [[4], [1, 3], [1, 1, 2]])
@pytest.mark.parametrize("video", [False, True])
def test_the_decoded_pictures_are_compared_however_they_were_cut(cut: list[int], video: bool) -> None:  # noqa: FBT001 - cases
    pictures = torch.arange(4 * 3 * 2 * 2, dtype=torch.float32).reshape(4, 3, 2, 2)
    whole = pictures.transpose(0, 1)[None] if video else pictures

    def decoded(pieces: Any) -> Observation:
        pipeline = Pipeline("plain")
        with observing(pipeline) as observer:
            for piece in pieces:
                pipeline.vae.decode(piece)
        return observer.seen

    found = decoded(whole.split(cut, dim=2 if video else 0))
    assert found.decoded == decoded([pictures]).decoded
    changed = pictures.clone()
    changed[3, 2, 1, 1] = float("nan")
    broken = decoded(changed.split(cut))
    assert broken.decoded != found.decoded
    assert (broken.decoded_nonfinite, found.decoded_nonfinite) == (1, 0)
    assert decoded([pictures[:3]]).decoded != found.decoded


def test_encoded_input_pictures_have_digests_of_their_own() -> None:
    digests = []
    for level in (0.0, 1.0):
        pipeline = Pipeline("plain")
        with observing(pipeline) as observer:
            pipeline.vae.encode(torch.full((1, 3, 2, 2), level))
            pipeline()
        digests.append(observer.seen.inputs)
        assert observer.seen.encoded
    assert len(digests[0]) == 1
    assert digests[0] != digests[1]


@pytest.mark.parametrize("name", ["transformer", "transformer_2", "unet", "prior", "prior_prior", "decoder"])
def test_a_model_that_predicts_in_the_loop_is_known_by_its_name(name: str) -> None:
    assert is_denoiser(name)


@pytest.mark.parametrize("name", ["vae", "text_encoder", "prior_text_encoder", "controlnet", "text_decoder", "movq"])
def test_no_other_part_is_taken_for_a_denoiser(name: str) -> None:
    assert not is_denoiser(name)
