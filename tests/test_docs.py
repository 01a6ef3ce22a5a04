"""The documentation against the code: whatever it names exists, and it is written in plain English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacediff import __version__
from spacediff.cli.parser import parsers
from spacediff.scenario.scenario import parse_scenario, scenario_schema
from support.dialect import DIALECT, dialect_in
from support.paths import ROOT

PACKAGE = ROOT / "harness" / "spacediff"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
CODE = re.compile(r"```.*?\n(.*?)```|`([^`\n]+(?:\n[^`\n]+)?)`", re.DOTALL)
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|toml|js|j2|css|json|png|txt|yml))")

ELSEWHERE = (
    "audits/", "runs/", "comparisons/", "semantics/", "audit.json", "scenario.toml", "site/",
    "scheduler/scheduler_config.json",
)  # fmt: skip
"""What a user or an audit writes, `make docs` builds, or a checkpoint has; no file of the repository."""


def each_page(*but: str) -> list[object]:
    return [pytest.param(page, id=page.name) for page in PAGES if page.name not in but]


def code_in(page: Path) -> Iterator[str]:
    """Yield the code spans and code blocks of a page."""
    for block, span in CODE.findall(page.read_text("utf-8")):
        yield block or " ".join(span.split())


def commands() -> dict[str, set[str]]:
    """Return command to its options."""
    return {name: set(one.options) for name, one in parsers()[1].items()}


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", each_page())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    for link in links:
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("page", each_page())
def test_every_file_that_is_named_exists(page: Path) -> None:
    for code in code_in(page):
        for word in re.split(r"[\s'\"=(),:]+", code):
            if not FILE.fullmatch(word) or word.startswith(ELSEWHERE):
                continue
            if "/" not in word and page.name != "architecture.md":
                continue  # an example of a file's name
            assert any((folder / word).exists() for folder in (ROOT, PACKAGE, PACKAGE / "sources")) or any(
                PACKAGE.glob(f"*/{word}")
            ), word


@pytest.mark.parametrize("page", each_page())
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target for code in code_in(page) for target in re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", code, re.MULTILINE)
    }
    assert named <= targets


@pytest.mark.parametrize("page", each_page("CHANGELOG.md"))
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    known = commands()
    of_any = set().union(*known.values())
    for code in code_in(page):
        for line in code.splitlines():
            found = re.search(r"(?:^|\s)spacediff ([a-z]+)\b(.*)", line.partition(" #")[0])
            if found:
                name, rest = found.groups()
                assert name in known, line
                assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", rest)) <= known[name], line
            elif re.fullmatch(r"--[a-z-]+(?: \S+)?", line):
                assert line.split()[0] in of_any, line


@pytest.mark.parametrize("page", each_page())
def test_every_module_that_is_named_can_be_run(page: Path) -> None:
    for code in code_in(page):
        for module in re.findall(r"python3? -m ([\w.]+)", code):
            folders = [ROOT / "harness"] if module.startswith("spacediff") else [ROOT, ROOT / "tests"]
            places = [folder / module.replace(".", "/") for folder in folders]
            files = [file for place in places for file in (place.with_suffix(".py"), place / "__main__.py")]
            if module not in {"pytest", "pip"}:
                assert any(file.is_file() for file in files), module


def test_the_pages_have_links_files_targets_commands_and_modules() -> None:
    """Each test of a page looks for one of these, and would pass if it found none anywhere."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    code = "\n".join(code for page in PAGES for code in code_in(page))
    assert len(re.findall(r"\]\((?!https?:)[^)\s]+\)", text)) > 10
    assert any(FILE.fullmatch(word) and "/" in word for word in code.split())
    assert re.search(r"^make test$", code, re.MULTILINE)
    assert re.search(r"^spacediff audit .*--", code, re.MULTILINE)
    assert "python -m benchmarks" in code


def test_every_command_and_its_options_are_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for name, options in commands().items():
        assert f"`spacediff {name}" in page, name
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0] or page
        for option in options - {"-h", "--help"}:
            assert option in section, f"{name} {option}"


def test_every_key_of_a_scenario_is_described() -> None:
    schema = scenario_schema()
    page = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in ("scenario.md", "models.md", "running.md"))
    tables = [schema, *schema["$defs"].values()]
    keys = {key for table in tables for key in table.get("properties", {})}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()


def test_every_exit_code_is_described() -> None:
    from spacediff.errors import Exit

    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    described = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert {int(code) for code in described} == {int(code) for code in Exit}


def test_the_scenarios_that_are_shown_are_valid() -> None:
    shown = [
        block
        for page in PAGES
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        if block.startswith("title")
    ]
    assert len(shown) >= 2
    for text in shown:
        assert parse_scenario(text, Path("shown.toml")).prompts


def test_the_index_names_every_page_and_the_architecture_every_package() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert {page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index} == {"index.md"}
    architecture = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    packages = {f"{each.name}/" for each in PACKAGE.iterdir() if (each / "__init__.py").is_file()}
    modules = {each.name for each in PACKAGE.glob("*.py") if not each.name.startswith("__")}
    assert {name for name in packages | modules if f"`{name}`" not in architecture} == set()


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == __version__


@pytest.mark.parametrize("page", each_page())
def test_the_documentation_is_written_in_plain_english(page: Path) -> None:
    assert dialect_in(page.read_text("utf-8")) == []


@pytest.mark.parametrize("command", ["", *commands()])
def test_the_help_is_written_in_plain_english(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsers()[0].parse_args([*command.split(), "--help"])
    assert dialect_in(capsys.readouterr().out) == []


@pytest.mark.parametrize("scenario", sorted((ROOT / "scenarios").glob("*.toml")), ids=lambda path: path.name)
def test_the_example_scenarios_are_written_in_plain_english(scenario: Path) -> None:
    assert dialect_in(scenario.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Each clip is held\nagainst the reference.",
        "a mended script",
        "The gate holds.",
        "Innocent: 2",
        "told by the run",
    ],
)
def test_dialect_is_found(text: str) -> None:
    assert len(dialect_in(text)) == 1


@pytest.mark.parametrize(
    "text",
    ["compared with the reference", "--part hand", "The host name stands after @.", "a recommended fix", "tellurium"],
)
def test_plain_english_is_left_alone(text: str) -> None:
    assert dialect_in(text) == []


def test_allowed_phrases_are_left_alone() -> None:
    assert dialect_in("the host's torch", allowed=["host's"]) == []
    assert DIALECT
