"""Arguments by the signatures of the installed diffusers: positions, dropped keywords, refused ones, parts."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.reading.signatures import accepts, components, dropped, positions, refusals

LOADED = "import torch\nfrom diffusers import {0}\npipe = {0}.from_pretrained('a/b')\n"


def read(pipeline: str, lines: str) -> Reading:
    return read_text(LOADED.format(pipeline) + lines, "run.py")


@pytest.mark.parametrize(
    ("pipeline", "call", "path", "value"),
    [
        ("CogVideoXPipeline", "pipe('a cat', 'dark', 480)", "call.height", 480),
        ("LTXImageToVideoPipeline", "pipe('a.png', 'a cat')", "call.prompt", "a cat"),
        ("FluxPipeline", "pipe('a cat', 'an old photo')", "call.prompt_2", "an old photo"),
        ("SanaPipeline", "pipe('a cat', 'dark', 9)", "call.num_inference_steps", 9),
        ("StableDiffusionXLImg2ImgPipeline", "pipe('a cat', None, 'a.png')", "call.image", "a.png"),
        ("AutoPipelineForText2Image", "pipe('cat')", "call.prompt", "cat"),
        ("KiteImageToVideoPipeline", "pipe('a.png')", "call.argument_1", "a.png"),
        ("KitePipeline", "pipe('a cat with a kite')", "call.prompt", "a cat with a kite"),
    ],
)
def test_positional_arguments_have_the_names_of_the_installed_class(
    pipeline: str, call: str, path: str, value: Any
) -> None:
    assert read(pipeline, call).settings.value(path) == value


@pytest.mark.parametrize(
    ("pipeline", "lines", "argument", "meant"),
    [
        ("StableDiffusionPipeline", "pipe('x', text_guidance_scale=9.0)", "text_guidance_scale", "guidance_scale"),
        ("StableDiffusionInstructPix2PixPipeline", "pipe('x', image_guidance=9.0)", "image_guidance", "image_guidance"),
        ("StableDiffusionXLPipeline", "pipe('x', guidence_scale=9.0)", "guidence_scale", "guidance_scale"),
        ("FluxPipeline", "pipe.to(torch_device='cuda')\npipe('x')", "torch_device", "device"),
        ("FluxPipeline", "pipe.to(torch_dtype=torch.float16)\npipe('x')", "torch_dtype", "dtype"),
    ],
)  # fmt: skip
def test_a_keyword_that_the_library_swallows_is_ignored_and_no_setting(
    pipeline: str, lines: str, argument: str, meant: str
) -> None:
    reading = read(pipeline, lines)
    (ignored,) = reading.ignored
    assert ignored.argument == argument
    assert meant in ignored.advice
    assert f"call.{argument}" not in reading.settings
    assert "placement" not in reading.settings
    assert "model.dtype" not in reading.settings


def test_keywords_that_the_library_uses_are_not_ignored() -> None:
    reading = read(
        "StableDiffusionXLPipeline", "pipe.to(device='cuda', dtype=torch.float16)\npipe('x', callback_steps=2)"
    )
    assert reading.ignored == []
    assert reading.settings.value("placement") == "cuda"
    assert reading.settings.value("model.dtype") == "float16"
    assert reading.settings.value("call.callback_steps") == 2


def test_a_pipeline_of_the_community_takes_arguments_of_its_own() -> None:
    lines = "pipe = StableDiffusionPipeline.from_pretrained('a/b', custom_pipeline='lpw')\npipe('x', max_multiples=3)"
    reading = read("StableDiffusionPipeline", lines)
    assert reading.ignored == []
    assert reading.settings.value("call.max_multiples") == 3


def test_an_argument_is_refused_only_where_it_is_certainly_passed() -> None:
    certain = read("CogVideoXPipeline", "pipe('x', image='a.png')")
    (note,) = refusals(certain)
    assert note.kind == "refused argument"
    lines = "import sys\ngiven = {'prompt': 'x'}\nif sys.argv[1]:\n    given['image'] = 'a.png'\npipe(**given)"
    assert refusals(read("CogVideoXPipeline", lines)) == []


def test_signatures_of_classes_that_are_not_installed_are_unknown() -> None:
    assert positions("KitePipeline") == ()
    assert components("KitePipeline") == ()
    assert accepts("KitePipeline", "wind")
    assert dropped("KitePipeline", "__call__", "wind") is None


def test_the_parts_of_a_pipeline_are_those_of_its_constructor() -> None:
    assert "motion_adapter" in components("AnimateDiffPipeline")
    assert "requires_safety_checker" not in components("StableDiffusionPipeline")
    assert "boundary_ratio" not in components("WanPipeline")
