"""What an audit leaves open: on the first screen, in the Markdown and on the terminal, in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spacediff.cli.summary import show_summary
from spacediff.record import AuditRecord, FactKind, ProofRecord, SemanticsRecord, Verdict, fact
from spacediff.reporting.html import render_html
from spacediff.reporting.left_open import section_of
from spacediff.reporting.markdown import render_markdown, render_summary
from spacediff.reporting.presentable import presentable
from spacediff.wording import left_open_text, proof_text
from support.facts import made
from support.html_page import Page, with_cause

OPEN = [kind for kind in FactKind if kind.name.startswith("OPEN_")]


def first_screen(page: str) -> str:
    return page.split('id="answer"')[1].partition('class="card picker"')[0]


def test_page_markdown_summary_and_terminal_say_the_same(
    record: AuditRecord, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = left_open_text(record)
    assert re.match(r"sequential; \d+ of the Space's \d+ settings; ", said)
    line = first_screen(render_html(record, folder)).split('class="left-open"')[1].split("</p>")[0]
    assert " ".join(Page(f"<p{line}</p>").text.split()) == f"Not measured {said}"
    for drawn in (render_markdown(record), render_summary(record)):
        assert f"- **Not measured**: {said}" in drawn.replace("\\", "")
    show_summary(record, folder)
    assert f"not measured: {said}" in capsys.readouterr().out


def test_each_thing_leads_to_a_section_that_the_page_has(record: AuditRecord, folder: Path) -> None:
    missing = SemanticsRecord(prompt="lemon", model="clip", reason="no network")
    whole = with_cause(record).model_copy(update={"semantics": [missing], "left_open": [made(kind) for kind in OPEN]})
    page = Page(render_html(whole, folder))
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {section_of(made(kind), whole) for kind in OPEN} <= ids
    bare = presentable(record.model_copy(update={"warnings": []}))
    assert section_of(fact(FactKind.OPEN_METRICS, metrics=["SSIM"]), bare) == "method"


def test_a_strangers_name_in_it_stays_text(record: AuditRecord, folder: Path) -> None:
    named = fact(FactKind.OPEN_RUNS, runs=["<b>x</b>"])
    page = first_screen(render_html(record.model_copy(update={"left_open": [named]}), folder))
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x" not in page


def proved(record: AuditRecord, **changes: object) -> AuditRecord:
    proof = ProofRecord(prompt="lemon", proof="proof", reproduced=True, verdict=Verdict.CODEC_ONLY, equal=True,
                        counter_proof="counter-proof", counter_reproduced=False, counter_drift=0.321)  # fmt: skip
    return with_cause(record, proofs=[proof.model_copy(update=changes)])


def test_the_proof_is_on_the_first_screen(record: AuditRecord, folder: Path) -> None:
    page = first_screen(render_html(proved(record), folder))
    assert (
        "With this setting, the local output is bitwise equal to that of the Space, once both have been through the "
        "same codec. Without it, and with all other settings of as-hosted, it differs visibly (drift 0.321, "
        "where another seed is 1)."
    ) in page
    assert page.count("bitwise") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": Verdict.IDENTICAL}, "With this setting, the local output is bitwise equal to that of the Space."),
        ({"verdict": None}, "With this setting, the local output is bitwise equal to that of as-hosted."),
        ({"verdict": None, "equal": False}, "With this setting, no difference from as-hosted can be seen."),
        ({"verdict": None, "equal": None}, "With this setting, no difference from as-hosted can be seen."),
        ({"verdict": None, "proof": "as-hosted"}, "With this setting, every setting is that of as-hosted."),
        ({"reproduced": False}, ""),
        ({"reproduced": None}, ""),
    ],
)
def test_equality_is_claimed_only_of_what_was_compared(
    record: AuditRecord, changes: dict[str, object], said: str
) -> None:
    assert proof_text(proved(record, counter_reproduced=None, **changes)) == said


def test_nothing_is_proved_by_an_unfinished_search(record: AuditRecord) -> None:
    found = proved(record)
    assert found.cause
    unfinished = found.model_copy(update={"cause": found.cause.model_copy(update={"finished": False})})
    assert proof_text(unfinished) == ""
    assert proof_text(record) == ""
