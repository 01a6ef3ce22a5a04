"""What a host of repositories reads: the citation, and the forms of issues."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from spacediff import __version__
from spacediff.cli.parser import parsers
from support.dialect import dialect_in
from support.paths import ROOT

FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def test_the_citation_names_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["version"] == __version__
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_what_a_command_prints(form: Path) -> None:
    text = form.read_text("utf-8")
    read = yaml.safe_load(text)
    assert {"name", "description", "body"} <= read.keys()
    fields = [field for field in read["body"] if field["type"] == "textarea"]
    assert len({field["id"] for field in fields}) == len(fields) > 0
    commands = parsers()[1]
    for name, options in re.findall(r"`spacediff (\w+)([^`]*)`", text):
        assert set(re.findall(r"--[a-z-]+", options)) <= set(commands[name].options)
    assert dialect_in(text) == []


def test_there_are_forms() -> None:
    assert len(FORMS) == 3
