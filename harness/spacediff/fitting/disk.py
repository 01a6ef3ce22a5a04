"""What runs leave on the disk: latents of every step, the lossless clip, its preview and the exported file."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

_BYTES_OF_A_LATENT = 2
"""The store keeps latents in half precision; noise hardly compresses."""
_ENCODED = 0.25
"""Preview and exported file together, as a share of the raw frames: both are H.264 of high quality."""


def bytes_of_run(latents: int, steps: int, clip: Sequence[int]) -> int:
    """Compute how many bytes a run takes at most.

    Args:
        latents: Number of values of the latents; 0 if they are not kept.
        steps: Denoising steps; the latents before the first are kept too.
        clip: Frames, height and width; lossless coding makes noise no smaller than it is.
    """
    frames = math.prod(clip) * 3 if clip else 0
    return (steps + 1) * latents * _BYTES_OF_A_LATENT + int((1 + _ENCODED) * frames)


def free_bytes(folder: Path) -> int:
    """Return the free bytes where a folder is, or will be."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def used_bytes(folder: Path) -> int:
    """Return the bytes of all files of a folder; 0 if there is none."""
    sizes = 0
    for path in folder.rglob("*"):
        try:
            sizes += path.stat().st_size if path.is_file() else 0
        except OSError:  # removed meanwhile
            continue
    return sizes
