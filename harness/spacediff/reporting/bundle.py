"""The attachment: one ZIP with the page, both clips side by side, the Markdown, what repeats it, the record.

The key insight: an issue takes a ZIP where it does not take HTML, up to a limit; so what matters most goes in first,
and what would pass the limit is left out and said, in the ZIP itself too. Equal audits give equal bytes.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spacediff.codec.side_by_side import QUALITIES, Panel, side_by_side_png, write_side_by_side
from spacediff.enclosed import PATCH, SCRIPT, enclosed
from spacediff.errors import NothingToShow, SpacediffError, UnknownName
from spacediff.file_names import file_within
from spacediff.privacy.redaction import redact_text
from spacediff.record import AuditRecord, ClipRecord
from spacediff.record.file import record_text
from spacediff.reporting.html import render_html
from spacediff.reporting.markdown import render_markdown
from spacediff.reporting.presentable import presentable, visible
from spacediff.reporting.view import PromptView, Row, prompt_view
from spacediff.wording import nouns, presenting
from spacediff.wording.numbers import drift

MAX_BYTES = 25_000_000
"""What GitHub takes as an attachment."""
MAX_VIDEO_BYTES = 10_000_000
"""What GitHub takes as a video on a free plan, so that it can be attached alone too."""

_SPARE = 20_000
"""Bytes for the contents list and the ZIP's own directory."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a ZIP can store: the bytes do not depend on when it was made."""
_CONTENTS = "CONTENTS.txt"


@dataclass
class Bundle:
    """A ZIP as it is filled.

    Attributes:
        content: The bytes, once it is closed.
        left_out: What is missing and why, a line each.
    """

    content: bytes = b""
    left_out: list[str] = field(default_factory=list)


def render_bundle(record: AuditRecord, folder: Path, variant: str = "", *, most: int = MAX_BYTES) -> Bundle:
    """Return the attachment of an audit.

    Args:
        record: The record.
        folder: The audit folder, for the clips.
        variant: The run to show next to the reference; by default the one that the page begins with.
        most: Bytes that it may have.

    Raises:
        SpacediffError: There is no such run, or the limit is too small for anything.
    """
    with presenting(record):
        return _packed(presentable(record), folder, variant, most)


def _packed(record: AuditRecord, folder: Path, variant: str, most: int) -> Bundle:
    if variant and variant not in {run.name for run in record.runs}:
        raise UnknownName(f"the audit has no run {variant!r}", hint="give a name of the report's table")
    bundle, said = Bundle(), []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, about, content in _parts(record, folder, variant, bundle):
            packed = zipfile.ZIP_STORED if name.endswith(".mp4") else zipfile.ZIP_DEFLATED
            size = len(content) if packed == zipfile.ZIP_STORED else _deflated(content)
            if buffer.tell() + size + _SPARE > most:
                bundle.left_out.append(
                    f"{name} was left out: with its {size / 1e6:.1f} MB, this file would exceed {most / 1e6:g} MB"
                )
                continue
            _add(archive, name, content, packed)
            said.append(f"{name}: {about}")
        _add(
            archive,
            _CONTENTS,
            "".join(f"{line}\n" for line in [*said, *bundle.left_out]).encode(),
            zipfile.ZIP_DEFLATED,
        )
    bundle.content = buffer.getvalue()
    return bundle


def _deflated(content: bytes) -> int:
    trial = io.BytesIO()
    with zipfile.ZipFile(trial, "w") as archive:
        _add(archive, "trial", content, zipfile.ZIP_DEFLATED)
    return len(trial.getvalue())


_WORD = re.compile(r"[^A-Za-z0-9_-]")
"""What an entry's name is kept free of: a record may come from anybody."""


def _add(archive: zipfile.ZipFile, name: str, content: bytes, packed: int) -> None:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type = packed
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # Unix, on every system
    archive.writestr(entry, content, compresslevel=9)


def _parts(record: AuditRecord, folder: Path, variant: str, bundle: Bundle) -> Iterator[tuple[str, str, bytes]]:
    """Yield name, description and content, what matters most first."""
    yield "issue.md", "what to paste into the issue", render_markdown(record).encode()
    yield "report.html", "the report; open it in a browser", render_html(record, folder).encode()
    for prompt in record.prompts:
        view = prompt_view(record, prompt)
        row = _shown(view, variant)
        still = _is_still(view, row)
        suffix = "png" if still else "mp4"
        of_prompt = "" if len(record.prompts) == 1 else f"-{_WORD.sub('_', prompt.name)}"
        name = f"side-by-side{of_prompt}.{suffix}"
        if prompt.private:
            bundle.left_out.append(f"{name} was left out: the prompt is private")
            continue
        if row is None or view.reference is None:
            bundle.left_out.append(f"{name} was left out: {_too_few()}")
            continue
        try:
            content, quality = _side_by_side(view, row, folder, still=still)
            lowered = f", at CRF {quality} to stay under {MAX_VIDEO_BYTES / 1e6:g} MB" if quality > QUALITIES[0] else ""
            yield name, f"{view.reference.name} and {row.run.name} side by side{lowered}", content
        except SpacediffError as error:
            bundle.left_out.append(f"{name} was left out: {error.message}")
    yield from _to_repeat(record, folder)
    yield "audit.json", "all numbers and settings, for programs", record_text(record).encode()


def _to_repeat(record: AuditRecord, folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield what repeats the audit: the scenario, script and patch; nothing where a prompt is private."""
    if any(prompt.private for prompt in record.prompts):
        return
    if record.scenario.strip():
        yield "scenario.toml", f"the scenario; {record.command}", redact_text(record.scenario).encode()
    kept = (("script.py", SCRIPT, "the script"), ("script.patch", PATCH, "what to change in the script"))
    for name, file, about in kept:
        if text := visible(enclosed(folder, file)):
            yield name, about, text.encode()


def _shown(view: PromptView, variant: str) -> Row | None:
    """Return the row of the run to show; None where it has no clip."""
    row = view.row(variant or view.first)
    return row if row and row.run.clip else None


def _is_still(view: PromptView, row: Row | None) -> bool:
    """Return whether the two clips to show are pictures."""
    clips = [run.clip for run in (view.reference, row.run if row else None) if run and run.clip]
    return bool(clips) and all(clip.medium == "pictures" for clip in clips)


def _side_by_side(view: PromptView, row: Row, folder: Path, *, still: bool) -> tuple[bytes, int]:
    """Return both clips side by side, and the rate factor of a video."""
    ours, theirs = view.reference.clip if view.reference else None, row.run.clip
    if ours is None or theirs is None:
        raise NothingToShow(_too_few())
    found = row.comparison
    pairs = (found.frame_map if found else []) or [(n, n) for n in range(min(ours.frames, theirs.frames))]
    label = f"{row.run.name}: {found.verdict.value}" if found else row.run.name
    label += f", drift {drift(found.drift)}" if found and found.drift is not None else ""
    panels = Panel(_file(ours, folder), "reference"), Panel(_file(theirs, folder), label)
    with tempfile.TemporaryDirectory() as place:
        if still:
            return side_by_side_png(*panels, pairs), QUALITIES[0]
        path = Path(place) / "side-by-side.mp4"
        made = write_side_by_side(*panels, pairs, _rate(ours.fps, pairs), path, most=MAX_VIDEO_BYTES)
        return path.read_bytes(), made.quality


def _too_few() -> str:
    return f"two {nouns().clips} are needed, and there are fewer"


def _rate(fps: float, pairs: Sequence[tuple[int, int]]) -> float:
    """Return at how many pairs per second the reference plays at its own pace: pairs may skip its frames."""
    span = pairs[-1][0] - pairs[0][0] if pairs else 0
    return fps * (len(pairs) - 1) / span if span > 0 else fps


def _file(clip: ClipRecord, folder: Path) -> Path:
    """Return the best file that there is of a clip, always one inside the audit folder."""
    for name in (clip.original, clip.lossless, clip.preview):
        path = file_within(folder, name) if name else None
        if path is not None and path.is_file():
            return path
    raise NothingToShow(f"its {nouns().clips} are not in the audit folder")
