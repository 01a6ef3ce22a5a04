"""Changes that no documented method makes: a scheduler built again, pictures computed with, parts and layers set."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

SOURCE = """
import os, torch
import numpy as np
from PIL import Image
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("a/b", torch_dtype=torch.bfloat16)
{before}
image = pipe("a cat", num_inference_steps=28, generator=torch.Generator("cpu").manual_seed(0)).images[0]
{after}
image.save("out.png")
"""


def read(before: str = "", after: str = "") -> Reading:
    return read_text(SOURCE.format(before=textwrap.dedent(before), after=textwrap.dedent(after)), "app.py")


def notes(reading: Reading) -> list[str]:
    return [note.kind for note in reading.notes if note.usual]


@pytest.mark.parametrize(
    "line",
    [
        "pipe.scheduler = pipe.scheduler.from_config(pipe.scheduler.config, shift=5.0)",
        "pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, shift=5.0)",
        "pipe.scheduler = pipe.scheduler.__class__.from_config(pipe.scheduler.config, shift=5.0)",
        'setattr(pipe.scheduler, "_shift", 5.0)',
    ],
)
def test_a_scheduler_that_is_built_again_from_its_own_class_has_the_new_setting(line: str) -> None:
    reading = read(line)

    assert reading.settings.value("scheduler.shift") == 5.0
    assert "scheduler.class" not in reading.settings


@pytest.mark.parametrize("value", ['torch.load("t.pt", weights_only=False)', '"other"', "make()"])
def test_a_part_that_something_else_replaces_is_unknown(value: str) -> None:
    assert read(f"pipe.transformer = {value}").settings["load.transformer"].origin is Origin.UNKNOWN


def test_only_the_precisions_that_a_tf32_switch_has_are_one() -> None:
    found = {
        name: read(f'torch.set_float32_matmul_precision("{name}")').settings["numerics.tf32_matmul"]
        for name in ("highest", "high", "medium")
    }

    assert (found["highest"].value, found["high"].value) == (False, True)
    assert found["medium"].origin is Origin.UNKNOWN


@pytest.mark.parametrize(
    "lines",
    [
        'image = image.convert("L")',
        "image = Image.fromarray((np.asarray(image) * 1.2).astype('uint8'))",
        "pixels = np.asarray(image) ** 0.8",
        "pixels = np.asarray(image)\npixels += 10",
        'image.save("out.jpg", quality=20)',
        "from gfpgan import GFPGANer\nimage = GFPGANer(model_path='x').enhance(image)[2]",
    ],
)
def test_what_is_computed_with_a_picture_is_post_processing(lines: str) -> None:
    assert notes(read(after=lines)) == ["post-processing"]


@pytest.mark.parametrize(
    "lines",
    [
        'image = image.convert("RGB")',
        "image = Image.fromarray((np.asarray(image) / 255.0 * 255).round().astype('uint8'))",
        "print(image.width * 3, np.asarray(image).shape[0] * 7)",
        'image.save("out.jpg")',
        'name = "out-" + str(image)',
    ],
)
def test_what_leaves_a_picture_as_it_is_has_no_note(lines: str) -> None:
    assert notes(read(after=lines)) == []


@pytest.mark.parametrize(
    "line",
    [
        "del pipe.transformer.transformer_blocks[5]",
        'exec(open("patch.py").read())',
        "pipe.vae.register_to_config(scaling_factor=0.1)",
    ],
)
def test_what_is_taken_away_or_done_by_unread_code_is_a_patched_part(line: str) -> None:
    assert notes(read(line)) == ["patched part"]


def test_a_variable_that_chooses_the_attention_is_reported() -> None:
    assert notes(read('os.environ["DIFFUSERS_ATTN_BACKEND"] = "sage"')) == ["attention"]


@pytest.mark.parametrize("line", ["del pipe.text_encoder", "del os", "state = {'a': 1}\ndel state['a']"])
def test_what_only_frees_memory_is_not_noted(line: str) -> None:
    assert notes(read(line)) == []
