"""Scripts as different people write them, over tiny checkpoints; each keeps the frames of its calls by number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = """
import os
import numpy as np

def keep(number, frames):
    pictures = [np.asarray(frame.convert("RGB")) for frame in frames]
    np.save(os.path.join(os.environ["KEPT_FRAMES"], f"{number}.npy"), np.stack(pictures))
"""
"""The module `kept` next to the scripts."""
SITE = """
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
"""
"""The `sitecustomize` of the scripts' environment."""

_HEAD = """
import torch
import diffusers
from kept import keep
diffusers.utils.logging.disable_progress_bar()
"""
_SMALL = "height=64, width=64, max_sequence_length=32"


@dataclass(frozen=True)
class Style:
    """A script of one style.

    Attributes:
        text: The script; `CHECKPOINTS` is the folder of the checkpoints.
        planted: Settings of a target that has other frames.
        cause: Paths of those that make the difference; the others have no effect here.
        call: The number of the call; None for the first that returns frames.
        kept: The number under which the script keeps the frames of that call.
        arguments: Its arguments.
        seed: The seed of that call.
        prompt: The prompt of that call.
        cells: Whether it is a notebook, whose cells empty lines divide.
    """

    text: str
    planted: Mapping[str, Any]
    cause: tuple[str, ...]
    call: int | None = None
    kept: int = 1
    arguments: tuple[str, ...] = ()
    seed: int = 7
    prompt: str = "a red cone"
    cells: bool = False

    def written(self, checkpoints: Path) -> str:
        """Return the script with the folder of the checkpoints."""
        text = (_HEAD + self.text).replace("CHECKPOINTS", checkpoints.as_posix())
        return _as_notebook(text) if self.cells else text

    @property
    def suffix(self) -> str:
        """The suffix of its file."""
        return ".ipynb" if self.cells else ".py"


def _as_notebook(text: str) -> str:
    cells = [{"cell_type": "code", "source": each.splitlines(keepends=True)} for each in text.split("\n\n")]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


STYLES = {
    "cogvideox": Style(
        """
pipe = diffusers.CogVideoXPipeline.from_pretrained("CHECKPOINTS/cogvideox", torch_dtype=torch.float32)
pipe.vae.enable_tiling()
video = pipe("a red cone", num_inference_steps=2, num_frames=5, guidance_scale=6.0,
             generator=torch.Generator().manual_seed(7)).frames[0]
keep(1, video)
""",
        {"scheduler": {"class": "CogVideoXDPMScheduler"}, "call": {"use_dynamic_cfg": True}},
        ("call.use_dynamic_cfg", "scheduler.class"),
    ),
    "wan": Style(
        f"""
pipe = diffusers.WanPipeline.from_pretrained("CHECKPOINTS/wan-2.1", torch_dtype=torch.float32)
video = pipe(prompt="a red cone", num_inference_steps=2, num_frames=5, {_SMALL},
             generator=torch.Generator("cpu").manual_seed(7), output_type="pil").frames[0]
keep(1, video)
""",
        {"call": {"guidance_scale": 9.0}, "rng": {"seed": 7}},
        ("call.guidance_scale",),
    ),
    "lora": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")
pipe.load_lora_weights("CHECKPOINTS/lora", adapter_name="style")
pipe.set_adapters(["style"], adapter_weights=[0.8])
torch.manual_seed(7)
keep(1, pipe("a red cone", num_inference_steps=2, height=64, width=64).images)
""",
        {"lora": {"style": {"scale": 0.1}}, "vae": {"slicing": True}},
        ("lora.style.scale",),
    ),
    "sdxl-refiner": Style(
        """
base = diffusers.StableDiffusionXLPipeline.from_pretrained("CHECKPOINTS/sdxl")
refiner = diffusers.StableDiffusionXLImg2ImgPipeline.from_pretrained("CHECKPOINTS/sdxl-refiner")
generator = torch.Generator().manual_seed(7)
latents = base("a red cone", num_inference_steps=4, denoising_end=0.5, output_type="latent", height=64, width=64,
               generator=generator).images
images = refiner("a red cone", image=latents, num_inference_steps=4, denoising_start=0.5, generator=generator).images
keep(1, images)
""",
        {"call": {"guidance_scale": 12.0}, "vae": {"slicing": True}},
        ("call.guidance_scale",),
    ),
    "upsampler": Style(
        f"""
first = diffusers.LTXPipeline.from_pretrained("CHECKPOINTS/ltx")
upsampler = diffusers.LTXLatentUpsamplePipeline.from_pretrained("CHECKPOINTS/ltx-upsampler")
video = first(prompt="a red cone", num_inference_steps=2, num_frames=9, {_SMALL},
              generator=torch.Generator().manual_seed(7)).frames[0]
keep(1, video)
keep(2, upsampler(video=video, height=64, width=64, generator=torch.Generator().manual_seed(7)).frames[0])
""",
        {"call": {"adain_factor": 1.0}},
        ("call.adain_factor",),
        call=2,
        kept=2,
        prompt="",
    ),
    "class": Style(
        """
class Painter:
    def __init__(self, folder):
        self.pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder)
        self.options = {"num_inference_steps": 2, "height": 64, "width": 64}

    def paint(self, text, seed):
        generator = torch.Generator().manual_seed(seed)
        return self.pipe(text, generator=generator, **self.options).images

def main():
    keep(1, Painter("CHECKPOINTS/sd-1.5").paint("a red cone", 7))

if __name__ == "__main__":
    main()
""",
        {"scheduler": {"class": "EulerDiscreteScheduler"}, "vae": {"slicing": True}},
        ("scheduler.class",),
    ),
    "argparse": Style(
        """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("prompt")
parser.add_argument("--steps", type=int, default=50)
parser.add_argument("--seed", type=int)
options = parser.parse_args()
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")
pipe.enable_attention_slicing()
keep(1, pipe(options.prompt, 64, 64, options.steps, generator=torch.Generator().manual_seed(options.seed)).images)
""",
        {"rng": {"seed": 8}, "vae": {"slicing": True}},
        ("rng.seed",),
        arguments=("a red cone", "--steps", "2", "--seed", "7"),
    ),
    "subclass": Style(
        """
class Bright(diffusers.StableDiffusionPipeline):
    def __call__(self, *args, brightness=1.2, **kwargs):
        output = super().__call__(*args, **kwargs)
        output.images = [image.point(lambda value: min(255, int(value * brightness))) for image in output.images]
        return output

pipe = Bright.from_pretrained("CHECKPOINTS/sd-1.5")
keep(1, pipe("a red cone", num_inference_steps=2, height=64, width=64,
             generator=torch.Generator().manual_seed(7)).images)
""",
        {"call": {"guidance_scale": 1.5}, "vae": {"slicing": True}},
        ("call.guidance_scale",),
    ),
    "two-schedulers": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")
def paint():
    return pipe("a red cone", num_inference_steps=2, height=64, width=64,
                generator=torch.Generator().manual_seed(7)).images
pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
keep(1, paint())
pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
keep(2, paint())
""",
        {"scheduler": {"timestep_spacing": "leading"}, "vae": {"slicing": True}},
        ("scheduler.timestep_spacing",),
        call=2,
        kept=2,
    ),
    "seeds": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")
for number, seed in enumerate([5, 6, 7], 1):
    generator = torch.Generator("cpu").manual_seed(seed)
    keep(number, pipe("a red cone", num_inference_steps=2, height=64, width=64, generator=generator).images)
""",
        {"vae": {"slicing": True}, "call": {"negative_prompt": "blue"}},
        ("call.negative_prompt",),
        call=3,
        kept=3,
    ),
    "except": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")
for attempt in range(3):
    try:
        images = pipe("a red cone", num_inference_steps=2, height=64, width=64,
                      generator=torch.Generator().manual_seed(7)).images
        break
    except BaseException as error:
        print("again", error)
keep(1, images)
""",
        {"call": {"num_inference_steps": 3}, "vae": {"slicing": True}},
        ("call.num_inference_steps",),
    ),
    "placed": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5", torch_dtype=torch.float32).to("cpu")
keep(1, pipe("a red cone", num_inference_steps=2, height=64, width=64,
             generator=torch.Generator().manual_seed(7)).images)
""",
        {"model": {"dtype": "bfloat16"}, "placement": "cpu"},
        ("model.dtype",),
    ),
    "notebook": Style(
        """
pipe = diffusers.StableDiffusionPipeline.from_pretrained("CHECKPOINTS/sd-1.5")

images = pipe("a red cone", num_inference_steps=2, height=64, width=64,
              generator=torch.Generator().manual_seed(7)).images
images[0]

keep(1, images)
""",
        {"call": {"guidance_scale": 2.0}, "vae": {"slicing": True}},
        ("call.guidance_scale",),
        cells=True,
    ),
}
