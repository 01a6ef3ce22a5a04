"""Read the latents of a run from the store; see `spacediff.observer.latents_file` for their file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.errors import LatentsNotReadable
from spacediff.observer.latents_file import array_in


@contextmanager
def read_latents(path: Path) -> Iterator[Iterator[NDArray[np.float32]]]:
    """Read latents one by one, as float32.

    Raises:
        LatentsNotReadable: The file is missing or broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield (array_in(archive, name) for name in sorted(archive.namelist()))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise LatentsNotReadable(f"the latents in {path.name} cannot be read: {error}") from error
