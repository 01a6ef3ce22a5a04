"""What the name of a pipeline class says: its family of models, and what it makes from what.

diffusers names its classes by one rule, `FAMILY` + `TASK` + `Pipeline`, as in `CogVideoXImageToVideoPipeline`; a class
without a task makes a picture or a clip from a text.
"""

from __future__ import annotations

import re

FAMILIES = (
    "CogVideoX", "CogView", "Wan", "LTX2", "LTX", "HunyuanVideo", "Mochi", "Allegro", "AnimateDiff", "SkyReelsV2",
    "StableVideoDiffusion", "StableDiffusionXL", "StableDiffusion3", "StableDiffusion", "Flux2", "Flux", "QwenImage",
    "Sana", "PixArt", "Kandinsky", "Lumina", "AuraFlow", "Chroma", "HiDream", "Latte", "Cosmos",
)  # fmt: skip
"""Beginnings of the names of pipelines, the longer of two that begin alike first."""

GENERIC = frozenset({
    "DiffusionPipeline", "AutoPipelineForText2Image", "AutoPipelineForImage2Image", "AutoPipelineForInpainting",
})  # fmt: skip
"""Classes that only choose the class of the checkpoint."""

FROM_TEXT = "from a text"
_TASKS = (
    (re.compile(r"ImageToVideo|I2V|StableVideoDiffusion"), "from a picture"),
    (re.compile(r"VideoToVideo|VideoToVideoSD"), "from a clip"),
    (re.compile(r"Inpaint|Fill"), "by filling in a part of a picture"),
    (re.compile(r"Img2Img|ImageToImage|Image2Image|Kontext|Edit|InstructPix2Pix"), "from a picture"),
    (re.compile(r"Upsampl|Upscal"), "by enlarging"),
    (re.compile(r"Control"), "from a text and a control picture"),
    (re.compile(r"Condition"), "from a text and given frames"),
)
_IMAGE_TO_VIDEO = re.compile(r"(?<![A-Za-z0-9])(i2v|img2vid|image[-_]?(to|2)[-_]?video)(?![A-Za-z])", re.IGNORECASE)
_TEXT_TO_VIDEO = re.compile(r"(?<![A-Za-z0-9])(t2v|text[-_]?(to|2)[-_]?video)(?![A-Za-z])", re.IGNORECASE)
_COGVIDEOX = re.compile(r"CogVideoX(1\.5)?-\d+b$", re.IGNORECASE)
"""Names of CogVideoX checkpoints without a suffix, which make clips from a text."""


def family_of(pipeline: object) -> str:
    """Return the family of a pipeline class; empty for an unknown one."""
    return next((name for name in FAMILIES if isinstance(pipeline, str) and pipeline.startswith(name)), "")


def task_of(pipeline: object) -> str:
    """Return what a pipeline class makes pictures from, in words; empty where its name does not say so."""
    if not isinstance(pipeline, str) or pipeline in GENERIC or not family_of(pipeline):
        return ""
    return next((words for pattern, words in _TASKS if pattern.search(pipeline)), FROM_TEXT)


def fits(pipeline: object, checkpoint: object) -> bool:
    """Return whether a pipeline class can use the weights of a checkpoint, as far as their names tell.

    The transformer of an image-to-video checkpoint has more input channels than that of a text-to-video one.
    """
    if not isinstance(checkpoint, str) or not isinstance(pipeline, str):
        return True
    name = checkpoint.rpartition("/")[2]
    if _IMAGE_TO_VIDEO.search(name):
        return task_of(pipeline) != FROM_TEXT
    if _TEXT_TO_VIDEO.search(name) or _COGVIDEOX.fullmatch(name):
        return not re.search(r"ImageToVideo|I2V", pipeline)
    return True
