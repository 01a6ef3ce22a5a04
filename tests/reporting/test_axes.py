from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

from spacediff.record import AuditRecord
from spacediff.reporting.axes import from_zero
from support.html_page import draw
from support.synthetic_audit import METRICS


def test_infinite_values_are_shown_and_drawn(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    prompt = page.data("report-data")["prompts"][0]
    curve = next(v for v in prompt["variants"] if v["name"] == "as-hosted")["curves"]["psnr"]
    assert (curve["values"][0], curve["shown"][0]) == ("inf", "∞")
    assert prompt["axes"]["psnr"]["infinite"]
    assert not prompt["axes"]["lpips"]["infinite"]


def test_axis_holds_every_value_and_both_ends_of_the_scale(record: AuditRecord, folder: Path) -> None:
    prompt = draw(record, folder).data("report-data")["prompts"][0]
    for info in METRICS:
        axis = prompt["axes"][info.name]
        curves = [v["curves"][info.name] for v in prompt["variants"] if v["curves"]]
        values = [n for c in curves for n in (*c["values"], c["floor"], c["ceiling"], *c["spread"]) if n != "inf"]
        assert axis["low"] <= min(values) <= max(values) <= axis["high"]
        assert 3 <= len(axis["ticks"]) <= 8
        assert [axis["ticks"][0][0], axis["ticks"][-1][0]] == [axis["low"], axis["high"]]


def test_an_axis_is_logarithmic_where_small_values_would_vanish() -> None:
    near, far = from_zero([0.0, 0.5, 1.0], str), from_zero([0.0, 0.0001, 1.4], str)
    assert near.unit is None
    assert far.unit
    places = [math.log1p(v / far.unit) / math.log1p(far.high / far.unit) for v in (0.0, 0.0001, 0.01, 1.4)]
    assert [low < high - 0.1 for low, high in pairwise(places)] == [True] * 3
    assert [v for v, _ in far.ticks][:2] == [0.0, 0.0001]
    assert (far.low, from_zero([], str).low) == (0.0, 0.0)
