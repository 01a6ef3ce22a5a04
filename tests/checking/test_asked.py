"""Endpoint, inputs and knobs, as a Space's description lets guess them."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.checking.asked import knobs_of, request_to
from spacediff.checking.result import Question
from spacediff.errors import SpaceApiMismatch
from spacediff.sources.space.messages import Declared

VIDEO, IMAGE, GALLERY, TEXT = ("Clip", "video"), ("Image", "image"), ("All", "gallery"), ("Log", "textbox")


def field(component: str, label: str = "", **said: Any) -> dict[str, Any]:
    default = {"parameter_has_default": True, "parameter_default": said.pop("default")} if "default" in said else {}
    return {"component": component, "label": label, **default, **said}


PROMPT, SEED = field("Textbox", "Prompt"), field("Number", "Seed", default=0)

STEPS = field("Slider", default=8)


def api(*outputs: tuple[str, str], **inputs: dict[str, Any]) -> Declared:
    return Declared(inputs=inputs, outputs=outputs, schema_digest="")


def test_the_only_endpoint_that_takes_a_prompt_and_gives_a_clip_is_asked() -> None:
    negative = field("Textbox", "Negative prompt")
    switch = field("Checkbox", "Randomize seed", default=True)
    endpoints = {
        "/examples": api(TEXT, prompt=PROMPT),
        "/upscale": api(VIDEO, clip=field("Video")),
        "/run": api(TEXT, VIDEO, negative=negative, prompt=PROMPT, seed=SEED, randomize=switch, steps=STEPS),
    }
    request = request_to("org/space", endpoints, None, "")
    assert (request.endpoint, request.outputs) == ("/run", {"video": 1})
    assert request.inputs == {"prompt": "{prompt}", "seed": "{seed}", "randomize": False, "negative": ""}


def test_one_with_a_seed_is_preferred_and_several_are_not_guessed_between() -> None:
    seeded, plain = api(IMAGE, prompt=PROMPT, seed=SEED), api(IMAGE, prompt=PROMPT)
    assert request_to("s", {"/a": plain, "/b": seeded}, None, "").endpoint == "/b"
    with pytest.raises(SpaceApiMismatch, match="several endpoints: /a, /b"):
        request_to("s", {"/a": seeded, "/b": seeded}, None, "")
    assert request_to("s", {"/a": seeded, "/b": seeded}, None, "/b").endpoint == "/b"
    with pytest.raises(SpaceApiMismatch, match="no endpoint that takes a prompt"):
        request_to("s", {"/c": api(TEXT, prompt=PROMPT)}, None, "")


def test_a_misspelt_endpoint_gets_the_nearest_name() -> None:
    with pytest.raises(SpaceApiMismatch, match=r"no endpoint /genrate \(did you mean '/generate'\?\)"):
        request_to("s", {"/generate": api(VIDEO, prompt=PROMPT)}, None, "/genrate")


def test_an_input_that_nobody_can_guess_is_not_guessed() -> None:
    endpoints = {"/run": api(VIDEO, prompt=PROMPT, image=field("Image", "First frame"), width=field("Number"))}
    with pytest.raises(SpaceApiMismatch, match="needs width, which has no default"):
        request_to("s", endpoints, None, "")


def test_an_input_for_a_file_is_left_empty() -> None:
    endpoints = {"/run": api(VIDEO, prompt=PROMPT, image=field("Image", "First frame"))}
    assert request_to("s", endpoints, None, "").inputs == {"prompt": "{prompt}"}


def test_a_video_is_taken_before_pictures() -> None:
    endpoints = {"/run": api(GALLERY, IMAGE, VIDEO, prompt=PROMPT)}
    assert request_to("s", endpoints, None, "").outputs == {"video": 2}


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"guidance_scale": field("Slider", default=6)}, [(Question.GUIDANCE, "guidance_scale", 6, 5)]),
        ({"cfg": field("Slider", "CFG", default=1.0)}, [(Question.GUIDANCE, "cfg", 1.0, 2.0)]),
        ({"n": field("Slider", "Inference steps", default=50)}, [(Question.STEPS, "n", 50, 25)]),
        ({"steps": field("Slider", default=1)}, [(Question.STEPS, "steps", 1, 2)]),
        (
            {"steps": field("Slider", default=28, type={"description": "numeric value between 20 and 28"})},
            [(Question.STEPS, "steps", 28, 27)],
        ),
        ({"steps": field("Slider", default=4, type={"description": "numeric value between 4 and 4"})}, []),
        ({"steps": field("Slider", default="many")}, []),
        ({"steps": field("Checkbox", default=True)}, []),
        ({"timestep_shift": field("Slider", default=3)}, []),
    ],
)
def test_the_value_of_a_knob_is_another_one_in_its_range(
    declared: dict[str, Any], found: list[tuple[Question, str, float, float]]
) -> None:
    endpoint = api(VIDEO, prompt=PROMPT, **declared)
    knobs = knobs_of(request_to("s", {"/run": endpoint}, None, ""), endpoint, None)
    assert [(each.question, each.name, each.before, each.value) for each in knobs] == found
    assert [type(each.value) for each in knobs] == [type(each.before) for each in knobs]
