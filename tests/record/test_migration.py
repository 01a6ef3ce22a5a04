"""Records of older versions: read as today's, from a real one that is kept in tests/data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.errors import SpacediffError
from spacediff.record import SCHEMA_VERSION, GateStatus, Standing, Verdict, read_record, read_record_file
from spacediff.wording import cause_text, sentence
from support.paths import ROOT

OLD = ROOT / "tests" / "data" / "audit-schema-1.json"
"""What spacediff 0.1.0 wrote for the quickstart, with some of its runs, settings, steps and frames left out."""


def test_a_record_of_version_1_is_read() -> None:
    record = read_record_file(OLD)
    assert record.schema_version == SCHEMA_VERSION
    assert record.run("meeting", "as-hosted").measured
    assert record.gate.variant == "as-hosted"
    assert record.gate.status is GateStatus.PASSED


def test_a_record_of_version_1_gets_what_follows_from_it() -> None:
    overview = read_record_file(OLD).overview("meeting")
    assert overview.judged == "as-hosted"
    assert overview.order[0] == "as-hosted", "it reproduces the reference"
    assert overview.selected == "baseline"


def test_the_cause_of_a_record_of_version_1_is_read_and_worded() -> None:
    record = read_record_file(OLD)
    assert record.cause is not None
    assert (record.cause.start, record.cause.target) == ("baseline", "as-hosted")
    assert record.cause.target_verdict is Verdict.CODEC_ONLY
    assert [proof.succeeded for proof in record.cause.proofs] == [True]
    assert {suspect.path for suspect in record.cause.suspects if suspect.standing is Standing.NO_EFFECT} == {
        "placement",
        "scheduler.timestep_spacing",
    }
    assert cause_text(record) == (
        "The baseline differs from the Space because of three settings: scheduler, guidance scale and dynamic CFG. "
        "With these three changed, the output matches the Space exactly (proof). Two other settings make no "
        "difference: with both as in baseline, and with both as in as-hosted, the clip is the same."
    )
    assert sentence(record.cause.interactions[0]).startswith("scheduler.class hides the rest")


def test_a_newer_record_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = json.loads(OLD.read_text("utf-8")) | {"schema_version": SCHEMA_VERSION + 1}
    (tmp_path / "audit.json").write_text(json.dumps(data))
    with pytest.raises(SpacediffError, match=rf"newer spacediff: its schema version is {SCHEMA_VERSION + 1}") as caught:
        read_record(tmp_path)
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize("version", [None, 0, "2", 1.5, [1], {"1": 2}])
def test_a_version_that_is_none_is_refused(tmp_path: Path, version: object) -> None:
    data = json.loads(OLD.read_text("utf-8")) | {"schema_version": version}
    (tmp_path / "audit.json").write_text(json.dumps(data))
    with pytest.raises(SpacediffError, match="is not an audit record"):
        read_record(tmp_path)
