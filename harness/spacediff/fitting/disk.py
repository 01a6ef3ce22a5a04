"""What runs leave on the disk: latents of every step, the lossless clip, its preview and the exported file.

While an audit runs, the ends of its last denoisings are kept too, for runs that share them.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spacediff.run import Run

_BYTES_OF_A_LATENT = 2
"""The store keeps latents in half precision; noise hardly compresses."""
_FEWER_STEPS = frozenset({"strength", "image", "video", "timesteps", "sigmas", "denoising_start", "denoising_end"})
"""With these arguments, a call may make another number of steps than it is given."""
_ENCODED = 0.25
"""Preview and exported file together, as a share of the raw frames: both are H.264 of high quality."""
MOST_ENDS = 4
"""Ends of denoisings that are kept: runs that share one are executed in a row, so few are needed."""
MOST_BYTES_OF_ENDS = 2**30
"""Of all kept ends; the newest stays whatever its size. With latents, CogVideoX-5b's takes 115 MB."""


@dataclass(frozen=True)
class OnDisk:
    """What runs leave on the disk, in bytes; 0 where it is unknown.

    Attributes:
        run: A run, at most.
        ends: The ends of denoisings that are kept while the audit runs, at most.
    """

    run: int = 0
    ends: int = 0

    def most(self, runs: int) -> int:
        """Return what a number of runs takes at most; 0 if it is unknown."""
        return runs * self.run + (self.ends if runs else 0)


def on_disk(latents: int, steps: int, clip: Sequence[int]) -> OnDisk:
    """Compute what runs leave on the disk.

    Args:
        latents: Number of values of the latents; 0 if those of the steps are not kept.
        steps: Denoising steps; the latents before the first are kept too.
        clip: Frames, height and width; lossless coding makes noise no smaller than it is.
    """
    frames = math.prod(clip) * 3 if clip else 0
    of_steps = (steps + 1) * latents * _BYTES_OF_A_LATENT
    return OnDisk(of_steps + int((1 + _ENCODED) * frames), ends=bytes_of_ends(of_steps))


def certainly_kept(run: Run, latents: int) -> int:
    """Return the bytes that the kept latents of a run take at least.

    Only of a run from noise with a declared number of steps is it certain how many it makes. A run whose steps start
    from another's latents keeps none. Of the bits of a value, sign and mantissa are random and the exponent is not: at
    least half of them remain, whatever the coding.

    Args:
        run: The run.
        latents: Number of values of its latents.
    """
    call = run.settings.table("call")
    steps = call.get("num_inference_steps")
    if run.fed_from or not isinstance(steps, int) or not _FEWER_STEPS.isdisjoint(call):
        return 0
    return (steps + 1) * latents * _BYTES_OF_A_LATENT // 2


def bytes_of_ends(end: int) -> int:
    """Return the bytes of the kept ends at most, from those of one."""
    return max(end, min(MOST_ENDS * end, MOST_BYTES_OF_ENDS))


def free_bytes(folder: Path) -> int:
    """Return the free bytes where a folder is, or will be."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def used_bytes(folder: Path) -> int:
    """Return the bytes of all files of a folder; 0 if there is none."""
    return sum(_sizes(folder))


def largest_bytes(folder: Path) -> int:
    """Return the bytes of the largest file of a folder; 0 if there is none."""
    return max(_sizes(folder), default=0)


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        with suppress(OSError):  # removed meanwhile
            yield path.stat().st_size if path.is_file() else 0
