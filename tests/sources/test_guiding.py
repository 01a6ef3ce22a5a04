"""The guider of a pipeline: changed as a script changes it, and refused where there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources.local.configure import call_arguments
from spacediff.sources.local.guiding import guider_defaults, set_guider
from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()


class Guided:
    """A pipeline whose checkpoint has a guider."""

    def __init__(self) -> None:
        from diffusers import ClassifierFreeGuidance

        self.guider: Any = ClassifierFreeGuidance(guidance_scale=6.0, guidance_rescale=0.25)

    def __call__(self, prompt: str) -> None: ...


def declared(**guider: Any) -> Settings:
    return Settings.of({"guider": guider}, Origin.DECLARED)


def test_options_alone_change_the_guider_of_the_checkpoint() -> None:
    pipeline = Guided()
    own = pipeline.guider
    set_guider(pipeline, declared(guidance_scale=8.0))
    assert (pipeline.guider.guidance_scale, pipeline.guider.guidance_rescale) == (8.0, 0.25)
    assert own.guidance_scale == 6.0, "the loaded guider is shared between runs"
    assert guider_defaults(pipeline)["guidance_rescale"] == 0.25


def test_a_class_makes_a_new_guider() -> None:
    pipeline = Guided()
    set_guider(pipeline, declared(**{"class": "AdaptiveProjectedGuidance", "guidance_scale": 8.0}))
    assert (type(pipeline.guider).__name__, pipeline.guider.guidance_scale) == ("AdaptiveProjectedGuidance", 8.0)
    assert guider_defaults(pipeline)["class"] == "AdaptiveProjectedGuidance"


def test_a_modular_pipeline_gets_the_guider_as_a_component() -> None:
    given: dict[str, Any] = {}
    pipeline = SimpleNamespace(guider=Guided().guider, update_components=given.update)
    set_guider(pipeline, declared(guidance_scale=2.0))
    assert given["guider"].guidance_scale == 2.0


@pytest.mark.parametrize(
    ("guider", "message"),
    [
        (
            {"class": "ClassifierFreeGuidence"},
            "has no guider 'ClassifierFreeGuidence'; did you mean 'ClassifierFreeGuidance'?",
        ),
        (
            {"guidance_scal": 3.0},
            "ClassifierFreeGuidance has no option 'guidance_scal'; did you mean 'guidance_scale'?",
        ),
        ({"start": 2.0}, "ClassifierFreeGuidance refuses its options: "),
    ],
)
def test_a_guider_that_cannot_be_is_refused(guider: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        set_guider(Guided(), declared(**guider))
    assert message in caught.value.message


def test_a_pipeline_without_a_guider_refuses_one() -> None:
    pipeline = SimpleNamespace()
    set_guider(pipeline, Settings())
    with pytest.raises(UnsupportedSetting, match="has no guider"):
        set_guider(pipeline, declared(guidance_scale=3.0))


def test_an_argument_that_the_guider_takes_is_named_as_such() -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        call_arguments(Guided(), Settings.of({"call": {"guidance_scale": 3.0}}, Origin.DECLARED))
    assert caught.value.hint == "its guider takes it: set guider.guidance_scale"
