"""Parity as tests of a project: `pytest examples/parity`. The fixtures and the marker come with spacediff."""

from collections.abc import Callable
from pathlib import Path

import pytest

import spacediff

SCENARIO = Path(__file__).with_name("saving_memory.toml")


def test_saving_memory_changes_no_frame(reproduces: Callable[..., spacediff.AuditResult]) -> None:
    result = reproduces(SCENARIO, variant="saving-memory")
    assert result.comparison("saving-memory").verdict is spacediff.Verdict.IDENTICAL


def test_a_change_that_is_seen_fails() -> None:
    with pytest.raises(AssertionError, match="another-guidance does not reproduce the reference"):
        spacediff.assert_reproduces(SCENARIO, variant="another-guidance")


@pytest.mark.spacediff(SCENARIO, variant="saving-memory")
def test_no_argument_is_ignored(spacediff_result: spacediff.AuditResult) -> None:
    assert not spacediff_result.record.ignored
