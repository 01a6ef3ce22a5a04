"""Pipelines with input pictures and videos: the clips are those of a plain script, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from spacediff.errors import InputUnusable
from spacediff.inputs.files import Input, identified
from spacediff.settings import Origin, Settings
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.inputs import refuse_without_inputs
from support.input_files import mask, picture, turned_jpeg, write_video
from support.listeners import RememberingListener
from support.tiny_pipelines import FAMILIES, Family, checkpoint

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",  # transformers' and diffusers' own
    "ignore::FutureWarning",
    "ignore::UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",  # imageio's, which leaves pipes open
    "ignore::ResourceWarning",
)

PROMPT = "a red cone and a green box meet"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A picture that EXIF turns, a mask and a video, by the argument that takes them."""
    folder = tmp_path_factory.mktemp("inputs")
    mask().save(folder / "mask.png")
    picture(5).save(folder / "second.png")
    return {
        "image": turned_jpeg(folder / "picture.jpg"),
        "mask_image": folder / "mask.png",
        "video": write_video(folder / "clip.mp4"),
        "second": folder / "second.png",
    }


def declared(family: Family, **tables: Any) -> Settings:
    model = {"id": str(checkpoint(family.checkpoint)), "pipeline": family.pipeline}
    call = {**family.call, **tables.pop("call", {})}
    return Settings.of({"model": model, "call": call, "placement": "cpu", **tables}, Origin.DECLARED, "test")


def inputs_of(family: Family, files: Mapping[str, Path]) -> list[Input]:
    return [identified(name, files[name]) for name in family.inputs]


def plain_script(family: Family, **given: Any) -> NDArray[np.uint8]:
    """Generate with diffusers alone."""
    import diffusers
    import torch

    pipe = getattr(diffusers, family.pipeline).from_pretrained(checkpoint(family.checkpoint))
    pipe.set_progress_bar_config(disable=True)
    text = {"prompt": PROMPT} if family.text else {}
    output = pipe(**text, **given, **family.call, generator=torch.Generator().manual_seed(42))
    frames = output.frames[0] if hasattr(output, "frames") else output.images
    return np.stack([np.asarray(frame) for frame in frames])


def loaded(family: Family, files: Mapping[str, Path]) -> dict[str, Any]:
    """Load the inputs as scripts do."""
    from diffusers.utils import load_image, load_video

    return {name: (load_video if name == "video" else load_image)(str(files[name])) for name in family.inputs}


def generate(source: LocalSource, settings: Settings, inputs: Sequence[Input], text: str = PROMPT) -> Any:
    return source.generate(settings, text, 42, RememberingListener(), inputs=inputs)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        "sd-1.5-inpaint",
        *(
            pytest.param(name, marks=SLOW)
            for name in (
                "cogvideox-1.0-image",
                "cogvideox-1.5-image",
                "cogvideox-1.0-video",
                "stable-video",
                "ltx-condition",
                "sd-1.5-image",
                "sd-1.5-controlnet",
                "sdxl-refiner",
            )
        ),
    ],
)
def test_a_clip_with_inputs_is_that_of_a_plain_script(name: str, files: dict[str, Path]) -> None:
    family = FAMILIES[name]
    script = plain_script(family, **loaded(family, files))
    source, inputs = LocalSource(), inputs_of(family, files)
    first, again = (generate(source, declared(family), inputs) for _ in range(2))
    assert np.array_equal(first.clip.frames, script)
    assert np.array_equal(again.clip.frames, script)
    reused = ["text embeddings", "latents"] if family.text else ["latents"]
    assert again.trace.shared == ([] if family.whole else reused)
    second = generate(source, declared(family), [identified(family.inputs[0], files["second"]), *inputs[1:]])
    assert not np.array_equal(second.clip.frames, script)  # nothing was reused of another picture


def test_a_picture_is_prepared_as_a_script_prepares_it(files: dict[str, Path]) -> None:
    family = FAMILIES["sd-1.5-image"]
    shown = ImageOps.fit(loaded(family, files)["image"], (48, 32), Image.Resampling.BICUBIC)
    settings = declared(family, inputs={"image": {"resize": "cover", "size": [48, 32], "resample": "bicubic"}})
    made = generate(LocalSource(), settings, inputs_of(family, files))
    assert np.array_equal(made.clip.frames, plain_script(family, image=shown))
    assert made.settings["inputs.image.mode"].origin is Origin.DEFAULT
    assert made.settings.value("inputs.image.resize") == "cover"


@SLOW
def test_a_pipeline_without_prompt_gets_none_and_says_so(files: dict[str, Path]) -> None:
    family = FAMILIES["stable-video"]
    inputs = inputs_of(family, files)
    made = generate(LocalSource(), declared(family), inputs)
    assert "takes no prompt" in " ".join(made.warnings)
    silent = generate(LocalSource(), declared(family), inputs, text="")
    assert silent.clip.digest == made.clip.digest
    assert "takes no prompt" not in " ".join(silent.warnings)


def test_an_input_that_a_pipeline_does_not_take_is_refused_with_the_nearest(files: dict[str, Path]) -> None:
    family = FAMILIES["sd-1.5-inpaint"]
    given = [identified("image", files["image"]), identified("mask_imgae", files["mask_image"])]
    with pytest.raises(InputUnusable, match=r"mask_imgae.*did you mean 'mask_image'") as refused:
        generate(LocalSource(), declared(family), given)
    assert "mask_image" in refused.value.hint
    text_only = FAMILIES["sd-1.5"]
    with pytest.raises(InputUnusable, match="takes no input 'image'"):
        generate(LocalSource(), declared(text_only), given[:1])


@pytest.mark.parametrize(
    ("name", "missing"), [("stable-video", "image"), ("sd-1.5-image", "image"), ("cogvideox-1.0-video", "video")]
)
def test_a_missing_input_is_reported_before_anything_is_loaded(name: str, missing: str) -> None:
    family = FAMILIES[name]
    settings = Settings.of({"model": {"id": "./not-there", "pipeline": family.pipeline}}, Origin.DECLARED)
    with pytest.raises(InputUnusable, match=f"{family.pipeline} needs the input '{missing}'"):
        refuse_without_inputs(settings, [])


def test_the_class_in_a_checkpoint_says_what_it_needs(tmp_path: Path, files: dict[str, Path]) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableVideoDiffusionPipeline"}')
    settings = Settings.of({"model": {"id": tmp_path.as_posix()}}, Origin.DECLARED)
    with pytest.raises(InputUnusable, match="needs the input 'image'"):
        refuse_without_inputs(settings, [])
    refuse_without_inputs(settings, [identified("image", files["image"])])
