"""A record of anybody is read and shown, or refused in one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import spacediff
from spacediff.cli.commands import main
from spacediff.errors import Exit, NotAnAuditFolder, RecordError
from spacediff.record import AuditRecord, write_record
from spacediff.record.file import read_record
from spacediff.results import AuditResult
from support.synthetic_audit import synthetic_audit


def test_a_missing_folder_is_told_from_one_without_a_record_and_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, said in (("gone", "there is no such folder"), (".", "it has no audit.json"), ("file", "it is a file")):
        with pytest.raises(NotAnAuditFolder, match=said):
            read_record(tmp_path / name)


@pytest.fixture
def written(tmp_path: Path) -> tuple[AuditRecord, Path]:
    """Write a synthetic audit."""
    record = synthetic_audit(tmp_path, frames=2, size=(32, 48))
    write_record(record, tmp_path)
    return record, tmp_path


def changed(folder: Path, **values: Any) -> None:
    path = folder / "audit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_has_no_number_for_is_refused(written: tuple[AuditRecord, Path], value: float) -> None:
    changed(written[1], seconds=value)
    with pytest.raises(RecordError, match="is no number of JSON"):
        read_record(written[1])


def test_a_device_a_pipe_and_an_endless_file_are_no_records(written: tuple[AuditRecord, Path]) -> None:
    folder = written[1]
    (folder / "audit.json").unlink()
    (folder / "audit.json").symlink_to("/dev/zero")
    with pytest.raises(RecordError, match="not a regular file"):
        read_record(folder)
    (folder / "audit.json").unlink()
    os.mkfifo(folder / "audit.json")
    with pytest.raises(RecordError, match="not a regular file"):
        read_record(folder)
    (folder / "audit.json").unlink()
    with (folder / "audit.json").open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(RecordError, match="larger than 128 MiB"):
        read_record(folder)


def test_tiny_numbers_and_unknown_metrics_are_drawn(written: tuple[AuditRecord, Path]) -> None:
    record, folder = written
    comparisons = json.loads((folder / "audit.json").read_text())["comparisons"]
    for each in comparisons:
        each["drift"] = 5e-324
    changed(folder, comparisons=comparisons, metrics=[], seconds=5e-324)
    assert record.title in spacediff.render_report(folder, "html")


def test_values_that_do_not_fit_together_are_one_sentence_for_a_stored_record(
    written: tuple[AuditRecord, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = written
    comparisons = json.loads((folder / "audit.json").read_text())["comparisons"]
    beyond_the_last = {"metric": "psnr", "beyond_floor": 9, "half_way": None}
    changed(folder, comparisons=[each | {"first_divergence": beyond_the_last} for each in comparisons])
    assert main(["report", str(folder)]) == Exit.BAD_INPUT
    said = capsys.readouterr().err
    assert "do not fit together: IndexError" in said
    assert "Traceback" not in said
    ours = AuditResult(read_record(folder), folder, folder / "report.html")
    with pytest.raises(IndexError):
        spacediff.render_report(ours, "html")
