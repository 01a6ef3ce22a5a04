"""The HTML report: one self-contained file drawn from an audit record, small enough to be sent.

A page that would be larger than its budget is drawn again with smaller pictures; all numbers come from lossless frames
and stay.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from spacediff.files import write_atomically
from spacediff.record import AuditRecord
from spacediff.reporting.inputs import embedded_inputs
from spacediff.reporting.maps import embedded_maps
from spacediff.reporting.markdown import render_markdown
from spacediff.reporting.page import Pictures, draw_page
from spacediff.reporting.posters import posters
from spacediff.reporting.presentable import presentable
from spacediff.reporting.previews import embedded_previews
from spacediff.wording import nouns, presenting

PAGE = "report.html"
"""Name of the page in an audit folder."""
BUDGET = 10_000_000
"""Bytes of a whole page: what a mail or a tracker takes, and a browser opens quickly."""
_SPARE = 2_000
"""Bytes for what a page says of its own size."""
_MAPS_SHARE = 0.25
"""Of the room for pictures, what maps may take before they are shrunk."""


def write_report(record: AuditRecord, folder: Path) -> Path:
    """Write `report.html` into the audit folder, whole or not at all, and return its path."""
    path = folder / PAGE
    write_atomically(path, render_html(record, folder))
    return path


def render_html(record: AuditRecord, folder: Path) -> str:
    """Return the report as one HTML page.

    A page that would pass its budget is drawn again with smaller pictures; it says so, and by how much it still does.

    Args:
        record: What to show.
        folder: The audit folder, from which previews and maps are read and embedded.
    """
    with presenting(record):
        return _within_budget(presentable(record), folder)


def _within_budget(record: AuditRecord, folder: Path) -> str:
    issue = render_markdown(record)
    pictures = _pictures(record, folder, math.inf)
    drawn = pictures if pictures.size <= BUDGET else pictures.without_content  # megabytes that only have to be counted
    page = draw_page(record, drawn, issue)
    if drawn is pictures and _over(page) <= 0:
        return page
    room = BUDGET - _SPARE - (len(page.encode()) - drawn.size)
    pictures = _pictures(record, folder, room)
    done = [each for each in (pictures.previews.note, pictures.maps.note) if each]
    kept = f"This keeps the page below {_megabytes(BUDGET)}."
    page = draw_page(record, replace(pictures, note=_shrinking([*done, kept])), issue)
    if (over := _over(page)) > 0:
        still = f"The page is still {_megabytes(over)} larger than its limit of {_megabytes(BUDGET)}."
        page = draw_page(record, replace(pictures, note=_shrinking([*done, still])), issue)
    return page


def _shrinking(said: list[str]) -> str:
    return " ".join([*said, f"The audit folder has the originals; all numbers come from lossless {nouns().frames}."])


def _over(page: str) -> int:
    """Return by how many bytes a page passes its budget."""
    return len(page.encode()) - BUDGET


def _megabytes(count: int) -> str:
    return f"{count / 10**6:.3g} MB"


def _pictures(record: AuditRecord, folder: Path, room: float) -> Pictures:
    maps, inputs = embedded_maps(record, folder, room * _MAPS_SHARE), embedded_inputs(record, folder)
    taken = maps.size + sum(map(len, inputs.values()))
    previews = embedded_previews(record.runs, folder, room - taken)
    return Pictures(previews, maps, inputs, posters=posters(record, previews))
