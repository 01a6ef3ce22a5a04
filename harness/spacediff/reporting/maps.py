"""Heat maps in the page: the measured maps of the audit folder, in coarser cells where the page's budget asks it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacediff.file_names import read_within
from spacediff.record import AuditRecord, ComparisonRecord, MapRecord

_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 32 * 2**20
"""Bytes; a map of an audit is a few hundred kilobytes, and more would not be one."""
_MOST_PIXELS = 2**27
"""Of a map that is decoded to be shrunk."""
_COARSER = (2, 4, 8)
"""How many cells become one, each way; the gentlest first."""


@dataclass(frozen=True)
class HeatMap:
    """A map in the page.

    Attributes:
        png: The file in base64.
        columns: Cells across a tile.
        rows: Cells down a tile.
        across: Tiles side by side.
    """

    png: str
    columns: int
    rows: int
    across: int


@dataclass(frozen=True)
class Maps:
    """All maps of a page.

    Attributes:
        found: By the name of the file.
        note: What was done to them, for the reader; empty when nothing was.
    """

    found: Mapping[str, HeatMap] = field(default_factory=dict)
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes of base64."""
        return sum(len(each.png) for each in self.found.values())


def script_map(comparison: ComparisonRecord) -> dict[str, Any] | None:
    """Return what the page's script needs to know of a comparison's map."""
    return {"key": comparison.map.file} if comparison.map else None


def embedded_maps(record: AuditRecord, folder: Path, room: float) -> Maps:
    """Return the maps that there are, in at most so many bytes of base64 if that can be reached."""
    read = list(_read(record, folder))
    whole = Maps({each.file: _as_it_is(each, content) for each, content in read})
    if whole.size <= room:
        return whole
    shrunk, factor = whole, 1
    for factor in _COARSER:
        coarser = {each.file: _coarser(each, content, factor) for each, content in read}
        shrunk = Maps({file: found for file, found in coarser.items() if found})
        if shrunk.size <= room:
            break
    note = f"Each cell of a heat map in this page is the mean of {factor * factor} measured cells."
    return Maps(shrunk.found, note)


def _read(record: AuditRecord, folder: Path) -> Iterator[tuple[MapRecord, bytes]]:
    """Yield each map once; a record cannot make the report embed anything but its own pictures."""
    known = {c.map.file: c.map for c in record.comparisons if c.map and c.reference == record.reference}
    for name, found in known.items():
        content = read_within(folder, name, _LARGEST)
        if content and content.startswith(_PNG):
            yield found, content


def _as_it_is(found: MapRecord, content: bytes) -> HeatMap:
    return HeatMap(base64.b64encode(content).decode(), found.columns, found.rows, found.across)


def _coarser(found: MapRecord, content: bytes, factor: int) -> HeatMap | None:
    """Return a map of which so many cells are one, each way; None where the file is not as the record says."""
    import cv2
    import numpy as np

    from spacediff.codec.map_tiles import arrange_tiles, encode_png, split_tiles

    width, height = struct.unpack(">II", content[16:24].ljust(8, b"\0"))
    wanted = found.columns > 0 and found.rows > 0 and width == found.across * found.columns and height % found.rows == 0
    if not wanted or not 0 < width * height <= _MOST_PIXELS:
        return None
    levels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if levels is None:
        return None
    rows, columns = (max(1, side // factor) for side in (found.rows, found.columns))
    tiles = split_tiles(np.asarray(levels, np.uint8), found.rows, found.columns)
    small = [cv2.resize(tile, (columns, rows), interpolation=cv2.INTER_AREA) for tile in tiles]
    whole = encode_png(arrange_tiles(np.asarray(np.stack(small), np.uint8), found.across))
    return HeatMap(base64.b64encode(whole).decode(), columns, rows, found.across)
