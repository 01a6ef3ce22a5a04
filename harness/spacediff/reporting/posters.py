"""Posters: one frame of the reference and of the run that is shown first, for viewers that run no script.

The key insight: a page that is sent in a chat is first seen in a preview, which shows text and pictures and no more.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spacediff.record import AuditRecord, ComparisonRecord, RunRecord
from spacediff.reporting.previews import Preview, Previews, clip_key

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDEST = 480
"""Pixels: what a phone shows of two pictures next to each other."""
_QUALITY = 85
_LAST = 1_000
"""The last frame that is drawn, since those before it are decoded."""


@dataclass(frozen=True)
class Poster:
    """A frame as a picture.

    Attributes:
        run: Name of the run.
        frame: Number of the frame, from 0.
        jpeg: The file in base64.
    """

    run: str
    frame: int
    jpeg: str


def posters(record: AuditRecord, previews: Previews) -> list[Poster]:
    """Return a frame of the first prompt's reference and of the run that is shown first: where they differ most.

    A clip without a preview, or with one that cannot be decoded, has none.
    """
    if not record.prompts:
        return []
    prompt = record.prompts[0].name
    selected = record.overview(prompt).selected
    runs = {run.name: run for run in record.runs if run.prompt == prompt}
    there, here = _worst_pair(record, record.comparison(prompt, selected))
    wanted = [(runs.get(record.reference), there), (runs.get(selected), here)]
    return list(_drawn([(run, frame) for run, frame in wanted if run is not None], previews))


def _worst_pair(record: AuditRecord, comparison: ComparisonRecord | None) -> tuple[int, int]:
    """Return the frames of reference and candidate that differ most by the first metric; the first two without one."""
    if comparison is None:
        return 0, 0
    found = next((comparison.metrics[info.name] for info in record.metrics if info.name in comparison.metrics), None)
    worst = found.worst_frame if found else 0
    return next(((left, right) for left, right in comparison.frame_map if left == worst), (0, 0))


def _drawn(wanted: list[tuple[RunRecord, int]], previews: Previews) -> Iterator[Poster]:
    for run, frame in wanted:
        preview = previews.clips.get(clip_key(run.clip)) if run.clip else None
        picture = _picture(preview, frame) if preview and preview.base64 else None
        if picture is not None:
            picture.thumbnail((_WIDEST, _WIDEST))
            picture.save(written := io.BytesIO(), "JPEG", quality=_QUALITY)
            yield Poster(run.name, frame, base64.b64encode(written.getvalue()).decode())


def _picture(preview: Preview, number: int) -> Image | None:
    """Decode one frame of a preview; None where that cannot be done."""
    import PIL.Image

    from spacediff.clip import read_frame
    from spacediff.errors import SpacediffError
    from spacediff.pictures import PictureFile, read_picture

    content = base64.b64decode(preview.base64)
    if not 0 <= number <= _LAST or min(preview.width, preview.height) <= 0:  # a record may come from anybody
        return None
    try:
        if preview.still:
            sheet, _ = read_picture(PictureFile("preview", len(content), lambda: io.BytesIO(content)))
            frame = sheet[number * preview.height : (number + 1) * preview.height]
            return PIL.Image.fromarray(frame) if len(frame) == preview.height else None
        with TemporaryDirectory() as folder:
            path = Path(folder, "preview.mp4")
            path.write_bytes(content)
            found = read_frame(path, number)
    except (SpacediffError, ValueError):
        return None
    return None if found is None else PIL.Image.fromarray(found[: preview.height, : preview.width])
