"""The HTML report: one self-contained file drawn from an audit record.

The key insight is that every text in a record is a stranger's: prompts, titles, what a Space says of itself. So the
record is made harmless once at the door (`_visible`), the templates escape, data for the script cannot close its tag,
and the page's own policy allows no script or style but the two whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.files import write_atomically
from harness.record import (
    AuditRecord,
    ClipRecord,
    ComparisonRecord,
    MetricInfo,
    MetricRecord,
    PromptRecord,
    Role,
    RunRecord,
    SettingRecord,
    recorded_settings,
)
from harness.settings import Origin, diff
from harness.shipped import shipped

SCRIPTS = ("address.js", "frames.js", "player.js", "chart.js", "numbers.js", "report.js")
SHORT_TEXT = 200
"""Characters of a text that are shown before the reader asks for the rest."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, bidirectional overrides, invisible tags and lone surrogates: what a reader could not see is spelt out."""


@dataclass(frozen=True)
class SettingRow:
    """One setting of a run beside the baseline's and the reference's.

    Attributes:
        path: Dotted path.
        own: The run's value; a None is "there is no such setting".
        baseline: The baseline's.
        reference: The reference's.
        as_reference: Whether the run's value is known to be the reference's.
    """

    path: str
    own: SettingRecord | None
    baseline: SettingRecord | None
    reference: SettingRecord | None
    as_reference: bool


@dataclass(frozen=True)
class Row:
    """One run that is held against the reference.

    Attributes:
        run: The run.
        comparison: Its comparison; None when there is none.
        rank: Its place among the scored variants, `2=` where two share it; empty for controls and the unscored.
        twins: Names of all runs with these very frames, its own among them.
        settings: Its settings in groups that are not empty: those `changed` against the baseline, those `apart` from
            the reference though not changed, those `unknown` on a side, and the `same`, with those that one side tells.
    """

    run: RunRecord
    comparison: ComparisonRecord | None
    rank: str
    twins: list[str]
    settings: dict[str, list[SettingRow]]

    @property
    def twin_of(self) -> str:
        """The first run with these very frames, when that is another one."""
        return self.twins[0] if self.twins and self.twins[0] != self.run.name else ""

    @property
    def scored(self) -> bool:
        """Whether there are numbers to show and to rank by."""
        return self.comparison is not None and bool(self.comparison.metrics)

    @property
    def control(self) -> bool:
        """Whether the run only gives a scale: a re-run, a repeat, another seed."""
        return self.run.role not in {Role.BASELINE, Role.VARIANT}


@dataclass(frozen=True)
class PromptView:
    """Everything about one prompt, in order of display.

    Attributes:
        prompt: The prompt.
        reference: The reference's run, or None.
        baseline: The baseline's row, or None.
        rows: Variants from the closest to the farthest, then the unscored ones, then the controls.
        judged: The row of the gate's variant, or None.
        scale: Metric name to its floor and ceiling, where all comparisons share them.
        first: Name of the run that is selected at the start; empty when there is none.
    """

    prompt: PromptRecord
    reference: RunRecord | None
    baseline: Row | None
    rows: list[Row]
    judged: Row | None
    scale: dict[str, MetricRecord]
    first: str

    @property
    def ranked(self) -> list[Row]:
        """The scored variants, closest first."""
        return [row for row in self.rows if row.rank]


def write_report(record: AuditRecord, folder: Path) -> Path:
    """Write `report.html` into the audit folder, whole or not at all, and return its path."""
    path = folder / "report.html"
    write_atomically(path, render_html(record, folder))
    return path


def render_html(record: AuditRecord, folder: Path) -> str:
    """Return the report as one HTML page; previews are read from the audit folder and embedded."""
    record = AuditRecord.model_validate(_visible(record.model_dump()))
    prompts = [_view(record, prompt) for prompt in record.prompts]
    clips = dict(_embedded(record.runs, folder))
    style = _source("report.css")
    script = "\n".join(_source(name) for name in SCRIPTS)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            record=record,
            prompts=prompts,
            environment=_environment(record.environment.local, record.environment.hosted),
            warnings=_grouped((warning, run) for run in record.runs for warning in run.warnings),
            ignored=_grouped((found, run) for run in record.runs for found in run.ignored),
            embedded=clips.keys(),
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own files
            data=_json({"prompts": [_script_view(record, view, clips.keys()) for view in prompts]}),
            clips=_json(clips),
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
    )
    templates.filters.update(
        number=number,
        drift=drift,
        duration=duration,
        moment=moment,
        value=value,
        plain=plain,
        place=place,
        clip_key=clip_key,
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


def _visible(data: Any) -> Any:
    """Spell out what could not be seen in every text of a record, keys included."""
    if isinstance(data, str):
        return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", data.replace("\r\n", "\n"))
    if isinstance(data, dict):
        return {_visible(key): _visible(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_visible(item) for item in data]
    return data


def clip_key(clip: ClipRecord) -> str:
    """Name the preview of a clip: the same frames at the same rate are embedded once."""
    return f"{clip.digest}@{clip.fps:g}"


def _embedded(runs: Iterable[RunRecord], folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the previews that there are, base64; a record cannot make the report embed anything but its own videos."""
    for run in runs:
        if run.clip is None or not run.clip.preview:
            continue
        inside = PurePosixPath(run.clip.preview)
        if inside.is_absolute() or ".." in inside.parts:
            continue
        try:
            content = (folder / inside).read_bytes()
        except OSError:
            continue
        if content[4:8] == b"ftyp":
            yield clip_key(run.clip), base64.b64encode(content).decode()


def _grouped(found: Iterable[tuple[Any, RunRecord]]) -> list[tuple[Any, list[RunRecord]]]:
    """Put equal findings of several runs together, in order of appearance."""
    groups: list[tuple[Any, list[RunRecord]]] = []
    for finding, run in found:
        runs = next((runs for known, runs in groups if known == finding), None)
        if runs is None:
            groups.append((finding, [run]))
        else:
            runs.append(run)
    return groups


def _view(record: AuditRecord, prompt: PromptRecord) -> PromptView:
    runs = [run for run in record.runs if run.prompt == prompt.name]
    reference = next((run for run in runs if run.role is Role.REFERENCE), None)
    baseline = next((run for run in runs if run.role is Role.BASELINE), None)
    against = reference.name if reference else ""
    comparisons = {c.candidate: c for c in record.comparisons if (c.prompt, c.reference) == (prompt.name, against)}
    rows = [
        Row(
            run=run,
            comparison=comparisons.get(run.name),
            rank="",
            twins=_twins(run, runs),
            settings=_setting_groups(run, baseline, reference),
        )
        for run in runs
        if run is not reference
    ]
    rows = _ordered(rows, record.metrics)
    names = [row.run.name for row in rows]
    wanted = [record.gate.variant, baseline.name if baseline else "", *names]
    return PromptView(
        prompt=prompt,
        reference=reference,
        baseline=next((row for row in rows if row.run is baseline), None),
        rows=rows,
        judged=next((row for row in rows if row.run.name == record.gate.variant), None),
        scale=_shared_scale(list(comparisons.values()), record.metrics),
        first=next((name for name in wanted if name in names), ""),
    )


def _shared_scale(comparisons: list[ComparisonRecord], metrics: list[MetricInfo]) -> dict[str, MetricRecord]:
    scales = {info.name: [c.metrics[info.name] for c in comparisons if info.name in c.metrics] for info in metrics}
    return {
        name: found[0]
        for name, found in scales.items()
        if len({(scale.floor, scale.ceiling, scale.ceiling_spread) for scale in found}) == 1
    }


def _twins(run: RunRecord, runs: list[RunRecord]) -> list[str]:
    return [other.name for other in runs if other.clip and run.clip and other.clip.digest == run.clip.digest]


def _ordered(rows: list[Row], metrics: list[MetricInfo]) -> list[Row]:
    """Order rows from the closest to the farthest and number the scored variants among them.

    By drift where every comparison has one, else by the first metric: the two scales are not mixed.
    """
    scored = [row for row in rows if row.scored and not row.control]
    by_drift = all(row.comparison and row.comparison.drift is not None for row in scored)
    distances = {row.run.name: _distance(row, metrics, by_drift=by_drift) for row in rows}
    rows = sorted(rows, key=lambda row: (row.control, not row.scored, distances[row.run.name]))
    places = [distances[row.run.name] for row in rows if row.scored and not row.control]
    return [
        Row(row.run, row.comparison, _rank(places, distances[row.run.name]), row.twins, row.settings)
        if row.scored and not row.control
        else row
        for row in rows
    ]


def _rank(places: list[tuple[float, ...]], distance: tuple[float, ...]) -> str:
    return f"{places.index(distance) + 1}{'=' if places.count(distance) > 1 else ''}"


def _distance(row: Row, metrics: list[MetricInfo], *, by_drift: bool) -> tuple[float, ...]:
    if row.comparison is None:
        return (math.inf,)
    pooled = [
        -found.pooled if info.higher_is_closer else found.pooled
        for info in metrics
        if (found := row.comparison.metrics.get(info.name))
    ]
    first = pooled[:1] or [math.inf]
    return (row.comparison.drift, *first) if by_drift and row.comparison.drift is not None else (*first,)


def _setting_groups(
    run: RunRecord, baseline: RunRecord | None, reference: RunRecord | None
) -> dict[str, list[SettingRow]]:
    theirs = reference.settings if reference else {}
    usual = baseline.settings if baseline else {}
    changed = set() if run is baseline else _parted(usual, run.settings)
    apart = _parted(theirs, run.settings) & theirs.keys()
    groups: dict[str, list[SettingRow]] = {"changed": [], "apart": [], "unknown": [], "same": []}
    for path in sorted({*run.settings, *usual, *theirs}):
        sides = (run.settings.get(path), usual.get(path), theirs.get(path))
        own, before, there = (side is not None and side.origin is Origin.UNKNOWN for side in sides)
        if path in changed and not (own or before):
            group = "changed"
        elif path in apart and path in run.settings and not (own or there):
            group = "apart"
        else:
            group = "unknown" if own or (path in changed and before) or (path in apart and there) else "same"
        groups[group].append(SettingRow(path, *sides, as_reference=path in theirs and path not in apart))
    return {name: rows for name, rows in groups.items() if rows}


def _parted(left: dict[str, SettingRecord], right: dict[str, SettingRecord]) -> set[str]:
    return {found.path for found in diff(recorded_settings(left), recorded_settings(right))}


def _script_view(record: AuditRecord, view: PromptView, embedded: Iterable[str]) -> dict[str, Any]:
    """Return what the page's script needs to know of a prompt."""
    comparisons = [row.comparison for row in view.rows if row.comparison]
    return {
        "name": view.prompt.name,
        "first": view.first,
        "clip": _script_clip(view.reference, embedded),
        "axes": {info.name: _axis(info, comparisons) for info in record.metrics},
        "variants": [
            {
                "name": row.run.name,
                "control": row.control,
                "clip": _script_clip(row.run, embedded),
                "pairs": row.comparison.frame_map if row.comparison else [],
                "curves": {
                    info.name: _curve(info, row.comparison)
                    for info in record.metrics
                    if row.comparison and info.name in row.comparison.per_frame
                },
            }
            for row in view.rows
        ],
    }


def _script_clip(run: RunRecord | None, embedded: Iterable[str]) -> dict[str, Any] | None:
    if run is None or run.clip is None or clip_key(run.clip) not in embedded:
        return None
    clip = run.clip
    return {
        "key": clip_key(clip),
        "frames": clip.frames,
        "fps": clip.fps,
        "width": clip.width,
        "height": clip.height,
    }


def _curve(info: MetricInfo, comparison: ComparisonRecord) -> dict[str, Any]:
    values = comparison.per_frame[info.name]
    scale = comparison.metrics.get(info.name)
    return {
        "values": [_plain(v) for v in values],
        "shown": [number(v, info) for v in values],
        "floor": _plain(scale.floor) if scale else None,
        "ceiling": _plain(scale.ceiling) if scale else None,
        "spread": [_plain(v) for v in scale.ceiling_spread] if scale and scale.ceiling_spread else None,
    }


def _plain(v: float | None) -> float | str | None:
    return v if v is None or math.isfinite(v) else "inf"


def _axis(info: MetricInfo, comparisons: list[ComparisonRecord]) -> dict[str, Any]:
    """Return one axis for all curves of a metric, so that curves of two variants can be compared by eye."""
    values = [v for c in comparisons for v in c.per_frame.get(info.name, [])]
    scales = [c.metrics[info.name] for c in comparisons if info.name in c.metrics]
    marks = [v for s in scales for v in (s.floor, s.ceiling, *(s.ceiling_spread or ())) if v is not None]
    finite = [v for v in (*values, *marks) if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    step = _round_step((high - low or abs(high) or 1.0) / 4)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    decimals = max(0, -math.floor(math.log10(step)))
    return {
        "low": first * step,
        "high": last * step,
        "infinite": any(math.isinf(v) for v in values),
        "closer": "up" if info.higher_is_closer else "down",
        "ticks": [[n * step, f"{n * step:.{decimals}f}".replace("-", "−")] for n in range(first, last + 1)],  # noqa: RUF001 - a minus sign
    }


def _round_step(step: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, … at or above a step."""
    unit = 10.0 ** math.floor(math.log10(step))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= step * (1 - 1e-9))


def number(v: float | None, info: MetricInfo | None = None, *, unit: bool = False, decimals: int | None = None) -> str:
    """Write a number: two decimals with a unit, four without.

    A value is never rounded onto 0 or 1 when it is not there: 0.00003 is `<0.0001`, 0.99997 is `>0.9999`.
    """
    if v is None:
        return "—"
    ending = f" {info.unit}" if unit and info and info.unit else ""  # a no-break space
    if math.isinf(v):
        return f"∞{ending}"
    places = decimals if decimals is not None else (2 if info and info.unit else 4)
    smallest = 10.0**-places
    if 0 < abs(v) < smallest / 2:
        text = f"<{smallest:.{places}f}" if v > 0 else f">−{smallest:.{places}f}"  # noqa: RUF001 - a minus sign
    elif not (info and info.unit) and 1 - smallest / 2 < v < 1:
        text = f">{1 - smallest:.{places}f}"
    else:
        text = f"{v:.{places}f}".replace("-", "−")  # noqa: RUF001 - a minus sign
    return text + ending


def drift(v: float | None) -> str:
    """Write a drift; a missing one is a dash, which the templates put into words."""
    return number(v, decimals=3)


def plain(v: float) -> str:
    """Write a number that somebody gave, such as a limit or a frame rate, as short as it was."""
    return f"{v:g}"


def place(v: float) -> str:
    """Return where a drift stands on the floor-to-ceiling scale, as a share of its width; the ends hold the rest."""
    return f"{100 * (min(max(v, -0.04), 1.08) + 0.06) / 1.16:.2f}%"


def duration(seconds: float) -> str:
    """Write a duration: `41.0 s`, `3 min 32 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def moment(text: str) -> str:
    """Write an ISO 8601 moment for people; what is none stays as it is."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return text


def value(v: Any) -> str:
    """Write a setting's value the way a scenario would: texts bare, the rest as JSON."""
    return v if isinstance(v, str) and v.strip() == v and v else json.dumps(v, ensure_ascii=False, default=str)
