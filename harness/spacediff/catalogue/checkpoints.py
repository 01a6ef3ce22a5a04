"""What is published about single checkpoints: the size that they make by default, and where float16 fails.

A pipeline that is called without a size takes it from the configuration of its checkpoint. So a script that sets that
size and a Space that sets none do the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_COGVIDEOX = {"call.height": 480, "call.width": 720, "call.num_frames": 49}
_COGVIDEOX_1_5 = {"call.height": 768, "call.width": 1360, "call.num_frames": 81}
_OF_CHECKPOINTS: tuple[tuple[re.Pattern[str], Mapping[str, int]], ...] = (
    (re.compile(r"CogVideoX-(2b|5b|5b-I2V)", re.IGNORECASE), _COGVIDEOX),
    (re.compile(r"CogVideoX1\.5-5B", re.IGNORECASE), _COGVIDEOX_1_5),
    (re.compile(r"stable-diffusion-xl-base-1\.0", re.IGNORECASE), {"call.height": 1024, "call.width": 1024}),
    (re.compile(r"stable-diffusion-v1-[45]", re.IGNORECASE), {"call.height": 512, "call.width": 512}),
    (re.compile(r"stable-diffusion-3(\.5)?-\w+(-diffusers)?", re.IGNORECASE),
     {"call.height": 1024, "call.width": 1024}),
)  # fmt: skip
"""Names of checkpoints to the sizes in their `config.json` files."""
_OF_FAMILIES: Mapping[str, Mapping[str, int]] = {
    "Flux": {"call.height": 1024, "call.width": 1024},
    "QwenImage": {"call.height": 1024, "call.width": 1024},
}
"""Families whose pipelines have one size for all checkpoints (`default_sample_size` in their `__init__`)."""
_FROM_THE_PICTURE = re.compile(r"Kontext|Edit|Img2Img|Inpaint|Control|Layered|Fill")
"""Classes that take the size of the picture that they are given."""

_BFLOAT16_ONLY = re.compile(r"CogVideoX-5b(-I2V)?|CogVideoX1\.5-5B(-I2V)?", re.IGNORECASE)
"""Checkpoints that were published in bfloat16 and whose cards say that they do not run in float16."""


def default_sizes(checkpoint: object, family: str, pipeline: str) -> Mapping[str, int]:
    """Return the size that a pipeline makes if its call gives none, by setting; empty if it is not known.

    Args:
        checkpoint: The id of the checkpoint.
        family: The pipeline's family.
        pipeline: The pipeline's class.
    """
    if _FROM_THE_PICTURE.search(pipeline):
        return {}
    name = str(checkpoint).rpartition("/")[2]
    of_checkpoint = (sizes for pattern, sizes in _OF_CHECKPOINTS if pattern.fullmatch(name))
    return next(of_checkpoint, _OF_FAMILIES.get(family, {}))


def overflows_in_float16(checkpoint: object) -> bool:
    """Return whether float16 is known to be too small for the values of a checkpoint."""
    return bool(_BFLOAT16_ONLY.fullmatch(str(checkpoint).rpartition("/")[2]))
