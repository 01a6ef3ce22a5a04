from __future__ import annotations

import base64
import gzip
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from spacediff.record import AuditRecord
from spacediff.reporting.charting import charting
from spacediff.reporting.html import render_html, write_report
from spacediff.reporting.page import page_templates, shipped_text
from support.html_page import Page, draw, with_cause
from support.synthetic_traces import with_traces


def policy(page: Page) -> dict[str, list[str]]:
    content = next(a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert content is not None
    return {name: values for name, *values in (rule.split() for rule in content.split(";"))}


def test_policy_allows_exactly_the_inlined_script_and_style(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    rules = policy(page)
    assert rules["media-src"] == ["blob:"], "videos come from nowhere else"
    [style] = page.raw["style"]
    [script] = [
        text
        for text, attrs in zip(page.raw["script"], page.named("script"), strict=True)
        if attrs["type"] != "application/json"
    ]

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert rules["style-src"] == [digest(style)]
    drawing = charting()
    packed = page.data("report-charting")["packed"]
    assert rules["script-src"] == [digest(script), digest(gzip.decompress(base64.b64decode(packed)).decode())]
    assert rules["script-src"][1] == digest(drawing.script)
    assert digest(script + " ") not in rules["script-src"]
    assert rules["default-src"] == ["'none'"]
    assert "unsafe" not in str(rules)


def test_nothing_is_fetched_and_nothing_is_styled_inline(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    for tag, attrs in page.tags:
        assert "style" not in attrs
        assert (attrs.get("src") or "data:").startswith("data:")
        assert (attrs.get("href") or "#").startswith(("#", "data:")), (tag, attrs)
    assert "url(" not in page.raw["style"][0]
    assert "@import" not in page.raw["style"][0]


def test_a_name_that_templates_do_not_know_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        page_templates().from_string("{{ nothing }}").render()


def test_importing_the_report_loads_nothing_heavy() -> None:
    heavy = ["torch", "diffusers", "av", "numpy", "pandas", "gradio_client", "cv2"]
    code = f"import sys, spacediff.reporting.html; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_report_is_written_whole_or_not_at_all(
    record: AuditRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(record, tmp_path)
    first = path.read_text("utf-8")
    assert first == render_html(record, tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.setattr("spacediff.reporting.page.SCRIPTS", ("missing.js",))
    with pytest.raises(OSError, match=r"missing\.js"):
        write_report(record, tmp_path)
    assert path.read_text("utf-8") == first
    assert list(tmp_path.iterdir()) == [path]


def test_ignored_arguments_are_named_once_with_their_runs(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    assert page.text.count("and did not use it") == 1
    assert "In baseline, as-hosted, cpu-noise" in page.text
    silent = record.model_copy(update={"runs": [run.model_copy(update={"ignored": []}) for run in record.runs]})
    assert "Accepted, but ignored" not in draw(silent, folder).text


def test_environments_that_differ_are_marked_and_first(record: AuditRecord, folder: Path) -> None:
    page = draw(record, folder)
    assert page.text.count("≠ differs") == 1
    environment = page.text[page.text.index("Environment") :]
    assert environment.index("torch") < environment.index("diffusers") < environment.index("python")


def test_sections_come_in_order_of_use(record: AuditRecord, folder: Path) -> None:
    page = Page(render_html(with_cause(with_traces(record)), folder))
    sections = [attrs.get("id") or attrs.get("class") for attrs in page.named("section")]
    order = ["player", "cause", "frames", "card inside", "ranking", "settings", "no-effect", "ignored", "warnings"]
    order += ["environment", "method", "reproduce"]
    assert [name for name in sections if name in order] == order


def test_a_browser_without_light_and_dark_gets_the_light_colours() -> None:
    """Where the function is unknown, a colour that is made of it is none at all."""
    style = shipped_text("report.css")
    both = re.findall(r"(--[\w-]+): light-dark\((#\w+), #\w+\);", style)
    fallback = style.split("@supports not (color: light-dark(#000, #fff))")[1].split("\n}")[0]
    assert re.findall(r"(--[\w-]+): (#\w+);", fallback) == both != []
