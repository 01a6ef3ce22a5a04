"""docs/tutorial.md: its commands run in their order and print what it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"(<!-- not run by the test -->\n)?```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def printed_by(line: str, folder: Path) -> str:
    line, _, file = line.partition(" < ")
    given = (folder / file).read_text("utf-8") if file else ""
    program, *words = shlex.split(line)
    command = [sys.executable, "-m", "spacediff"] if program == "spacediff" else [program]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "harness")}
    done = subprocess.run(
        [*command, *words], cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def missing(shown: str, printed: str, *, exact: bool) -> list[str]:
    """Return what a block shows between its ellipses and a command did not print, in this order.

    Lines may be wrapped in another way, and the numbers of a measurement are other ones on another processor.
    """
    left, found_not = plain(printed, exact=exact), []
    for part in filter(None, (plain(each, exact=exact) for each in shown.split("…"))):
        before, found, after = left.partition(part)
        if found:
            left = after
        else:
            found_not.append(part)
            left = before
    return found_not


def plain(text: str, *, exact: bool) -> str:
    words = " ".join(text.split())
    return words if exact else re.sub(r"\d+(?:\.\d+)?", "0", words)


def test_a_line_that_is_not_printed_is_found() -> None:
    assert missing("one\n…\nthree 3", "zero one\ntwo three  3", exact=True) == []
    assert missing("three 3\n…\none", "one three 4", exact=True) == ["three 3"]
    assert missing("three 3\n…\none", "one three 4", exact=False) == ["one"]


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_print_what_the_tutorial_shows(tmp_path: Path) -> None:
    line, printed, compared = "", "", 0
    for left_out, kind, block in BLOCKS:
        if kind == "python":
            (tmp_path / "run.py").write_text(block)
        elif kind == "console" and not left_out:
            for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE):
                printed = printed_by(line, tmp_path)
        elif kind == "text":
            assert missing(block, printed, exact="--plan-only" in line) == []
            compared += 1
    assert compared == 3
    assert (tmp_path / "audits" / "why-run" / "report.html").is_file()
