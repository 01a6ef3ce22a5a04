"""The page's words can be translated: all of them, out of one catalogue, and nothing but words changes."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from spacediff.record import AuditRecord
from spacediff.reporting import html
from spacediff.reporting.axes import linear
from spacediff.reporting.html import render_html
from spacediff.reporting.plots import Series, plot
from spacediff.reporting.previews import _LEVELS, _note
from spacediff.reporting.text import gettext, ngettext, spoken
from spacediff.shipped import shipped
from support.bracketed import Bracketed, untranslated, wide
from support.full_audits import told_audits
from support.page_messages import TEMPLATE, messages, template
from support.synthetic_audit import synthetic_audit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def audits(folder: Path) -> list[AuditRecord]:
    return [wide(record) for record in told_audits(folder)]


@pytest.fixture(scope="module")
def bracketed(audits: list[AuditRecord], folder: Path) -> tuple[list[str], set[str]]:
    """The pages of all audits in brackets, and all that was said on them."""
    brackets = Bracketed()
    return [render_html(record, folder, brackets) for record in audits], brackets.said


def texts() -> list[str]:
    """Return all texts of the catalogue, singular and plural."""
    found = [message.id for message in messages() if message.id]
    return [text for each in found for text in ([each] if isinstance(each, str) else each)]


# ---- all of them


def test_everything_that_the_page_says_can_be_translated(bracketed: tuple[list[str], set[str]]) -> None:
    pages, _ = bracketed
    assert sorted({found for page in pages for found in untranslated(page)}) == []


def test_everything_in_the_catalogue_was_said(
    bracketed: tuple[list[str], set[str]],
    audits: list[AuditRecord],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brackets = Bracketed()
    size = len(render_html(audits[0], folder, brackets).encode())
    for budget in (size - 5_000, 1):  # what a page says that had to be shrunk, and one that is too large all the same
        monkeypatch.setattr(html, "BUDGET", budget)
        render_html(audits[0], folder, brackets)
    with spoken(brackets):
        for level in (_LEVELS[0], _LEVELS[-1]):
            _note(level)
        plot([Series(str(n), [1.0]) for n in range(6)], linear, str, first=0)
        plot([Series(str(n), [float(n < 6)]) for n in range(14)], linear, str, first=0)
    assert sorted(set(texts()) - brackets.said - bracketed[1]) == [], "else nobody would see it being left out"


@pytest.mark.parametrize(
    ("said", "bare"),
    [
        ("<p>Bare</p>", [("p", "Bare")]),
        ("<p>⟦Whole ⟦and inner⟧⟧ 12.3 s</p>", []),
        ("<p>⟦in <b>it⟧</b> and out</p>", [("p", "and out")]),
        ('<a title="Bare">⟦x⟧</a>', [("a[title]", "Bare")]),
        ('<input placeholder="⟦x⟧ y">', [("input[placeholder]", "y")]),
        ("<svg><title>Bare</title><text>⟦x⟧</text></svg>", [("title", "Bare")]),
        ("<kbd>f</kbd><kbd>home</kbd>", [("kbd", "home")]),
        ("<i>spacediff 1</i><i>true</i><i>latents, text</i><i>text s</i>", [("i", "text s")]),
    ],
)
def test_what_stands_outside_of_brackets_is_found(said: str, bare: list[tuple[str, str]]) -> None:
    assert untranslated(said) == bare


def test_scripts_and_style_hold_no_words() -> None:
    css = (shipped("reports") / "report.css").read_text("utf-8")
    assert [text for text in re.findall(r'content: "([^"]*)"', css) if re.search("[A-Za-z]", text)] == []
    said = re.compile(r"""(?:textContent|title|ariaLabel|"aria-label",|"title",)\s*=?\s*["'`]([^"'`]*)""")
    scripts = {name: (shipped("reports") / name).read_text("utf-8") for name in html.SCRIPTS}
    found = {name: [text for text in said.findall(source) if text] for name, source in scripts.items()}
    assert {name: words for name, words in found.items() if words} == {}


# ---- out of one catalogue


def test_the_catalogue_template_is_as_the_code_is() -> None:
    assert TEMPLATE.read_text("utf-8") == template(), "run `make messages`"


def test_no_text_breaks_a_page() -> None:
    for text in texts():
        assert text % defaultdict(str), "values are named"
        assert '"' not in text, "it would end an attribute, or be spelt out"
        assert text == " ".join(text.split()), "whole, and without breaks"


def catalogue(entries: dict[str, str | tuple[str, ...]]) -> GNUTranslations:
    """Compile a German catalogue from the template's messages, as a translator's tools do."""
    german = Catalog(locale="de")
    for message in messages():
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            german.add(message.id, entries.get(key, ""), context=message.context)
    buffer = io.BytesIO()
    write_mo(buffer, german)
    buffer.seek(0)
    return GNUTranslations(buffer)


GERMAN: dict[str, str | tuple[str, ...]] = {
    "Variant": "Variante",
    "against": "gegen",
    "%(num)s warning": ("%(num)s Warnung", "%(num)s Warnungen"),
    "%(run)s is as far from the reference as another seed: a different sample.": (
        "Ein anderes Muster: so weit wie ein anderer Startwert ist %(run)s von der Referenz entfernt."
    ),
    "Copy for issue": 'Für ein "Issue" kopieren',
    "Playback": 'Wieder"gabe',
    "%(name)s and %(num)s more": ("%(name)s und %(num)s weiterer", "%(name)s und %(num)s weitere"),
}


def test_a_catalogue_speaks_on_its_page_and_nowhere_else(folder: Path) -> None:
    record = synthetic_audit(folder)
    named = [run.model_copy(update={"name": "<b>dpm"}) if run.name == "dpm" else run for run in record.runs]
    held = [c.model_copy(update={"candidate": "<b>dpm"}) if c.candidate == "dpm" else c for c in record.comparisons]
    record = record.model_copy(update={"runs": named, "comparisons": held})
    before = render_html(record, folder)
    page = render_html(record, folder, catalogue(GERMAN))
    assert '<html lang="de">' in page
    assert "<span>Variante</span>" in page
    assert "<span>gegen</span>" in page
    assert "2 Warnungen" in page, "the plural that German asks for"
    assert "1 argument accepted but ignored" in page, "what the catalogue lacks stays English"
    assert 'so weit wie ein anderer Startwert ist <bdi class="name">&lt;b&gt;dpm</bdi> von' in page, (
        "moved, and escaped"
    )
    assert "Für ein &quot;Issue&quot; kopieren" in page
    assert 'aria-label="Wieder&quot;gabe"' in page, "a quotation mark ends no attribute"
    assert record.question in page.replace("&#39;", "'"), "a text of the record stays as it is"
    assert render_html(record, folder) == before
    assert '<html lang="en">' in before


def test_the_language_ends_with_its_page_even_when_drawing_fails(folder: Path) -> None:
    class Torn(GNUTranslations):
        def gettext(self, message: str) -> str:
            if message == "Variant":
                raise ValueError(message)
            return message.upper()

    with pytest.raises(ValueError, match="Variant"):
        render_html(synthetic_audit(folder), folder, Torn())
    assert gettext("Variant") == "Variant"
    with spoken(catalogue(GERMAN)):
        assert gettext("Variant") == "Variante"
        assert ngettext("%(name)s and %(num)s more", "%(name)s and %(num)s more", 1, name="a") == "a und 1 weiterer"


# ---- and nothing but words


def test_another_language_changes_nothing_but_words(
    audits: list[AuditRecord], bracketed: tuple[list[str], set[str]], folder: Path
) -> None:
    pages, _ = bracketed
    for record, page in list(zip(audits, pages, strict=True))[:8]:
        assert re.sub(r"[⟦⟧]|\\u27e[67]", "", page) == render_html(record, folder)
