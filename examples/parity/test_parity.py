"""Parity as a test of a project: `pytest examples/parity`. The fixture comes with spacediff."""

from collections.abc import Callable
from pathlib import Path

import spacediff

SCENARIO = Path(__file__).with_name("saving_memory.toml")


def test_saving_memory_changes_no_frame(reproduces: Callable[..., spacediff.AuditResult]) -> None:
    result = reproduces(SCENARIO, variant="saving-memory")
    assert result.comparison("saving-memory").verdict is spacediff.Verdict.IDENTICAL
    assert not result.record.ignored
