"""The page: an audit record drawn through the templates of `reports/`, with its policy, style and scripts.

The key insight is that every text in a record is untrusted: prompts, titles, what a Space says of itself. So the
templates escape, data for the script cannot close its tag, and the page's own policy allows no script or style but
those whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from spacediff.record import AuditRecord
from spacediff.reporting.cause import cause_view
from spacediff.reporting.charting import charting
from spacediff.reporting.charts import script_view
from spacediff.reporting.drift_scale import metric_scale
from spacediff.reporting.inputs import size_of
from spacediff.reporting.inside import place_of
from spacediff.reporting.left_open import section_of
from spacediff.reporting.maps import Maps
from spacediff.reporting.posters import Poster
from spacediff.reporting.presentable import PRIVATE
from spacediff.reporting.previews import Previews, clip_key
from spacediff.reporting.templates import escaping_environment
from spacediff.reporting.view import prompt_view, still
from spacediff.shipped import shipped
from spacediff.wording import (
    acting_text,
    answer_sentences,
    approximation_texts,
    cause_text,
    clause,
    control_expectation,
    cost_text,
    determinism_text,
    fix_code,
    gate_headline,
    history_text,
    left_open_phrase,
    left_open_text,
    loop_reference_text,
    nouns,
    outcome,
    paragraph,
    place_of_tile,
    probe_text,
    proof_text,
    release_text,
    sentence,
    spread_text,
    standing_words,
    taken_text,
    tolerance_sentences,
    trace_text,
    versions_text,
    weight_text,
)
from spacediff.wording.numbers import drift, duration, moment, number, plain, value

STYLES = ("report.css", "narrow.css", "print.css")

SCRIPTS = (
    "memory.js",
    "address.js",
    "frames.js",
    "modes.js",
    "heat.js",
    "player.js",
    "grid.js",
    "zoom.js",
    "strip.js",
    "charting.js",
    "chart.js",
    "numbers.js",
    "stacking.js",
    "steps.js",
    "pixels.js",
    "saving.js",
    "views.js",
    "sections.js",
    "keys.js",
    "controls.js",
    "clipboard.js",
    "report.js",  # begins, so it comes last
)

SHORT_TEXT = 200
"""Characters of a text that is shown at full length; a longer one scrolls in a box."""


@dataclass(frozen=True)
class Pictures:
    """What a page shows of clips and maps.

    Attributes:
        previews: The clips.
        maps: The heat maps.
        inputs: Inputs of the prompts and strips of groups, as base64 of a PNG by their path in the audit folder.
        note: What was done to them, for the reader; empty when nothing was.
        posters: What a viewer shows that runs no script.
    """

    previews: Previews
    maps: Maps
    inputs: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    posters: Sequence[Poster] = ()

    @property
    def size(self) -> int:
        """Bytes of base64 that can be made fewer."""
        return self.previews.size + self.maps.size + sum(map(len, self.inputs.values()))

    @property
    def without_content(self) -> Pictures:
        """The same pictures as files without a byte, for a page that is only counted."""
        previews = {key: replace(each, base64="") for key, each in self.previews.clips.items()}
        maps = {name: replace(each, png="") for name, each in self.maps.found.items()}
        return Pictures(Previews(previews), Maps(maps), dict.fromkeys(self.inputs, ""), posters=self.posters)


def draw_page(record: AuditRecord, pictures: Pictures, issue: str) -> str:
    """Return the page of a presentable record with these pictures, and with the Markdown for an issue to copy."""
    record = _without_what_is_not_measured(record)
    prompts = [prompt_view(record, prompt) for prompt in record.prompts]
    previews = pictures.previews
    style = "\n".join(shipped_text(name) for name in STYLES)
    script = "\n".join(shipped_text(name) for name in SCRIPTS)
    drawing = charting()
    allowed = " ".join(f"'{digest_for_policy(text)}'" for text in (script, drawing.script))
    policy = (
        f"default-src 'none'; style-src '{digest_for_policy(style)}'; script-src {allowed}; "
        "img-src data:; media-src blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        page_templates()
        .get_template("report.html.j2")
        .render(
            record=record,
            prompts=prompts,
            still=still(record),
            cause_view=cause_view(record),
            inputs=pictures.inputs,
            posters=pictures.posters,
            embedded=previews.clips.keys(),
            shrunk=pictures.note,
            private=PRIVATE,
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own files
            data=_json({"prompts": [script_view(record, view, previews.clips) for view in prompts]}),
            clips=_json({key: clip.base64 for key, clip in previews.clips.items()}),
            maps=_json({name: asdict(found) for name, found in pictures.maps.found.items()}),
            charting=_json({"packed": drawing.packed, "specs": drawing.specs}),
            issue=_json(issue),
        )
    )


def _without_what_is_not_measured(record: AuditRecord) -> AuditRecord:
    """Leave out measures that no comparison has: pictures have no motion."""
    measured = {name for comparison in record.comparisons for name in comparison.measures}
    shown = [info for info in record.measures if info.name in measured] if measured else record.measures
    return record.model_copy(update={"measures": shown})


@cache
def page_templates() -> Environment:
    """The templates of `reports/` with all that they use."""
    templates = escaping_environment(shipped("reports"))
    templates.filters.update(
        number=number,
        drift=drift,
        duration=duration,
        moment=moment,
        value=value,
        plain=plain,
        metric_scale=metric_scale,
        clip_key=clip_key,
        place_of=place_of,
        size_of=size_of,
        sentence=sentence,
        trace_text=trace_text,
        loop_reference_text=loop_reference_text,
        outcome=outcome,
        history_text=history_text,
        paragraph=paragraph,
        clause=clause,
        cause_text=cause_text,
        proof_text=proof_text,
        left_open_phrase=left_open_phrase,
        left_open_text=left_open_text,
        release_text=release_text,
        versions_text=versions_text,
        section_of=section_of,
        acting_text=acting_text,
        answer_sentences=answer_sentences,
        probe_text=probe_text,
        weight_text=weight_text,
        cost_text=cost_text,
        tolerance_sentences=tolerance_sentences,
        place_of_tile=place_of_tile,
        spread_text=spread_text,
        determinism_text=determinism_text,
        taken_text=taken_text,
        standing_words=standing_words,
        control_expectation=control_expectation,
        fix_code=fix_code,
        gate_headline=gate_headline,
        approximation_texts=approximation_texts,
    )
    templates.globals.update(short_text=SHORT_TEXT, nouns=nouns)
    return templates


def shipped_text(name: str) -> str:
    """Return a file of `reports/`."""
    return (shipped("reports") / name).read_text("utf-8")


def digest_for_policy(text: str) -> str:
    """Return what allows a style or a script in a page's own policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(data: Any) -> Markup:
    """Serialise for a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above
