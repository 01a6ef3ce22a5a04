"""The command line names the option that resolves an error; the library, which has none, does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.cli.hints import with_option
from spacediff.cli.parser import parse
from spacediff.errors import (
    BlockNotChosen,
    FileExists,
    FolderOfAnotherAudit,
    InvalidArgument,
    ScenarioError,
    SpacediffError,
)
from support.paths import ROOT


@pytest.mark.parametrize(
    ("line", "error", "option"),
    [
        ("audit a.toml", FolderOfAnotherAudit("another audit", hint="give another folder"), "--out"),
        ("read issue.md", BlockNotChosen("several scripts", hint="choose a block"), "--block N"),
        ("report audits/a", InvalidArgument("a variant", hint="ask for the format zip too"), "--format zip"),
        ("why --script run.py --space a/b", FileExists("there is one", hint="name another file"), "--patch"),
    ],
)
def test_option_follows_the_librarys_own_hint(line: str, error: SpacediffError, option: str) -> None:
    before = error.hint
    shown = with_option(error, parse(line.split())).hint
    assert shown.startswith(before)
    assert option in shown


def test_error_that_no_option_resolves_keeps_its_hint() -> None:
    error = ScenarioError(Path("a.toml"), [])
    hint = error.hint
    assert with_option(error, parse(["audit", "a.toml"])).hint == hint


def test_terminal_shows_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "a.mp4", "b.mp4", "--part", "hand", "--out", str(tmp_path)]) == 2
    assert "(--semantics MODEL --part hand)" in capsys.readouterr().err


def test_hints_of_the_library_name_no_option() -> None:
    rooms = ("cli", "tiny", "training")
    package = ROOT / "harness" / "spacediff"
    sources = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in rooms]
    assert len(sources) > 100
    named = [path.name for path in sources if re.search(r'hint=f?"[^"]*--[a-z]', path.read_text("utf-8"))]
    assert named == []
