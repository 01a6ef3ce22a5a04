from __future__ import annotations

from pathlib import Path

from spacediff.record import AgreementRecord, SemanticsRecord, TextRecord, quoted
from spacediff.reporting.html import render_html
from spacediff.reporting.semantics import semantics_view
from support.synthetic_audit import synthetic_audit

HOSTILE = "</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}"


def test_the_page_draws_a_curve_over_the_references_frames_for_each_text(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=4)
    curves = {"reference": [0.25, 0.5], "baseline": [0.1, 0.2, 0.3], "as-hosted": [0.25, 0.5], "seed-43": [0.4, 0.4]}
    text = TextRecord(
        part=HOSTILE, asked=f"a photo of {HOSTILE}", seeds=(0.4, 0.4),
        clips=[AgreementRecord(run=run, mean=frames[0], frames=frames, place="below",
                               difference=None if run == "reference" else 0.25 - frames[0])
               for run, frames in curves.items()],
    )  # fmt: skip
    found = SemanticsRecord(
        prompt="lemon", model="org/clip", version="2e", about="Cosine.", texts=[text], notes=[quoted(HOSTILE)]
    )
    maps = {"baseline": [(0, 0), (1, 2)], "as-hosted": [(0, 0), (1, 1)], "seed-43": [(0, 0), (1, 1)]}
    comparisons = [
        each.model_copy(
            update={
                "frame_map": maps[each.candidate],
                "per_frame": {name: values[:2] for name, values in each.per_frame.items()},
            }
        )
        if each.candidate in maps
        else each
        for each in record.comparisons
    ]
    record = record.model_copy(update={"semantics": [found], "comparisons": comparisons})
    shown = semantics_view(record, record.prompts[0])
    assert shown
    assert [name for name, _ in shown.rows] == ["reference", "baseline", "as-hosted"]
    (cell,) = shown.rows[1][1]
    assert cell
    assert (cell.mean, cell.difference, cell.place) == (
        "0.100",
        "0.150 lower than the reference",
        "below all different seeds",
    )
    assert shown.asked[0].seeds == "0.400"
    drawn = shown.asked[0].plot
    assert drawn
    assert [(curve.names, curve.shown) for curve in drawn.curves] == [
        (["reference", "as-hosted"], ["0.250", "0.500"]),
        (["baseline"], ["0.100", "0.300"]),
        (["seed-43"], ["0.400", "0.400"]),
    ]
    assert drawn.controls == ["seed-43"]
    page = render_html(record, tmp_path)
    assert "What the clips show" in page
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page
    assert semantics_view(synthetic_audit(tmp_path, frames=1), record.prompts[0]) is None
