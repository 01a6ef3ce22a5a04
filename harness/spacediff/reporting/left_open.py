"""Where the page says more about what an audit leaves open."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import AuditRecord, Fact, FactKind

_ELSEWHERE = "method"
_SECTIONS: Mapping[FactKind, str] = {
    FactKind.OPEN_RUNS: "ranking",
    FactKind.OPEN_INTERRUPTED: "ranking",
    FactKind.OPEN_SETTINGS: "settings",
    FactKind.OPEN_LIBRARIES: "environment",
    FactKind.OPEN_HARDWARE: "environment",
    FactKind.OPEN_REVISION: "settings",
    FactKind.OPEN_PROMPT_TEXT: "cause",
    FactKind.OPEN_CONTENTS: "contents",
    FactKind.OPEN_SOUND: "warnings",
    FactKind.OPEN_PROBES: "cause",
}


def section_of(left_open: Fact, record: AuditRecord) -> str:
    """Return the id of the section that a thing left open leads to, one that the page has."""
    if left_open.kind is FactKind.OPEN_METRICS and record.warnings:
        return "warnings"
    return _SECTIONS.get(left_open.kind, _ELSEWHERE)
