"""Arguments of guidance without an effect are named, and only those."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.observer.observation import Step
from spacediff.sources.local.inert_guidance import inert_guidance


def step(guidance: float | None, embedded: float | None, predictions: int | None) -> Step:
    return Step(1.0, guidance, "d", 0.0, 1.0, 1.0, 0, "", None, embedded, predictions)


GUIDED, DISTILLED, ONCE, UNSEEN = step(4.0, None, 2), step(None, 3.5, 1), step(None, None, 1), step(4.0, None, None)
USUAL, QWEN = {"guidance_scale", "negative_prompt"}, {"guidance_scale", "true_cfg_scale", "negative_prompt"}


@pytest.mark.parametrize(
    ("seen", "takes", "declared", "inert"),
    [
        (GUIDED, USUAL, {"guidance_scale": 4.0, "negative_prompt": "blurry"}, []),
        (ONCE, USUAL, {"guidance_scale": 4.0, "negative_prompt": "blurry"}, ["guidance_scale", "negative_prompt"]),
        (ONCE, USUAL, {"guidance_scale": 1.0, "negative_prompt": ""}, []),
        (UNSEEN, USUAL, {"guidance_scale": 4.0}, []),
        (DISTILLED, QWEN, {"guidance_scale": 3.5}, []),
        (DISTILLED, QWEN, {"guidance_scale": 3.5, "true_cfg_scale": 4.0}, ["true_cfg_scale"]),
        (GUIDED, QWEN, {"guidance_scale": 3.0, "true_cfg_scale": 4.0, "negative_prompt": " "}, ["guidance_scale"]),
        (GUIDED, {*USUAL, "guidance_scale_2"}, {"guidance_scale": 4.0, "guidance_scale_2": 3.0}, ["guidance_scale_2"]),
    ],
)
def test_arguments_without_effect(seen: Step, takes: set[str], declared: dict[str, Any], inert: list[str]) -> None:
    found = inert_guidance([seen, seen], declared, takes, "Pipeline", {})
    assert [each.argument for each in found] == [f"call.{name}" for name in inert]
    assert all(each.given_to == "Pipeline.__call__" and each.advice for each in found)


def test_a_guider_that_is_switched_off_does_not_guide() -> None:
    (found,) = inert_guidance([ONCE], {}, [], "ModularPipeline", {"guidance_scale": 3.0})
    assert (found.argument, found.value) == ("guider.guidance_scale", 3.0)
    assert inert_guidance([GUIDED], {}, [], "ModularPipeline", {"guidance_scale": 3.0}) == []
