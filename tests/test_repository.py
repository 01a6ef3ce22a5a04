"""What a host of repositories reads: the citation, and the forms of issues."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

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


def valid(schema: str, *files: Path) -> bool:
    """Whether files are valid by a schema that their reader publishes."""
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", *map(str, files)])
    assert "validation errors" in done.output or done.exit_code == 0, done.output
    return done.exit_code == 0


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("citation-file-format", [ROOT / "CITATION.cff"]),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"]),
    ],
)
def test_citation_and_forms_are_valid_by_their_published_schemas(
    schema: str, files: list[Path], tmp_path: Path
) -> None:
    assert valid(schema, *files)
    changed = tmp_path / files[0].name
    changed.write_text(files[0].read_text("utf-8") + "unknown: 1\n", "utf-8")
    assert not valid(schema, changed)


def test_there_are_forms() -> None:
    assert len(FORMS) == 3
