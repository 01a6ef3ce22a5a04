"""The answer that leads terminal, page and Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.record import (
    AgreementRecord,
    AuditRecord,
    FactKind,
    SemanticsRecord,
    Standing,
    SuspectRecord,
    TextRecord,
    Verdict,
    fact,
)
from spacediff.wording import answer_sentences
from support.html_page import with_cause
from support.synthetic_audit import synthetic_audit


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=1, size=(32, 48))


def judged(record: AuditRecord, verdict: Verdict) -> AuditRecord:
    comparisons = [
        each.model_copy(update={"verdict": verdict}) if each.candidate == "baseline" else each
        for each in record.comparisons
    ]
    return record.model_copy(update={"comparisons": comparisons})


def caused(record: AuditRecord, *paths: str, **changes: Any) -> AuditRecord:
    suspects = [SuspectRecord(path=path, start=1, target=2, standing=Standing.CAUSE) for path in paths]
    return with_cause(record, suspects=suspects, target_verdict=Verdict.CODEC_ONLY, **changes)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.IDENTICAL, "The baseline gives the clip of the Space: every pixel is equal."),
        (Verdict.CODEC_ONLY, "The baseline gives the clip of the Space; only the codec lies between them."),
        (Verdict.DIFFERENT_SAMPLE, "The baseline gives a different sample than the Space."),
        (Verdict.DIFFERS, "The baseline gives another clip than the Space; this audit does not show how far."),
        (Verdict.NOT_COMPARABLE, "The baseline cannot be compared with the reference."),
    ],
)
def test_the_baseline_leads(audit: AuditRecord, verdict: Verdict, said: str) -> None:
    assert answer_sentences(judged(audit, verdict), "lemon") == [said]


def test_a_script_is_the_users_own(audit: AuditRecord) -> None:
    runs = [run.model_copy(update={"source": "script"}) if run.name == "baseline" else run for run in audit.runs]
    record = judged(audit.model_copy(update={"runs": runs}), Verdict.DIFFERENT_SAMPLE)
    assert answer_sentences(record, "lemon")[0].startswith("Your script gives a different sample than ")


def test_the_cause_is_counted(audit: AuditRecord) -> None:
    record = judged(audit, Verdict.DIFFERENT_SAMPLE)
    assert answer_sentences(caused(record, "call.a"), "lemon")[1] == "One setting causes it."
    assert answer_sentences(caused(record, "call.a", "call.b"), "lemon")[1] == "Two settings cause it."


def test_what_a_target_leaves_open_is_no_whole_cause(audit: AuditRecord) -> None:
    record = caused(judged(audit, Verdict.DIFFERENT_SAMPLE), "call.a")
    suspects = record.cause.suspects if record.cause else []
    said = answer_sentences(with_cause(record, suspects=suspects), "lemon")[1]
    assert said == "One setting makes it differ from as-hosted, which does not match the Space either."
    its_own = with_cause(record, suspects=suspects, target=record.reference)
    assert answer_sentences(its_own, "lemon")[1] == "One setting causes it.", "the reference is the target itself"


def test_without_the_reference_nothing_is_said_of_the_baseline(audit: AuditRecord) -> None:
    runs = [run.model_copy(update={"measured": run.name != "reference"}) for run in audit.runs]
    said = answer_sentences(audit.model_copy(update={"runs": runs}), "lemon")
    assert said == ["The reference was not measured, so nothing could be compared with it."]


@pytest.mark.parametrize("changes", [{"finished": False}, {"started": False}, {"start_within": True}])
def test_no_cause_is_claimed_where_none_was_found(audit: AuditRecord, changes: dict[str, bool]) -> None:
    record = caused(judged(audit, Verdict.DIFFERENT_SAMPLE), "call.a", **changes)
    assert len(answer_sentences(record, "lemon")) == 1


def test_an_output_that_matches_has_no_cause_and_lacks_nothing(audit: AuditRecord) -> None:
    record = lacking(caused(judged(audit, Verdict.CODEC_ONLY), "call.a"), there=1.0, own=0.2)
    assert len(answer_sentences(record, "lemon")) == 1


def lacking(record: AuditRecord, *, there: float, own: float) -> AuditRecord:
    clips = [
        AgreementRecord(run=name, frames=[mean], mean=mean) for name, mean in (("reference", there), ("baseline", own))
    ]
    text = TextRecord(part="green box", asked="a green box", clips=clips)
    found = SemanticsRecord(prompt="lemon", model="clip", texts=[text], least_shown=0)
    return record.model_copy(update={"semantics": [found]})


def test_what_the_clip_lacks_is_said(audit: AuditRecord) -> None:
    record = judged(audit, Verdict.DIFFERENT_SAMPLE)
    assert answer_sentences(lacking(record, there=0.5, own=0.12), "lemon")[1:] == ["Green box: 24% of the reference."]
    assert answer_sentences(lacking(record, there=0.5, own=0.6), "lemon")[1:] == [], "it lacks nothing"
    assert answer_sentences(lacking(record, there=0.0, own=0.0), "lemon")[1:] == [], "nor does the reference show it"


def test_two_files_are_answered_by_their_numbers(tmp_path: Path) -> None:
    from spacediff import compare_videos
    from spacediff.clip import write_preview
    from support.clips import moving_ball

    for name, seed in (("a", 0), ("b", 1)):
        write_preview(moving_ball(seed=seed), tmp_path / f"{name}.mp4")
    result = compare_videos(tmp_path / "a.mp4", tmp_path / "b.mp4", out=tmp_path / "out")
    found = result.record
    (said,) = answer_sentences(found, found.prompts[0].name)
    assert said.startswith("b.mp4 differs from a.mp4: PSNR ")
    page = result.report.read_text("utf-8")
    assert said in page
    assert not any(text in page for text in ("Closest", "The drift is unknown")), "the answer has said it all"
    worst = found.comparisons[0].metrics["ssim"].worst_frame
    assert said.endswith(f"; worst at frame {worst}.")
    processed = found.comparisons[0].model_copy(update={"verdict": Verdict.POST_PROCESSED})
    scaled = found.model_copy(update={"comparisons": [processed]})
    assert answer_sentences(scaled, found.prompts[0].name) == [
        said,
        "One of the two was processed after it was generated; the numbers are those after the alignment.",
    ]
    cut = processed.model_copy(
        update={"notes": [fact(FactKind.ENDS_EARLIER, candidate=True, left_out=[[1, 5]])], "frame_map": [(0, 0)]}
    )
    _, why, missing = answer_sentences(found.model_copy(update={"comparisons": [cut]}), found.prompts[0].name)
    assert why.startswith("The lengths differ: one of the two was processed after it was generated, or they were ")
    equal = {**cut.metrics, "mae": cut.metrics["mae"].model_copy(update={"pooled": 0.0})}
    shortened = found.model_copy(update={"comparisons": [cut.model_copy(update={"metrics": equal})]})
    assert answer_sentences(shortened, found.prompts[0].name)[0] == (
        "b.mp4 differs from a.mp4, but not in the frames that were compared: these are equal."
    )
    assert missing == "Not compared: 8 of the 9 frames of b.mp4 and 8 of the 9 frames of a.mp4."
