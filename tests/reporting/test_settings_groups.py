from __future__ import annotations

from spacediff.record import AuditRecord, with_derived
from spacediff.reporting.view import prompt_view
from spacediff.settings import Origin
from support.synthetic_audit import setting


def groups(record: AuditRecord, name: str) -> dict[str, list[str]]:
    prompt = prompt_view(with_derived(record), record.prompts[0])
    row = next(row for row in prompt.rows if row.run.name == name)
    return {group: [found.path for found in rows] for group, rows in row.settings.items()}


def test_settings_are_distinguished(record: AuditRecord) -> None:
    found = groups(record, "dpm")
    assert found["changed"] == ["scheduler.class", "scheduler.timestep_spacing"]
    assert "call.guidance_scale" in found["differing"]
    assert found["unknown"] == ["numerics.attention"]
    assert {"rng.seed", "call.num_frames"} <= set(found["same"])  # the reference does not tell the latter


def test_an_unknown_setting_never_counts_as_equal(record: AuditRecord) -> None:
    for name in ("baseline", "dpm"):
        assert "numerics.attention" in groups(record, name)["unknown"]
    known = [
        run.model_copy(update={"settings": {**run.settings, "numerics.attention": setting("sdpa", Origin.OBSERVED)}})
        for run in record.runs
        if run.measured
    ]
    assert "unknown" not in groups(record.model_copy(update={"runs": known}), "dpm")


def test_the_baseline_changes_nothing_against_itself(record: AuditRecord) -> None:
    assert "changed" not in groups(record, "baseline")
