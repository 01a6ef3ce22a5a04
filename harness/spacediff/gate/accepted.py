"""The accepted state: the record that a person looked at and called right, kept next to the scenario.

It works as in snapshot testing (Jest, Playwright): the file lies next to what it belongs to and is committed with it, a
later audit is compared with it without being asked to, and only a command of its own replaces it.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.errors import NotAcceptable
from spacediff.file_names import short_name
from spacediff.files import write_atomically
from spacediff.gate.history import history_of
from spacediff.privacy.redaction import redact_text
from spacediff.record import AuditRecord, HistoryRecord, read_record_file
from spacediff.record.file import record_text

NAME = "the accepted state"


def accepted_path(scenario: Path) -> Path:
    """Return where the accepted state of a scenario lies: `mine.toml` has `mine.accepted.json` next to it."""
    return scenario.with_name(short_name(scenario.stem, ".accepted.json"))


def read_accepted(scenario: Path) -> AuditRecord | None:
    """Return the accepted state of a scenario; None when nothing was accepted yet.

    Raises:
        FileNotAccessible: The file cannot be read.
        RecordError: The file is no record.
    """
    path = accepted_path(scenario)
    return read_record_file(path) if path.exists() else None


def approve(record: AuditRecord, scenario: Path) -> tuple[Path, HistoryRecord | None]:
    """Keep an audit's record, without its clips and curves, as the accepted state of a scenario.

    Returns:
        The file, and how the audit compares with what was accepted before; None where nothing was.

    Raises:
        SpacediffError: The audit is another scenario's, it compared nothing, it was interrupted, or one of its controls
            failed.
    """
    if record.scenario_name != redact_text(scenario.name):
        raise NotAcceptable(
            f"the audit is not of {scenario.name}, but of {record.scenario_name or 'two files'}",
            hint="give the scenario that was audited, and the folder of its audit",
        )
    if not _compares_something(record):
        raise NotAcceptable(
            "the audit cannot be accepted: nothing was compared with its reference",
            hint="its report says what was not measured; run `spacediff audit` again",
        )
    failed = [f"{control.control} {control.run}".strip() for control in record.controls if not control.passed]
    if not record.finished or failed:
        why = f"a control failed: {', '.join(failed)}" if failed else "it was interrupted"
        raise NotAcceptable(f"the audit cannot be accepted: {why}", hint="run `spacediff audit` again")
    before = read_accepted(scenario)
    path = accepted_path(scenario)
    write_atomically(path, record_text(_without_curves(record)))
    return path, history_of(before, record, NAME) if before else None


def _compares_something(record: AuditRecord) -> bool:
    """Whether a clip was measured against the reference; without one, each run has a comparison that says why not."""
    return any(each.metrics for each in record.comparisons) or any(each.measured for each in record.samples)


def _without_curves(record: AuditRecord) -> AuditRecord:
    """Return a record without what a later audit is not compared with, so that the file stays small."""
    bare: dict[str, object] = {"per_frame": {}, "frame_map": [], "measures": {}, "frames_csv": "", "map": None}
    return record.model_copy(
        update={
            "runs": [run.model_copy(update={"trace": None, "setting_groups": None}) for run in record.runs],
            "comparisons": [each.model_copy(update=bare) for each in record.comparisons],
            "traces": [],
            "loops": [],
            "history": None,
        }
    )
