from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spacediff.errors import NotMeasuredError
from spacediff.observer.latents_file import write_latents
from spacediff.store.latents import read_latents

HALF_A_UNIT = 2.0**-11
"""Half a unit in the last place of float16, as a relative error."""


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_kept_to_the_last_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    latents = [torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(n)).to(dtype) for n in range(12)]
    write_latents(latents, tmp_path / "latents.zip")
    with read_latents(tmp_path / "latents.zip") as read:
        for kept, given in zip(read, latents, strict=True):
            assert kept.dtype == np.float32
            assert np.array_equal(kept, given.float().numpy())


def test_the_error_of_rounded_float32_is_below_half_a_unit_of_float16(tmp_path: Path) -> None:
    latents = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    write_latents([latents], tmp_path / "latents.zip")
    with read_latents(tmp_path / "latents.zip") as read:
        (kept,) = read
    lost = np.abs(kept - latents.numpy()) / np.abs(latents.numpy())
    assert 0 < lost[np.abs(latents.numpy()) > 1e-3].max() <= HALF_A_UNIT


@pytest.mark.parametrize("content", [None, b"", b"PK broken"])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "latents.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotMeasuredError, match=r"latents\.zip cannot be read"), read_latents(path) as read:
        list(read)


def test_pickled_objects_are_not_read(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "latents.zip", "w") as archive, archive.open("0000.f16.npy", "w") as file:
        np.lib.format.write_array(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(NotMeasuredError, match="cannot be read"), read_latents(tmp_path / "latents.zip") as read:
        list(read)
