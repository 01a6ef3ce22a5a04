"""How curves look: specifications for Vega, made with Altair.

The key insight: a specification says how a kind of chart looks and holds no number of any audit. The page hands it its
rows and what is selected, so three of them, made once, serve all curves of all reports. Colours are the names that the
page's style gives them, so that a chart follows the page's theme by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from spacediff.reporting.palette import CONTROL, CURVES, DASHES

_ALL = 100
"""More ticks than an axis has: fewer would have Vega leave out every other of those that are given."""

_LABEL = "labels[indexof(ticks, datum.value)]"

_BANDS = ("floor", "ceiling", "spread")


def frames() -> dict[str, Any]:
    """Return the chart of one metric over the frames: the scale as bands, all variants, the reference, the cursor."""
    others = _lines("others", "frame", "linear").encode(
        detail="name:N",
        stroke=alt.condition("datum.name === near", alt.value("var(--ink)"), alt.value("var(--thin)")),
        strokeWidth=alt.condition("datum.name === near", alt.value(1.6), alt.value(1.2)),
        strokeDash=alt.condition("datum.control", alt.value([2, 3]), alt.value([1, 0])),
    )
    chosen = _lines("chosen", "frame", "linear").encode(
        detail="name:N",
        stroke=alt.condition("datum.reference", alt.value("var(--ink)"), alt.value("var(--accent)")),
        strokeWidth=alt.condition("datum.reference", alt.value(1.5), alt.value(2.4)),
        strokeDash=alt.condition("datum.reference", alt.value([5, 4]), alt.value([1, 0])),
    )
    bands = alt.Chart(alt.NamedData("bands"))
    colours = ["near", "far", "far"]
    band = bands.mark_rect(opacity=0.14).encode(
        y="from:Q", y2="to", fill=alt.Fill("kind:N", scale=_scale(_BANDS, _named(colours)), legend=None)
    )
    rule = bands.mark_rule(strokeDash=[5, 3]).transform_filter("isValid(datum.at)")
    rule = rule.encode(y="at:Q", stroke=_colours("kind", _BANDS, colours))
    marks = [band.properties(name="band"), rule.properties(name="rule"), others, chosen, _guide(), *_cursor()]
    return _finished(alt.layer(*marks), frame=0, value=None, readout="", near=None)


def steps(scale: Literal["linear", "symlog"]) -> dict[str, Any]:
    """Return the chart of runs over the steps of a loop, or of clips over frames, with a colour and a dash for each."""
    looks = [*range(CURVES), CONTROL]
    dashes = _scale([*range(len(DASHES)), CONTROL], [*DASHES, [2, 4]])
    lines = _lines("lines", "step", scale).encode(
        detail="curve:N",
        stroke=_colours("colour", looks, [*(f"curve-{n}" for n in range(CURVES)), "soft"]),
        strokeWidth=alt.when("indexof(chosen, datum.curve) >= 0")
        .then(alt.value(3.4))
        .when(f"datum.colour === {CONTROL}")
        .then(alt.value(1.2))
        .otherwise(alt.value(1.8)),
        strokeDash=alt.StrokeDash("dash:N", scale=dashes, legend=None),
    )
    return _finished(alt.layer(lines, _guide()), chosen=[])


def _lines(rows: str, across: str, scale: Literal["linear", "symlog"]) -> alt.Chart:
    """Return lines between axes whose ends, ticks and texts come with the rows; a value that lacks is a gap."""
    lines: alt.Chart = alt.Chart(alt.NamedData(rows), name=rows).mark_line(
        strokeCap="round", strokeJoin="round", invalid="break-paths-show-domains"
    )
    return lines.encode(
        x=alt.X(
            f"{across}:Q",
            scale=alt.Scale(domain=[alt.expr("first"), alt.expr("last")], nice=False),
            axis=alt.Axis(
                tickMinStep=1, tickCount=alt.expr("ceil(width / 70)"), format="d", grid=False, labelFlush=False
            ),
        ),
        y=alt.Y(
            "value:Q",
            scale=alt.Scale(type=scale, domain=[alt.expr("low"), alt.expr("high")], nice=False, zero=False),
            axis=alt.Axis(
                values=alt.expr("ticks"),
                tickCount=_ALL,
                labelExpr=_LABEL,
                labelFontSize=alt.condition(f"{_LABEL} === '∞'", alt.value(15), alt.value(11.5)),
                labelOverlap=False,
            ),
        ),
    )


def _cursor() -> list[alt.Chart]:
    """Return the line at the frame that is shown, with the selected curve's value there."""
    x, y = _at("frame"), _at("value")
    shown = alt.expr("value === null ? 0 : 1")
    late = "frame > (first + last) / 2"
    return [
        _mark("cursor").mark_rule(stroke="var(--ink)").encode(x=x),
        _mark("dot").mark_circle(size=64, fill="var(--accent)", opacity=shown).encode(x=x, y=y),
        _mark("readout")
        .mark_text(
            text=alt.expr("readout"),
            align=alt.expr(f"{late} ? 'right' : 'left'"),
            dx=alt.expr(f"{late} ? -9 : 9"),
            dy=alt.expr("value > low + 0.8 * (high - low) ? 15 : -13"),
            fontSize=13,
            fontWeight=600,
            fill="var(--accent)",
            opacity=shown,
        )
        .encode(x=x, y=y),
    ]


def _guide() -> alt.Chart:
    """Return the line at what the pointer is over, in this chart or in one that is linked with it."""
    seen = alt.expr("pointed === null ? 0 : 1")
    rule: alt.Chart = _mark("guide").mark_rule(stroke="var(--thin)", strokeDash=[2, 2], opacity=seen)
    return rule.encode(x=_at("pointed"))


def _mark(name: str) -> alt.Chart:
    """Return the start of a mark that is placed by what is selected, not by data."""
    return alt.Chart(alt.InlineData(values=[{}]), name=name)


def _at(param: str) -> Any:
    """Return the place of what the page sets."""
    return alt.datum(alt.expr(param), type="quantitative")


def _named(colours: list[str]) -> list[str]:
    return [f"var(--{colour})" for colour in colours]


def _colours(field: str, values: Sequence[Any], colours: list[str]) -> alt.Stroke:
    return alt.Stroke(f"{field}:N", scale=_scale(values, _named(colours)), legend=None)


def _scale(domain: Sequence[Any], looks: Sequence[Any]) -> alt.Scale:
    return alt.Scale(domain=list(domain), range=list(looks))


def _finished(chart: alt.LayerChart | alt.FacetChart, **selected: Any) -> dict[str, Any]:
    """Return a chart's specification, with what the page sets in it."""
    params = {"first": 0, "last": 1, "low": 0, "high": 1, "ticks": [], "labels": [], "pointed": None, **selected}
    axis = {
        "title": None,
        "domain": False,
        "ticks": False,
        "labelColor": "var(--soft)",
        "labelFontSize": 11.5,
        "labelPadding": 8,
        "gridColor": "var(--line)",
    }
    whole = chart.add_params(*(alt.param(name=name, value=value) for name, value in params.items())).properties(
        width=300,
        height=100,
        padding={"top": 14, "right": 10, "bottom": 24, "left": 46},
        autosize="none",
    )
    spec: dict[str, Any] = whole.configure(
        axis=axis, view=alt.ViewConfig(stroke=None), font="inherit", aria=False, background="transparent"
    ).to_dict()
    return spec
