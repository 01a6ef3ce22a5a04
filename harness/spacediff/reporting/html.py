"""The HTML report: one self-contained file drawn from an audit record.

The key insight is that every text in a record is a stranger's: prompts, titles, what a Space says of itself. So the
record is made harmless once at the door (`presentable`), the templates escape, data for the script cannot close its
tag, and the page's own policy allows no script or style but those whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spacediff.files import write_atomically
from spacediff.record import ASIDE, AuditRecord, RunRecord
from spacediff.reporting.cause import cause_view
from spacediff.reporting.charting import charting
from spacediff.reporting.charts import script_view
from spacediff.reporting.inside import place_of
from spacediff.reporting.maps import Maps, embedded_maps
from spacediff.reporting.markdown import render_markdown
from spacediff.reporting.numbers import drift, duration, moment, number, place, plain, value
from spacediff.reporting.presentable import PRIVATE, presentable
from spacediff.reporting.previews import Previews, clip_key, embedded_previews
from spacediff.reporting.view import PromptView, prompt_view
from spacediff.shipped import shipped

SCRIPTS = (
    "address.js",
    "frames.js",
    "modes.js",
    "heat.js",
    "player.js",
    "zoom.js",
    "strip.js",
    "charting.js",
    "chart.js",
    "numbers.js",
    "steps.js",
    "views.js",
    "keys.js",
    "controls.js",
    "clipboard.js",
    "report.js",  # begins, so it comes last
)
BUDGET = 10_000_000
"""Bytes of a whole page: what a mail or a tracker takes, and a browser opens at once."""
_SPARE = 2_000
"""Bytes for what a page says of its own size."""
_MAPS_SHARE = 0.25
"""Of the room for pictures, what maps may take before they are shrunk."""

SHORT_TEXT = 200
"""Characters of a text that is shown at full length; a longer one scrolls in a box."""


def write_report(record: AuditRecord, folder: Path) -> Path:
    """Write `report.html` into the audit folder, whole or not at all, and return its path."""
    path = folder / "report.html"
    write_atomically(path, render_html(record, folder))
    return path


@dataclass(frozen=True)
class _Pictures:
    """What a page shows of clips and maps, and what it says of them."""

    previews: Previews
    maps: Maps
    note: str = ""

    @property
    def size(self) -> int:
        return self.previews.size + self.maps.size


def render_html(record: AuditRecord, folder: Path) -> str:
    """Return the report as one HTML page.

    A page that would pass its budget is drawn again with smaller pictures; it says so, and by how much it still does.

    Args:
        record: What to show.
        folder: The audit folder, from which previews and maps are read and embedded.
    """
    record = presentable(record)
    issue = _json(render_markdown(record))
    prompts = [prompt_view(record, prompt) for prompt in record.prompts]
    pictures = _pictures(record, folder, math.inf)
    page = _draw(record, prompts, pictures, issue)
    if _over(page) <= 0:
        return page
    room = BUDGET - _SPARE - (len(page.encode()) - pictures.size)
    pictures = _pictures(record, folder, room)
    done = [each for each in (pictures.previews.note, pictures.maps.note) if each]
    kept = f"So this page stays below {_megabytes(BUDGET)}."
    page = _draw(record, prompts, replace(pictures, note=_shrinking([*done, kept])), issue)
    if (over := _over(page)) > 0:
        still = f"This page is {_megabytes(over)} larger than the {_megabytes(BUDGET)} that it should have at most."
        page = _draw(record, prompts, replace(pictures, note=_shrinking([*done, still])), issue)
    return page


def _shrinking(said: list[str]) -> str:
    return " ".join([*said, "The audit folder has all pictures whole; all numbers come from lossless frames."])


def _over(page: str) -> int:
    """Return by how many bytes a page passes its budget."""
    return len(page.encode()) - BUDGET


def _megabytes(count: int) -> str:
    return f"{count / 10**6:.3g} MB"


def _pictures(record: AuditRecord, folder: Path, room: float) -> _Pictures:
    maps = embedded_maps(record, folder, room * _MAPS_SHARE)
    return _Pictures(embedded_previews(record.runs, folder, room - maps.size), maps)


def _draw(record: AuditRecord, prompts: list[PromptView], pictures: _Pictures, issue: Markup) -> str:
    previews = pictures.previews
    style = _source("report.css")
    script = "\n".join(_source(name) for name in SCRIPTS)
    drawing = charting()
    allowed = " ".join(f"'{_hash(text)}'" for text in (script, *([drawing.script] if drawing else [])))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {allowed}; "
        "img-src data:; media-src blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            record=record,
            prompts=prompts,
            cause_view=cause_view(record.cause),
            environment=_environment(record.environment.local, record.environment.hosted),
            warnings=_grouped((warning, run) for run in record.runs for warning in run.warnings),
            ignored=_grouped((found, run) for run in record.runs for found in run.ignored),
            embedded=previews.clips.keys(),
            shrunk=pictures.note,
            private=PRIVATE,
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own files
            data=_json({"prompts": [script_view(record, view, previews.clips) for view in prompts]}),
            clips=_json({key: clip.base64 for key, clip in previews.clips.items()}),
            maps=_json({name: asdict(found) for name, found in pictures.maps.found.items()}),
            charting=_json({"packed": drawing.packed, "specs": drawing.specs}) if drawing else None,
            issue=issue,
        )
    )


def _environment(local: dict[str, str], hosted: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    """Return name, local and hosted text: the differences first, then what both tell, then the rest."""
    names = dict.fromkeys([*hosted, *local])
    rows = [(name, local.get(name), hosted.get(name)) for name in names]
    return sorted(rows, key=lambda row: (None in row[1:], row[1] == row[2]))


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(shipped("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # by the i18n extension
    templates.filters.update(
        number=number,
        drift=drift,
        duration=duration,
        moment=moment,
        value=value,
        plain=plain,
        place=place,
        clip_key=clip_key,
        place_of=place_of,
    )
    templates.globals.update(short_text=SHORT_TEXT)
    return templates


def _source(name: str) -> str:
    return (shipped("reports") / name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: Any) -> Markup:
    """Serialise for a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def _grouped(found: Iterable[tuple[Any, RunRecord]]) -> list[tuple[Any, list[RunRecord]]]:
    """Put equal findings of several runs together, in order of appearance; steps alone repeat those of their run."""
    groups: list[tuple[Any, list[RunRecord]]] = []
    for finding, run in found:
        runs = next((runs for known, runs in groups if known == finding), None)
        if runs is None:
            groups.append((finding, [run]))
        else:
            runs.append(run)
    return [(finding, [run for run in runs if run.role not in ASIDE] or runs) for finding, runs in groups]
