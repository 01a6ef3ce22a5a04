"""Records of older versions: read as today's, from a real one that is kept in tests/data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.errors import SpacediffError
from spacediff.record import (
    SCHEMA_VERSION,
    AuditRecord,
    Control,
    Fact,
    FactKind,
    GateStatus,
    Standing,
    Verdict,
    fact,
    quoted,
    read_record,
    read_record_file,
)
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
        "With these three changed, the output matches the Space exactly (proof). One other difference makes no "
        "difference."
    )


def test_interactions_of_version_1_keep_members_and_index() -> None:
    cause = read_record_file(OLD).cause
    assert cause is not None
    masking, pair = cause.interactions
    assert sentence(masking).startswith("scheduler.class hides the rest"), "its numbers are in the sentence alone"
    assert pair == fact(
        FactKind.PAIR_INTERACTS,
        members=["call.guidance_scale", "call.use_dynamic_cfg"],
        index=0.2828126359250671,
    )


def read_changed(tmp_path: Path, section: str, **changes: object) -> AuditRecord:
    """Read the record of version 1 with changes to the first item of a section."""
    data = json.loads(OLD.read_text("utf-8"))
    data[section][0] |= changes
    (tmp_path / "audit.json").write_text(json.dumps(data))
    return read_record(tmp_path)


@pytest.mark.parametrize(
    ("old", "steps", "differing"),
    [
        (
            "identical up to step 25 of 25; then one has 50 steps, the other 25",
            25,
            [fact(FactKind.CONDITION_DIFFERS, name="steps", reference=50, candidate=25)],
        ),
        (
            "identical up to step 4 of 30 (guidance 6 against 1.5); the latents part by 1.00% there",
            30,
            [quoted("guidance 6 against 1.5")],
        ),
        (
            "from the first step on (50 steps against 25, timestep 999 against 980)",
            25,
            [quoted("50 steps against 25, timestep 999 against 980")],
        ),
        ("identical through all 12 steps; the VAE decodes them otherwise", 12, []),
        ("from the first step on; the latents part by 142.29% there, 60.76% after the last", 2, []),
        ("nobody wrote this of 7", 2, [quoted("nobody wrote this of 7")]),
    ],
)
def test_the_sentence_of_a_trace_of_version_1_is_parsed(
    tmp_path: Path, old: str, steps: int, differing: list[Fact]
) -> None:
    trace = read_changed(tmp_path, "traces", sentence=old).traces[0]
    assert (trace.steps, trace.differing) == (steps, differing)


def test_controls_of_version_1_are_named_as_today() -> None:
    assert [(each.control, each.run) for each in read_record_file(OLD).controls] == [
        (Control.ITSELF, ""),
        (Control.RERUN, ""),
        (Control.SEED, "seed-43"),
        (Control.SEED, "seed-44"),
    ]


def test_a_seed_control_of_version_1_that_was_not_compared_has_no_run(tmp_path: Path) -> None:
    control = read_changed(tmp_path, "controls", name="another seed").controls[0]
    assert (control.control, control.run) == (Control.SEED, "")


def test_an_unknown_control_of_version_1_is_no_different_seed(tmp_path: Path) -> None:
    with pytest.raises(SpacediffError, match="is not an audit record"):
        read_changed(tmp_path, "controls", name="the phase of the moon")


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
