"""The documentation as a site: pages drawn from code, the navigation, and a strict build that needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spacediff
from docs.site.reference import help_texts, keys, python_api
from docs.site.tree import GeneratedPage, assemble, with_navigation
from spacediff.cli.parser import parsers
from spacediff.extras import RUN
from spacediff.scenario.scenario import scenario_schema
from support.html_page import Page
from support.paths import ROOT
from support.site_pages import asked_by_style, dead_links, fetched, pages_of

DRAWN = GeneratedPage("drawn.md", "what is drawn", "# Drawn\n")


def test_the_index_is_the_navigation_and_lists_pages_that_are_drawn() -> None:
    how_to = "- [a.md](a.md): a\n- [B](B.md): see [c.md](c.md)\n- [d.md](d.md#e): e\n"
    index = f"# Pages\n\n## How to\n\n{how_to}\n## Reference\n\n- [d](d.md)\n"
    text = with_navigation(index, [DRAWN])
    trees = re.findall(r"```\{toctree\}\n:hidden:\n:caption: ([^\n]+)\n\n(.*?)\n```", text, re.DOTALL)
    assert trees == [("How to", "a\nB"), ("Reference", "d\ndrawn")]
    assert "- [](a.md): a\n- [B](B.md): see [c.md](c.md)\n- [](d.md#e): e\n" in text
    assert "- [d](d.md)\n- [](drawn.md): what is drawn\n" in text
    with pytest.raises(ValueError, match="no section Reference"):
        with_navigation("# Pages\n\n## How to\n", [DRAWN])


def test_links_lead_to_the_same_files_when_the_pages_are_put_together(tmp_path: Path) -> None:
    assemble(tmp_path, [DRAWN])
    pages = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.md")}
    assert {path.name for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]} | {"drawn.md"} == set(pages)
    links = [link for text in pages.values() for link in re.findall(r"\]\(([^)#\s]+)", text) if ":" not in link]
    assert len(links) > 100
    assert [link for link in links if link.startswith("../") or not (tmp_path / link).is_file()] == []
    assert (tmp_path / "files/docs/workflows/release.yml").is_file()


def test_every_key_of_a_scenario_is_drawn_with_its_default() -> None:
    page, schema = keys(), scenario_schema()
    for name, table in {"Scenario": schema, **schema["$defs"]}.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert set(table["properties"]) == set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)), name
    assert "| `max_drift` | number | `0.05` | Its largest drift" in page
    assert "| `title` | a text of 1 to 500 characters | required | The audit's title. |" in page
    targets = set(re.findall(r"\]\(#(\w+)\)", page))
    assert targets
    assert targets <= {name.lower() for name in re.findall(r"^## (\w+)$", page, re.MULTILINE)}


def test_the_help_of_every_command_is_drawn() -> None:
    page = help_texts()
    for name, command in parsers()[1].items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert [option for option in command.options if option not in section] == [], name
    assert max(map(len, page.splitlines())) < 110


def test_every_function_and_class_of_the_api_is_drawn() -> None:
    drawn = set(re.findall(r"^\.\. auto(?:function|class):: spacediff\.(\w+)$", python_api(), re.MULTILINE))
    assert {"run_audit", "AuditResult", "Verdict", "AuditInterrupted"} <= drawn
    left_out = set(spacediff.__all__) - drawn
    assert {"SpaceSleeping", "NotMeasuredError"} <= left_out
    assert not {name for name in left_out if not isinstance(getattr(spacediff, name), type)} - {"trace"}


def test_a_dead_link_and_a_fetch_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#top">1</a><a href="#down">2</a><a href="c">3</a>'
    )
    (tmp_path / "b.html").write_text(
        '<a href="a.html#top">4</a><img src="//x.org/y.png"><style>@import "https://f"</style>'
    )
    pages = pages_of(tmp_path)
    assert list(dead_links(tmp_path, pages)) == ["a.html: b.html#top", "a.html: #down", "a.html: c"]
    assert list(fetched(pages)) == ["b.html: img //x.org/y.png", "b.html: style https://f"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does in a checkout without an audit, where nothing of the extra is installed."""
    folder = tmp_path_factory.mktemp("docs")
    absent = set(RUN) - {"stamina"}  # which the dependency group `docs` has
    lines = "".join(f"sys.modules[{name!r}] = None\n" for name in sorted(absent))
    (folder / "sitecustomize.py").write_text(f"import sys\n{lines}")
    program = [sys.executable, "-m", "docs.site", "--out", str(folder / "site"), "--sample", str(folder / "none")]
    path = os.pathsep.join([str(folder), str(ROOT / "harness")])
    done = subprocess.run(
        program, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return pages_of(site)


@pytest.mark.slow
def test_every_page_is_built_and_its_links_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    names = {path.stem for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]} | {"keys", "help", "python", "sample"}
    assert names <= {path.stem for path in pages}
    assert list(dead_links(site, pages)) == []
    assert len({page.text for page in pages.values()}) == len(pages)


@pytest.mark.slow
def test_no_page_asks_another_server(site: Path, pages: dict[Path, Page]) -> None:
    assert list(fetched(pages)) == []
    styles = list(site.rglob("*.css"))
    assert styles
    assert [each for style in styles for each in asked_by_style(style.read_text("utf-8"))] == []


@pytest.mark.slow
def test_signatures_docstrings_and_the_sample_are_in_the_site(site: Path, pages: dict[Path, Page]) -> None:
    text = " ".join(pages[site / "python.html"].text.split())
    assert "AuditInterrupted – Ctrl-C; it holds the result so far." in text
    assert "stop_without_reference" in text
    assert "mine.mp4" in (site / "sample" / "report.html").read_text("utf-8")
