"""The synthetic audit as one of pictures."""

from __future__ import annotations

from spacediff.record import AuditRecord


def of_pictures(record: AuditRecord, frames: int) -> AuditRecord:
    """Return an audit whose runs all give this many pictures, and whose comparisons have no motion."""
    changed = {"medium": "pictures", "frames": frames}
    runs = [
        run.model_copy(update={"clip": run.clip.model_copy(update=changed)}) if run.clip else run for run in record.runs
    ]
    comparisons = [
        each.model_copy(update={"measures": {name: m for name, m in each.measures.items() if name != "motion"}})
        for each in record.comparisons
    ]
    return record.model_copy(update={"runs": runs, "comparisons": comparisons})
