from __future__ import annotations

from pathlib import Path

from spacediff.record import AuditRecord, FirstDivergenceRecord, GateRecord, GateStatus, Verdict, quoted, with_derived
from spacediff.reporting.html import render_html
from spacediff.wording import answer_sentences
from support.html_page import Page, change_comparison, draw, order, ranks


def sentence(page: Page, start: str) -> str:
    at = page.text.index(start)
    return " ".join(page.text[at : at + 200].split())


def test_the_gate_says_what_the_record_says(record: AuditRecord, folder: Path) -> None:
    said = {
        GateStatus.PASSED: "Gate passed",
        GateStatus.FAILED: "Gate failed",
        GateStatus.NOT_MEASURED: "Gate not measured",
        GateStatus.NONE: "No gate",
    }
    for status, words in said.items():
        gate = record.gate.model_copy(update={"status": status})
        source = render_html(with_derived(record.model_copy(update={"gate": gate})), folder)
        assert words in Page(source).text
        assert ("g-passed" in source.split("</style>")[1]) == (status is GateStatus.PASSED)
        assert [other for other in said.values() if other in Page(source).text] == [words]


def test_without_a_gate_the_closest_is_named_after_the_baseline(record: AuditRecord, folder: Path) -> None:
    page = draw(record.model_copy(update={"gate": GateRecord(status=GateStatus.NONE)}), folder)
    ranked = [name for name, rank in ranks(record).items() if rank]
    assert page.text.index(answer_sentences(record, "lemon")[0]) < page.text.index("Closest ")
    assert sentence(page, "Closest ").startswith(f"Closest {ranked[0]}")


def test_without_a_baseline_the_closest_and_the_farthest_are_named(record: AuditRecord, folder: Path) -> None:
    others = [run for run in record.runs if run.name != "baseline"]
    compared = [each for each in record.comparisons if each.candidate != "baseline"]
    changes = {"runs": others, "comparisons": compared, "gate": GateRecord(status=GateStatus.NONE)}
    alone = with_derived(record.model_copy(update=changes))
    ranked = [name for name, rank in ranks(alone).items() if rank]
    page = draw(alone, folder)
    assert sentence(page, "Closest ").startswith(f"Closest {ranked[0]}")
    assert sentence(page, "Farthest ").startswith(f"Farthest {ranked[-1]}")


def test_variants_stand_from_the_closest_to_the_farthest(record: AuditRecord, folder: Path) -> None:
    names = order(draw(record, folder))
    drifts = {c.candidate: c.drift for c in record.comparisons}
    scored = [name for name in names if name in drifts and name != "seed-43"]
    assert scored == sorted(scored, key=lambda name: drifts[name] or 0.0)
    assert names[0] == "as-hosted"
    assert names[-2:] == ["sequential", "seed-43"]  # not measured, then the control


def test_equal_variants_share_their_rank(record: AuditRecord, folder: Path) -> None:
    found = ranks(record)
    assert found["baseline"] == found["on-gpu"]
    assert found["baseline"].endswith("=")
    assert found["as-hosted"] == "1"
    assert found["baseline"] in draw(record, folder).text


def test_without_drift_the_first_metric_orders(record: AuditRecord, folder: Path) -> None:
    blind = change_comparison(record, "dpm", drift=None)
    pooled = {c.candidate: c.metrics["psnr"].pooled for c in record.comparisons}
    scored = [name for name in order(draw(blind, folder)) if name in pooled and name != "seed-43"]
    assert scored == sorted(scored, key=lambda name: -pooled[name])
    assert "unknown" in draw(blind, folder).text


def test_not_measured_says_why_and_what_to_do(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    run = record.run("lemon", "sequential")
    assert run.reason in page.text
    assert run.hint in page.text


def test_not_comparable_is_not_ranked(record: AuditRecord, folder: Path) -> None:
    apart = change_comparison(
        record,
        "dpm",
        verdict=Verdict.NOT_COMPARABLE,
        metrics={},
        per_frame={},
        frame_map=[],
        drift=None,
        evidence=[quoted("The reference is 48x32 pixels, this clip 96x64.")],
    )
    page = draw(apart, folder)
    assert ranks(apart)["dpm"] == ""
    assert "The reference is 48x32 pixels" in page.text


def test_what_the_codec_does_stands_on_the_scale(record: AuditRecord, folder: Path) -> None:
    def marks(page: Page) -> int:
        return sum(attrs.get("class") == "codec" for attrs in page.named("line"))

    assert marks(draw(record, folder)) == 0
    metrics = next(c for c in record.comparisons if c.candidate == "dpm").metrics
    metrics = metrics | {"psnr": metrics["psnr"].model_copy(update={"codec": 38.25, "codec_drift": 0.1})}
    page = draw(change_comparison(record, "dpm", metrics=metrics), folder)
    assert "codec's own loss 38.25" in page.text
    assert marks(page) == 1


def test_frames_that_stand_out_are_named_by_the_record(record: AuditRecord, folder: Path) -> None:
    diverging = FirstDivergenceRecord(metric="psnr", beyond_floor=2, half_way=None)
    page = draw(change_comparison(record, "dpm", first_divergence=diverging), folder)
    variants = {each["name"]: each for each in page.data("report-data")["prompts"][0]["variants"]}
    values = next(c for c in record.comparisons if c.candidate == "dpm").per_frame
    worst = variants["dpm"]["marks"]["worst"]
    assert variants["dpm"]["marks"]["divergence"] == 2
    assert [values["psnr"][n] for n in worst["psnr"]] == sorted(values["psnr"])[:3]
    assert [values["lpips"][n] for n in worst["lpips"]] == sorted(values["lpips"], reverse=True)[:3]
