"""What a notebook shows of a result: escaped, small, with pictures in it, and without a script."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from spacediff.clip import read_frames
from spacediff.investigation import SourceComparison
from spacediff.measured_difference import WhyResult
from spacediff.reading import read_text
from spacediff.record import (
    AuditRecord,
    FactKind,
    ProofRecord,
    ReleaseRecord,
    Verdict,
    VersionsRecord,
    fact,
    with_derived,
)
from spacediff.reporting import notebook
from spacediff.reporting.presentable import PRIVATE
from spacediff.results import AuditResult, VersionsResult
from spacediff.why.differences import compare_sources
from spacediff.why.patch import Advice
from support.hostile_audit import hostile
from support.html_page import Page, change_run, with_cause

ALLOWED = {
    *("div", "p", "strong", "bdi", "pre", "code", "figure", "figcaption", "video", "img", "details", "summary"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "small", "br"),
}
SCRIPT = "import torch\nfrom diffusers import CogVideoXPipeline\npipe = CogVideoXPipeline.from_pretrained('a/b')\n"


def shown(record: AuditRecord, folder: Path) -> str:
    return AuditResult(with_derived(record), folder, folder / "report.html")._repr_html_()


def sources_of(page: Page) -> list[str]:
    return [str(attributes["src"]) for tag in ("img", "video") for attributes in page.named(tag)]


def test_the_answer_the_cause_its_proof_and_what_was_not_measured_are_shown(record: AuditRecord, folder: Path) -> None:
    proof = ProofRecord(prompt="lemon", proof="proof", reproduced=True, verdict=Verdict.IDENTICAL, equal=True)
    text = " ".join(Page(shown(with_cause(record, proofs=[proof]), folder)).text.split())
    for said in (
        "The baseline gives ",
        "pipe(..., use_dynamic_cfg=True)",
        "Cause The baseline differs from as-hosted because of one setting: dynamic CFG.",
        "Proof With this setting, the local output is bitwise equal to that of the Space.",
        "Not measured sequential; ",
        "Gate passed",
    ):
        assert said in text
    assert text.index("as-hosted", text.index("Closest first")) < text.index("dpm", text.index("Closest first"))


def test_both_clips_are_in_it_as_videos_with_a_picture_for_viewers_that_take_none(
    record: AuditRecord, folder: Path, tmp_path: Path
) -> None:
    page = Page(shown(record, folder))
    pictures, videos = (
        [base64.b64decode(str(each["src"]).split(",")[1]) for each in page.named(tag)] for tag in ("img", "video")
    )
    assert [each[:2] for each in pictures] == [b"\xff\xd8"] * 2, "JPEG"
    assert len(videos) == 2
    assert videos[0] != videos[1]
    for number, content in enumerate(videos):
        file = tmp_path / f"{number}.mp4"
        file.write_bytes(content)
        assert len(list(read_frames(file))) == 5
    assert [each["aria-label"] for each in page.named("video")] == ["reference", "baseline"]


def test_clips_that_do_not_fit_are_pictures_only(
    record: AuditRecord, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "_ROOM", 10)
    page = Page(shown(record, folder))
    assert (len(page.named("video")), len(page.named("img"))) == (0, 2)


def test_without_an_audit_folder_the_numbers_are_left(record: AuditRecord, tmp_path: Path) -> None:
    page = Page(shown(record, tmp_path / "gone"))
    assert sources_of(page) == []
    assert len(page.named("tr")) == 1 + len(record.overview("lemon").order)


def test_a_private_prompt_shows_no_picture_and_no_text(record: AuditRecord, folder: Path) -> None:
    prompt = record.prompts[0].model_copy(update={"private": True, "text": "a secret"})
    page = shown(record.model_copy(update={"prompts": [prompt]}), folder)
    assert sources_of(Page(page)) == []
    assert "secret" not in page
    assert PRIVATE not in page, "a prompt is not shown at all"


@pytest.mark.parametrize("text", ["<script>x</script>", '" onload="x', "</table><b>x", "&lt;b&gt;", "a\u202eb"])
def test_foreign_texts_stay_texts(record: AuditRecord, folder: Path, text: str) -> None:
    page = Page(shown(hostile(with_cause(record), text), folder))
    assert {tag for tag, _ in page.tags} <= ALLOWED
    assert not {name for _, attributes in page.tags for name in attributes if name.startswith("on")}
    assert all(source.startswith("data:") for source in sources_of(page))
    assert page.raw == {"script": [], "style": []}
    assert text.replace("\u202e", "⟨U+202E⟩") in page.text


def test_whatever_a_record_holds_a_notebook_stores_less_than_a_megabyte(record: AuditRecord, folder: Path) -> None:
    names = [f"prompt-{n}" for n in range(6)]
    metric = record.metrics[0]
    approximated = fact(FactKind.APPROXIMATED, setting="load.vae", value="float32", where="run.py:6", reason="")
    many = with_derived(
        record.model_copy(
            update={
                "prompts": [record.prompts[0].model_copy(update={"name": name}) for name in names],
                "runs": [run.model_copy(update={"prompt": name}) for name in names for run in record.runs],
                "comparisons": [
                    each.model_copy(update={"prompt": name}) for name in names for each in record.comparisons
                ],
                "metrics": [replace(metric, name=f"metric-{n}") for n in range(3000)],
                "approximations": [approximated] * 2000,
            }
        )
    )
    page = shown(many, folder)
    for more in ("2 more prompts are", "2988 more metrics are", "1984 more approximations are"):
        assert f"{more} in the report." in page
    assert len(shown(hostile(many, "<" * 5000), folder).encode()) < notebook.LIMIT


def test_an_audit_without_a_reference_claims_nothing(record: AuditRecord, folder: Path) -> None:
    asleep = shown(change_run(record, "reference", measured=False, reason="asleep"), folder)
    assert "The reference was not measured, so nothing could be compared with it." in asleep
    assert "The baseline gives " not in asleep


def test_consoles_get_the_same_as_markdown(record: AuditRecord, folder: Path) -> None:
    said = AuditResult(record, folder, folder / "report.html")._repr_markdown_()
    assert "**The baseline gives " in said
    assert "- **Not measured**: " in said


def test_what_a_notebook_stores_beside_it_is_short(record: AuditRecord, folder: Path) -> None:
    """IPython stores the text of a value, too."""
    audit = AuditResult(record, folder, folder / "report.html")
    sources = compared(f"{SCRIPT}pipe('a')\n", f"{SCRIPT}pipe('b')\n")
    versions = VersionsResult(VersionsRecord(package="diffusers", title="t", finished=True, releases=[]), audit)
    for each in (audit, sources, WhyResult(sources, folder / "why.toml", audit), versions):
        assert len(repr(each)) < 1500
    assert str(folder) in repr(audit)


def compared(script: str, space: str, patch: str = "") -> SourceComparison:
    ours, theirs = read_text(script, "run.py"), read_text(space, "app.py")
    return SourceComparison(ours, theirs, compare_sources(ours, theirs), Advice(patch=patch), [], "run.py", "org/space")


def test_two_sources_show_what_differs_and_the_patch() -> None:
    ours = f"{SCRIPT}pipe('a lemon', guidance_scale=6.0, negative_prompt='<b>dull</b>')\n"
    theirs = f"{SCRIPT}pipe('a lemon', guidance_scale=7.0)\n"
    found = compared(ours, theirs, "-guidance_scale=6.0\n+guidance_scale=7.0 # <hf_abcdefghijklmnopqrstuvwxyzabcdefgh>")
    page = Page(found._repr_html_())
    text = " ".join(page.text.split())
    assert found.headline in text
    assert "call.guidance_scale6.0run.py:47.0app.py:4" in text
    assert "<b>dull</b>" in text
    assert "+guidance_scale=7.0" in text
    assert "hf_abc" not in text, "a token of a script is not stored in a notebook"
    assert {tag for tag, _ in page.tags} <= ALLOWED


def test_a_measured_difference_shows_the_audit_and_the_patch(record: AuditRecord, folder: Path) -> None:
    audit = AuditResult(record, folder, folder / "report.html")
    found = WhyResult(
        compared(f"{SCRIPT}pipe('a')\n", f"{SCRIPT}pipe('a')\n"), folder / "why.toml", audit, Advice(patch="+<x>")
    )
    page = found._repr_html_()
    assert page.startswith(audit._repr_html_())
    assert "+&lt;x&gt;" in page
    assert "patch" not in WhyResult(found.sources, found.scenario, audit)._repr_html_()


def test_releases_show_where_the_output_changes(record: AuditRecord, folder: Path) -> None:
    releases = [
        ReleaseRecord(prompt="lemon", version="0.35.0", run="a", measured=True),
        ReleaseRecord(prompt="lemon", version="0.36.0", run="b", measured=False, reason="<no wheel>"),
    ]
    versions = VersionsRecord(package="diffusers", title="t", finished=True, releases=releases)
    audit = AuditResult(record, folder, folder / "report.html")
    page = VersionsResult(versions, audit)._repr_html_()
    assert "No two releases of diffusers were compared. No clip with 0.36.0." in page
    assert "no clip: &lt;no wheel&gt;" in page
    assert page.endswith(audit._repr_html_())
