"""Groups of clips in every report: what differs, what so few clips leave open, a dot for each clip, two strips."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from spacediff.record import (
    AuditRecord,
    GateRecord,
    GateStatus,
    MetricInfo,
    SampleMeasureRecord,
    SamplesRecord,
    quoted,
    with_derived,
)
from spacediff.reporting.junit import render_junit
from spacediff.reporting.markdown import render_markdown, render_summary
from spacediff.reporting.samples import groups_view
from support.html_page import Page, draw

HOSTILE = "</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}"


def measure(name: str, *, finding: bool, effect: float | None = None) -> SampleMeasureRecord:
    return SampleMeasureRecord(
        info=MetricInfo(name, name.title(), "units", higher_is_closer=False, about=f"About {name}."),
        reference=[1.0, 3.0],
        candidate=[2.0, 5.0],
        reference_mean=2.0,
        candidate_mean=3.5,
        p=0.01,
        adjusted=0.02 if finding else 0.4,
        effect=effect,
        interval=None if effect is None else (-0.2, 0.9),
        finding=finding,
        clips_to_find=None if finding else 31,
    )


def samples(*measures: SampleMeasureRecord, candidate: str = "baseline", **given: object) -> SamplesRecord:
    values = {"prompt": "lemon", "reference": "reference", "candidate": candidate, "able": True, "tests": 2}
    runs = {"reference_runs": ["reference", "b"], "candidate_runs": ["baseline", "c"]}
    return SamplesRecord.model_validate({**values, **runs, "measures": list(measures), **given})


FOUND = samples(measure("motion", finding=True, effect=0.5), measure("sharpness", finding=False, effect=0.1))
OPEN = samples(measure("motion", finding=False, effect=0.1), detectable=0.6)


def of(record: AuditRecord, *groups: SamplesRecord, gate: str = "") -> AuditRecord:
    judged = GateRecord(status=GateStatus.NONE, variant=gate)
    return with_derived(record.model_copy(update={"samples": list(groups), "gate": judged}))


def test_the_page_shows_every_clip_as_a_dot_and_says_what_differs(record: AuditRecord, folder: Path) -> None:
    page = draw(of(record, FOUND), folder)
    dots = [each for each in page.named("circle") if each.get("class") in {"of-reference", "of-candidate"}]
    assert len(dots) == 2 * 4
    assert [each["cx"] for each in dots[:4]] == ["3.00%", "50.00%", "26.50%", "97.00%"]
    assert "motion is higher in 75 of 100 pairs (p = 0.020)" in page.text
    assert "0.50 (−0.20 to 0.90)" in page.text


def test_no_finding_never_reads_as_equal(record: AuditRecord, folder: Path) -> None:
    said = "no difference was found between its 2 clips and the 2 of the reference. This does not mean"
    assert said in draw(of(record, OPEN), folder).text
    assert "about 31 clips a side would show it" in render_markdown(of(record, OPEN))
    assert "no difference was found" in render_summary(of(record, OPEN))


def test_the_headline_is_about_the_groups_and_not_about_single_clips(record: AuditRecord) -> None:
    assert "**settings differ**" not in render_markdown(of(record, FOUND)).partition("<details>")[0]


def test_the_variant_of_the_gate_comes_first(record: AuditRecord) -> None:
    groups = [FOUND, OPEN.model_copy(update={"candidate": "dpm"})]
    shown = groups_view(of(record, *groups, gate="dpm"), record.prompts[0])
    assert [each.found.candidate for each in shown] == ["dpm", "baseline"]


def test_what_differs_leads_the_table_of_the_markdown(record: AuditRecord) -> None:
    text = render_markdown(of(record, samples(*reversed(FOUND.measures))))
    rows = [line for line in text.partition("Groups of samples")[2].splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[1] for row in rows[1:3]] == ["Motion (units)", "Sharpness (units)"]
    assert "0.020, differs" in rows[1]
    assert rows[2].split(" | ")[5] == "0.400"


@pytest.mark.parametrize(("found", "skipped"), [(FOUND, False), (OPEN, True), (samples(notes=[quoted("Why.")]), True)])
def test_only_a_finding_is_more_than_skipped(record: AuditRecord, found: SamplesRecord, skipped: bool) -> None:  # noqa: FBT001 - a case
    root = ET.fromstring(render_junit(of(record, found)))  # noqa: S314 - our own
    (case,) = root.findall(".//testcase[@classname='lemon.groups']")
    assert (case.find("skipped") is not None) is skipped


def strips(folder: Path) -> dict[str, str]:
    for name in ("ours.png", "theirs.png"):
        Image.new("RGB", (40, 20)).save(folder / name)
    return {"reference_strip": "theirs.png", "candidate_strip": "ours.png"}


def strips_in(page: Page) -> list[dict[str, str | None]]:
    """Return the pictures of samples, and not the posters of the clips."""
    return [each for each in page.named("img") if str(each["alt"]).startswith("Samples of")]


def test_both_strips_are_in_the_page_but_not_those_of_a_private_prompt(record: AuditRecord, folder: Path) -> None:
    shown = of(record, FOUND.model_copy(update=strips(folder)))
    assert len(strips_in(draw(shown, folder))) == 2
    hidden = [prompt.model_copy(update={"private": True}) for prompt in shown.prompts]
    assert draw(shown.model_copy(update={"prompts": hidden}), folder).named("img") == []


def test_texts_and_paths_of_a_stranger_stay_texts(record: AuditRecord, folder: Path) -> None:
    outside = {"reference_strip": "../../etc/passwd", "candidate_strip": HOSTILE, "notes": [quoted(HOSTILE)]}
    hostile = FOUND.model_copy(update={**outside, "candidate": HOSTILE})
    page = draw(of(record, hostile), folder)
    assert strips_in(page) == []
    assert HOSTILE in page.text
