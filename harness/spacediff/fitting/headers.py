"""The headers of safetensors files: which tensors a file has, without reading or loading any.

The format: 8 bytes with the length of the header, the header as JSON, then the tensors
(https://huggingface.co/docs/safetensors/index#format). A header may claim anything, so a number is used only within the
size of its file. A `.bin` file is a pickle, which is never opened: it counts as its size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 25_000_000
"""As in huggingface_hub (`SAFETENSORS_MAX_HEADER_LENGTH`); the headers of the largest shards have a few hundred KB."""

FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Data types that `from_pretrained` converts to the one asked for, with bytes per value; others stay as they are."""


@dataclass(frozen=True)
class Stored:
    """The tensors of some files.

    Attributes:
        sizes: Bytes by safetensors' name of the data type, such as `BF16`; empty name: unknown.
        largest: Bytes and data type of the largest tensor.
    """

    sizes: Mapping[str, int]
    largest: tuple[int, str] = (0, "")

    def loaded(self, bytes_each: int | None) -> int:
        """Return the bytes in memory once loaded with a data type of so many bytes; None: as stored."""
        return sum(_converted(size, dtype, bytes_each) for dtype, size in self.sizes.items())

    def largest_loaded(self, bytes_each: int | None) -> int:
        """Return the bytes of the largest tensor in memory, as `loaded` does for all."""
        return _converted(*self.largest, bytes_each)

    def together_with(self, other: Stored) -> Stored:
        """Return the tensors of both."""
        dtypes = {*self.sizes, *other.sizes}
        sizes = {dtype: self.sizes.get(dtype, 0) + other.sizes.get(dtype, 0) for dtype in dtypes}
        return Stored(sizes, max(self.largest, other.largest))


def of_unknown_kind(size: int) -> Stored:
    """Return what is known of a file whose tensors cannot be listed: its size in bytes."""
    return Stored({"": size})


def read_stored(path: Path) -> Stored:
    """Read which tensors a weight file has; one that is no safetensors file, or a damaged one, counts as its size.

    Raises:
        OSError: The file cannot be opened.
    """
    size = path.stat().st_size
    if path.suffix != ".safetensors":
        return of_unknown_kind(size)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(MAX_HEADER_BYTES, size - 8):
            return of_unknown_kind(size)
        header = file.read(length)
    try:
        return stored_of_header(json.loads(header), size - 8 - length)
    except (ValueError, RecursionError):
        return of_unknown_kind(size)


def stored_of_header(header: Any, size: int) -> Stored:
    """Return which tensors a header lists.

    Args:
        header: The parsed header: name to `dtype`, `shape` and `data_offsets`.
        size: Bytes of all tensors in the file, which the header cannot exceed.

    Raises:
        ValueError: The header is not one of a safetensors file, or lists more than the file has.
    """
    if not isinstance(header, dict):
        raise ValueError("the header is not a table")  # noqa: TRY004 - one kind of error for every damage
    sizes: dict[str, int] = {}
    largest = (0, "")
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, length = _entry(entry)
        sizes[dtype] = sizes.get(dtype, 0) + length
        largest = max(largest, (length, dtype))
    if sum(sizes.values()) > size:
        raise ValueError("the header lists more than the file has")
    return Stored(sizes, largest)


def _entry(entry: Any) -> tuple[str, int]:
    if not isinstance(entry, dict):
        raise ValueError("an entry is not a table")  # noqa: TRY004 - as above
    match entry.get("dtype"), entry.get("data_offsets"):
        case str(dtype), [int(begin), int(end)] if 0 <= begin <= end:
            return dtype, end - begin
    raise ValueError("an entry has no data type, or no offsets")


def _converted(size: int, dtype: str, bytes_each: int | None) -> int:
    return size if bytes_each is None or dtype not in FLOATS else size // FLOATS[dtype] * bytes_each
