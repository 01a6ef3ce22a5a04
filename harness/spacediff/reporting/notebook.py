"""Results as a notebook shows them: a piece of HTML with the answer, both clips and the tables, below a megabyte.

The key insight: a notebook is saved with what it shows, sent on, and opened where no script runs. So the piece has no
script and no style sheet; its clips are small videos that play by themselves, with a picture in each for viewers that
take none; every text is escaped, and short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.privacy.short_lines import shortened
from spacediff.record import AuditRecord, RunRecord
from spacediff.reporting.page import page_templates
from spacediff.reporting.posters import Poster, posters
from spacediff.reporting.presentable import presentable, visible
from spacediff.reporting.previews import Preview, Previews, clip_key, embedded_previews
from spacediff.reporting.view import PromptView, prompt_view
from spacediff.wording import answer_sentences, clause, presenting, sentence

if TYPE_CHECKING:
    from spacediff.record import VersionsRecord
    from spacediff.why.compared import ComparedSettings, SourceDifference
    from spacediff.why.patch import Advice

LIMIT = 1_000_000
"""Bytes of what a notebook stores for one result."""

_ROOM = 700_000
"""Of these, bytes of base64 for the two clips."""
_MOST_PROMPTS = 4
_MOST_ROWS = 16
_MOST_METRICS = 12
_MOST_OF_TEXT = 600
"""Characters of a text that may come from anybody."""
_MOST_OF_PATCH = 20_000


@dataclass(frozen=True)
class Shown:
    """A clip in a notebook.

    Attributes:
        run: Name of its run.
        video: Its preview; None for pictures, and where there is none that is small enough.
        poster: One of its frames, for viewers that take no video; None where it cannot be drawn.
    """

    run: str
    video: Preview | None
    poster: Poster | None


def audit_piece(record: AuditRecord, folder: Path) -> str:
    """Return what a notebook shows of an audit, in at most `LIMIT` bytes.

    Args:
        record: The record.
        folder: The audit folder, for its previews; without them there are no pictures.
    """
    with presenting(record):
        record = presentable(record)
        views = [prompt_view(record, prompt) for prompt in record.prompts[:_MOST_PROMPTS]]
        given = {
            "record": record,
            "views": [(view, _headline(record, view), view.rows[:_MOST_ROWS]) for view in views],
            "more_prompts": len(record.prompts) - len(views),
            "metrics": record.metrics[:_MOST_METRICS],
            "approximations": record.approximations[:_MOST_ROWS],
        }
        piece = _drawn("notebook_audit.html.j2", shown=list(_shown(record, folder)), **given)
        return piece if len(piece.encode()) <= LIMIT else _drawn("notebook_audit.html.j2", shown=[], **given)


def versions_piece(versions: VersionsRecord) -> str:
    """Return what a notebook shows of the releases of a package, above the piece of their audit."""
    return _drawn("notebook_versions.html.j2", versions=versions, most=_MOST_ROWS)


def sources_piece(headline: str, compared: ComparedSettings, advice: Advice, approximations: Iterable[str]) -> str:
    """Return what a notebook shows of two sources that were compared."""
    return _drawn(
        "notebook_sources.html.j2",
        headline=_clean(headline),
        rows=[_difference(row) for row in compared.differences[:_MOST_ROWS]],
        more=max(0, len(compared.differences) - _MOST_ROWS),
        said=[_clean(text) for text in [*compared.ignored, *approximations][:_MOST_ROWS]],
        patch=_patch(advice),
    )


def patch_piece(advice: Advice | None) -> str:
    """Return the patch for a cause, as a notebook shows it below what was measured; empty where there is none."""
    patch = "" if advice is None else _patch(advice)
    return _drawn("notebook_patch.html.j2", patch=patch) if patch else ""


def _drawn(template: str, **given: Any) -> str:
    return page_templates().get_template(template).render(most_of_text=_MOST_OF_TEXT, shortened=shortened, **given)


def _headline(record: AuditRecord, view: PromptView) -> str:
    """Return the answer for a prompt; of an audit without a baseline, how the run that is shown first compares."""
    if view.groups:
        return " ".join(groups.text for groups in view.groups)
    if answer := " ".join(answer_sentences(record, view.prompt.name)):
        faults = [sentence(each) for each in view.baseline.faults] if view.baseline else []
        return " ".join([answer, *faults])
    if view.reference is None or not view.reference.measured:
        return "The reference was not measured, so nothing could be compared with it."
    row = view.row(view.first)
    if row is None or row.comparison is None:
        return "Nothing was compared with the reference."
    return f"{row.run.name} {clause(row.comparison.verdict)}"


def _shown(record: AuditRecord, folder: Path) -> Iterator[Shown]:
    """Yield the first prompt's reference and the run that is shown first, where their previews are there."""
    if not record.prompts:
        return
    prompt = record.prompts[0].name
    wanted = (record.reference, record.overview(prompt).selected)
    runs = {run.name: run for run in record.runs if run.prompt == prompt and run.name in wanted}
    previews = embedded_previews(runs.values(), folder, _ROOM)
    drawn = {poster.run: poster for poster in posters(record, previews)}
    for name in dict.fromkeys(wanted):
        if name in runs:
            shown = Shown(name, _video(runs[name], previews), drawn.get(name))
            if shown.video or shown.poster:
                yield shown


def _video(run: RunRecord, previews: Previews) -> Preview | None:
    """Return the video of a run, where those of both fit."""
    found = previews.clips.get(clip_key(run.clip)) if run.clip and previews.size <= _ROOM else None
    return None if found is None or found.still else found


def _difference(row: SourceDifference) -> tuple[str, list[tuple[str, str]], str]:
    """Return a setting that differs: its path, value and place on both sides, and how much it usually changes."""
    from spacediff.why.compared import UNSET

    sides = [
        (str(side.value) if side is UNSET else _clean(repr(side.value)), _clean(side.where))
        for side in (row.left, row.right)
    ]
    return _clean(row.path), sides, row.known.size if row.known else "not known"


def _clean(text: str) -> str:
    """Return a text of a source as one short line without secrets."""
    from spacediff.privacy.short_lines import short_line

    return short_line(text, _MOST_OF_TEXT)


def _patch(advice: Advice) -> str:
    """Return a patch without secrets, cut where it is long."""
    from spacediff.privacy.redaction import redact_text

    return shortened(visible(redact_text(advice.patch)), _MOST_OF_PATCH)
