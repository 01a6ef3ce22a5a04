"""Latents on disk: one compressed file per run, in half precision, written and read also in the process of a script.

bfloat16 and float16 are kept bit for bit; float32 is rounded to float16, with a relative error below 1/2000.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

LATENTS = "latents.zip"
"""The name of the file in the folder of a run."""
_FASTEST = 1  # noise hardly compresses, whatever the level


def write_latents(latents: Sequence[torch.Tensor], path: Path) -> None:
    """Write latents of any float dtype, before the first step and after each step, into a ZIP of NumPy arrays."""
    import torch

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_FASTEST) as archive:
        for number, tensor in enumerate(latents):
            exact = tensor.dtype is torch.bfloat16
            kept = (tensor.view(torch.int16) if exact else tensor.to(torch.float16)).numpy()
            with archive.open(f"{number:04}.{'bf16' if exact else 'f16'}.npy", "w") as file:
                np.lib.format.write_array(file, kept, allow_pickle=False)


def read_latents_after(path: Path, step: int) -> NDArray[np.float32] | None:
    """Read the latents after one step, counted from 1; None where they cannot be read, or there are fewer."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
            return array_in(archive, names[step]) if step < len(names) else None
    except (OSError, ValueError, zipfile.BadZipFile):
        return None


def array_in(archive: zipfile.ZipFile, name: str) -> NDArray[np.float32]:
    """Read one of the arrays in such a file, as float32."""
    with archive.open(name) as file:
        kept = np.lib.format.read_array(file, allow_pickle=False)
    if name.endswith(".bf16.npy"):
        widened: NDArray[np.float32] = (kept.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return widened
    return np.asarray(kept, np.float32)
