"""The guidance in force is measured: which scale combined the predictions, and which the model was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from spacediff.observer.guidance import Guidance, Prediction, guidance_in_force, prediction_of

SHAPE = (1, 6, 8)
_DRAW = torch.Generator().manual_seed(1)
CONDITIONAL, OTHER = (torch.randn(SHAPE, generator=_DRAW) for _ in range(2))


def in_force(
    *outputs: torch.Tensor,
    combined: torch.Tensor,
    pipeline: Any = None,
    embedded: float | None = None,
    **arguments: Any,
) -> Guidance:
    predictions = [Prediction(output, len(output), embedded) for output in outputs]
    return guidance_in_force(predictions, combined, pipeline or SimpleNamespace(), arguments)


def guided(scale: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    conditional, other = CONDITIONAL.to(dtype), OTHER.to(dtype)
    return other + scale * (conditional - other)


def test_the_scale_is_measured_whatever_was_asked_for() -> None:
    found = in_force(CONDITIONAL, OTHER, combined=guided(3.25), guidance_scale=6.0)
    assert found == Guidance(scale=3.25, predictions=2)
    in_one_call = in_force(torch.cat([OTHER, CONDITIONAL]), combined=guided(3.25), guidance_scale=6.0)
    assert in_one_call == found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_scale_that_was_asked_for_is_named_exactly(dtype: torch.dtype) -> None:
    found = in_force(CONDITIONAL.to(dtype), OTHER.to(dtype), combined=guided(7.3, dtype), guidance_scale=7.3)
    assert found.scale == 7.3


def test_the_second_scale_of_two_is_distinguished_from_the_first() -> None:
    scales = {"guidance_scale": 4.0, "guidance_scale_2": 3.0}
    assert [in_force(CONDITIONAL, OTHER, combined=guided(w), **scales).scale for w in (4.0, 3.0)] == [4.0, 3.0]


def test_a_rescaled_combination_is_measured_by_its_direction() -> None:
    combined = guided(4.0)
    by_token = combined * CONDITIONAL.norm(dim=-1, keepdim=True) / combined.norm(dim=-1, keepdim=True)
    assert in_force(CONDITIONAL, OTHER, combined=by_token, true_cfg_scale=4.0).scale == 4.0
    assert in_force(CONDITIONAL, OTHER, combined=combined * 0.7, guidance_scale=4.0).scale == 4.0
    added = CONDITIONAL + 3.0 * (CONDITIONAL - OTHER)
    assert in_force(CONDITIONAL, OTHER, combined=-added, guidance_scale=3.0).scale == 3.0, "as Z-Image applies it"


def test_one_prediction_is_no_guidance_whatever_the_pipeline_holds() -> None:
    pipeline = SimpleNamespace(guidance_scale=3.0)
    assert in_force(CONDITIONAL, combined=CONDITIONAL, pipeline=pipeline) == Guidance(predictions=1)
    assert in_force(CONDITIONAL, combined=CONDITIONAL, embedded=3.5) == Guidance(embedded=3.5, predictions=1)


def test_a_combination_that_no_scale_explains_is_taken_from_the_pipeline() -> None:
    pipeline = SimpleNamespace(guidance_scale=5.0)
    noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(2))
    assert in_force(CONDITIONAL, OTHER, combined=noise, pipeline=pipeline).scale == 5.0
    unguided = SimpleNamespace(guidance_scale=5.0, do_classifier_free_guidance=False)
    assert in_force(CONDITIONAL, OTHER, combined=noise, pipeline=unguided).scale is None


def test_each_frame_may_have_its_own_scale() -> None:
    pipeline = SimpleNamespace(guidance_scale=torch.tensor([1.0, 2.0, 3.0]))
    found = in_force(CONDITIONAL, OTHER, combined=guided(2.0), pipeline=pipeline)
    assert (found.scale, found.span) == (2.0, (1.0, 3.0))


@pytest.mark.parametrize(("given", "embeds", "seen"), [(3.5, True, 3.5), (3504.0, True, 3.5), (3.5, False, None)])
def test_a_distilled_model_is_given_its_scale(given: float, embeds: bool, seen: float | None) -> None:  # noqa: FBT001 - cases
    model = SimpleNamespace(config=SimpleNamespace(guidance_embeds=embeds))
    found = prediction_of(model, {"guidance": torch.tensor([given])}, (CONDITIONAL,), lambda: [3.5])
    assert found.embedded == seen


def test_samples_that_a_model_returns_in_a_list_are_counted() -> None:
    model = SimpleNamespace(config=None)
    for result in ([CONDITIONAL[0]], ([CONDITIONAL[0]],)):
        assert prediction_of(model, {}, result, list).samples == 1
    assert prediction_of(model, {}, ([CONDITIONAL[0], OTHER[0]],), list).samples == 2
