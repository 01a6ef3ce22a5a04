"""All report formats, by the real command, for a real audit and for two files."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from spacediff.cli.commands import main
from spacediff.clip import write_preview
from spacediff.privacy.redaction import redact_text
from spacediff.record import SCHEMA_VERSION, AuditRecord, read_record, record_schema
from spacediff.reporting.formats import FILES, add_to_job_page
from support.clips import moving_ball
from support.paths import ROOT
from support.quickstart import Finished
from support.synthetic_audit import synthetic_audit

ALL = [word for name in FILES for word in ("--format", name)]


def conforms(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value is valid against a JSON Schema, for the keywords that this schema uses."""
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return any(conforms(value, each, root) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if schema.get("type") == "object":
        return _table(value, schema, root)
    if schema.get("type") == "array":
        return _list(value, schema, root)
    return "type" not in schema or type(value) in PLAIN[schema["type"]]


PLAIN: dict[str, set[type]] = {
    "string": {str},
    "boolean": {bool},
    "integer": {int},
    "number": {int, float},
    "null": {type(None)},
}


def _table(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    inner, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not isinstance(value, dict) or not set(schema.get("required", [])) <= value.keys():
        return False
    foreign = value.keys() - inner.keys()
    if others is False and foreign:
        return False
    of_others = others if isinstance(others, dict) else {}
    return all(conforms(item, inner.get(key, of_others), root) for key, item in value.items())


def _list(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    if not isinstance(value, list):
        return False
    fixed = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
    return len(fixed) == len(value) and all(conforms(v, s, root) for v, s in zip(value, fixed, strict=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A synthetic audit folder with its record."""
    audit = tmp_path / "audit"
    record = synthetic_audit(audit, frames=2, size=(32, 48))
    (audit / "audit.json").write_text(record.model_dump_json())
    return audit


def test_formats_are_written_next_to_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), *ALL]) == 0
    printed = capsys.readouterr().out.split()
    assert printed == [redact_text(str(folder / name)) for name in FILES.values()]
    assert all((folder / name).stat().st_size for name in FILES.values())


def test_out_names_a_file_for_one_format_and_a_folder_for_several(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder), "--format", "md", "--out", str(tmp_path / "paste.md")]) == 0
    assert (tmp_path / "paste.md").read_text().startswith("### ")
    assert (
        main(["report", str(folder), "--format", "md", "--format", "zip", "--out", str(tmp_path / "new" / "in")]) == 0
    )
    assert {path.name for path in (tmp_path / "new" / "in").iterdir()} == {"issue.md", "report.zip"}
    capsys.readouterr()
    assert main(["report", str(folder), "--format", "json"]) == 0
    assert AuditRecord.model_validate_json(capsys.readouterr().out) == read_record(folder)


@pytest.mark.parametrize("name", [name for name in FILES if name != "zip"])
def test_a_report_can_be_printed(folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), "--format", name, "--out", str(tmp_path / "file")]) == 0
    capsys.readouterr()
    assert main(["report", str(folder), "--format", name, "--out", "-"]) == 0
    assert capsys.readouterr().out == (tmp_path / "file").read_text("utf-8")
    assert not Path("-").exists()


def test_the_record_of_the_audit_is_not_overwritten(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "audit.json").read_bytes()
    (earlier := tmp_path / "earlier").mkdir()
    (earlier / "audit.json").write_bytes(before)
    assert main(["report", str(folder), "--format", "json", "--out", str(folder)]) == 0
    assert main(["report", str(folder), "--against", str(earlier), "--format", "json", "--out", str(folder)]) == 2
    assert "the audit's own record" in capsys.readouterr().err
    assert (folder / "audit.json").read_bytes() == before
    (other := tmp_path / "other").mkdir()
    assert main(["report", str(folder), "--against", str(earlier), "--format", "json", "--out", str(other)]) == 0
    record = read_record(other)
    assert record.history is not None
    assert record.command.startswith(read_record(folder).command + "; spacediff report ")
    assert record.command.endswith("/audit --against .../earlier")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--format", "pdf"],
        ["--format", "zip", "--variant", "dmp"],
        ["--format", "md", "--variant", "dpm"],
        ["--against", "nowhere"],
        ["--format", "zip", "--out", "-"],
        ["--format", "md", "--format", "html", "--out", "-"],
    ],
)
def test_a_wrong_request_is_exit_code_2(folder: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["report", str(folder), *wrong])
    except SystemExit as error:
        code = int(str(error.code))
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_a_zip_leaves_out_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "previews")
    assert main(["report", str(folder), "--format", "zip"]) == 0
    assert "side-by-side.mp4 was left out: its clips are not in the audit folder" in capsys.readouterr().err


def test_the_help_describes_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    printed = capsys.readouterr().out
    for name, file in FILES.items():
        assert re.search(rf"^  {name} ", printed, re.MULTILINE)
        assert file in printed or name == "json"


def test_the_records_schema_is_printed_and_describes_a_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--record"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == record_schema()
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    data = json.loads((folder / "audit.json").read_text())
    assert conforms(data, schema, schema)
    for broken in (
        {"schema_version": SCHEMA_VERSION + 1},
        {"gate": {"status": "green"}},
        {"unheard_of": 1},
        {"seconds": "long"},
    ):
        assert not conforms(data | broken, schema, schema)


def test_the_published_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--record"]) == 0
    published = ROOT / "docs" / "audit.schema.json"
    assert published.read_text() == capsys.readouterr().out, "spacediff schema --record > docs/audit.schema.json"


def test_the_record_of_a_real_audit_matches_its_schema(quickstart: Finished) -> None:
    data = json.loads((quickstart.folder / "audit.json").read_text())
    assert conforms(data, record_schema(), record_schema())
    assert "inf" in (quickstart.folder / "audit.json").read_text(), "an infinite PSNR is part of it"


def test_all_formats_of_a_real_audit(quickstart: Finished, tmp_path: Path) -> None:
    assert main(["report", str(quickstart.folder), *ALL, "--out", str(tmp_path / "out")]) == 0
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert sizes.keys() == set(FILES.values())
    assert sizes["report.zip"] < 25_000_000


def test_a_job_page_that_cannot_be_written_leaves_the_exit_code_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = read_record(folder)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "page.md"))
    assert "could not be added to the job's page" in add_to_job_page(record)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    assert add_to_job_page(record) == ""
    assert "the usual script against the Space" in (tmp_path / "page.md").read_text()


def test_two_files_have_all_formats_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write_preview(moving_ball(3), tmp_path / "a.mp4")
    write_preview(moving_ball(3, seed=1), tmp_path / "b.mp4")
    out = tmp_path / "out"
    assert main(["compare", str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4"), "--out", str(out)]) == 0
    assert main(["report", str(out), *ALL]) == 0
    assert "`candidate`: **differs**" in (out / "issue.md").read_text()
    root = ET.fromstring((out / "junit.xml").read_text().encode())  # noqa: S314 - our own
    assert [case.attrib["name"] for case in root.iter("testcase")][:1] == ["candidate"]
    with zipfile.ZipFile(out / "report.zip") as archive:
        assert b"reference and candidate side by side" in archive.read("CONTENTS.txt")
    assert (out / "summary.md").read_text().startswith("### spacediff: ")
