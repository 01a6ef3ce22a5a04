"""The plain diffusers script that the tests compare spacediff with: it knows diffusers, and nothing of spacediff.

It reads jobs from standard input, one per line, as JSON, and answers each with a line: the number of frames it wrote,
or the exception of diffusers. `support.plain_diffusers` starts it in a process of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import numpy as np
import torch

try:
    importlib.import_module("torchvision")
except RuntimeError:  # built for a torch with CUDA: two operators are not there, and nothing here calls them
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        operators.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import diffusers
from PIL import Image

_ADAPTERS = {
    "lora": lambda pipe, folder: pipe.load_lora_weights(folder),
    "textual_inversion": lambda pipe, folder: pipe.load_textual_inversion(
        folder, weight_name="learned_embeds.safetensors"
    ),
    "ip_adapter": lambda pipe, folder: pipe.load_ip_adapter(
        folder, subfolder="", weight_name="ip-adapter.safetensors", image_encoder_folder=None
    ),
}


def generate(job: dict[str, Any]) -> Any:
    """Return the frames of a job, uint8 `[T, H, W, 3]`."""
    pipe = getattr(diffusers, job["pipeline"]).from_pretrained(job["checkpoint"], dtype=torch.float32)
    if job["pipeline"] == "ModularPipeline":
        pipe.load_components(dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    if job.get("scheduler"):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, **job["scheduler"])
    for kind, folder in job.get("adapters", {}).items():
        _ADAPTERS[kind](pipe, folder)
    truncated = job.get("truncated", False)
    arguments = {
        "output_type": "np" if truncated else "pil",
        **job["call"],
        **{name: _opened(path) for name, path in job.get("inputs", {}).items()},
    }
    if job["prompt"]:
        arguments["prompt"] = job["prompt"]
    arguments["generator"] = torch.Generator().manual_seed(job["seed"])
    if job["pipeline"] == "ModularPipeline":
        images = pipe(**arguments, output="images")
    else:
        result = pipe(**arguments)
        images = result.frames[0] if hasattr(result, "frames") else result.images
    if truncated:
        return (np.asarray(images) * 255).astype(np.uint8)
    return np.stack([np.asarray(image.convert("RGB")) for image in images])


def _opened(paths: str | list[str]) -> Any:
    if isinstance(paths, list):  # a video, as its pictures
        return [_opened(path) for path in paths]
    return Image.open(paths).convert("RGB")


def main() -> None:
    """Answer jobs until standard input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        job = json.loads(line)
        try:
            frames = generate(job)
        except Exception as error:  # noqa: BLE001 - the answer to the test, which expects none
            answer: dict[str, Any] = {"error": f"{type(error).__name__}: {error}"}
        else:
            np.save(job["out"], frames)
            answer = {"frames": len(frames)}
        strangers = [name for name in sys.modules if name.split(".")[0] == "spacediff"]
        assert not strangers, strangers
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
