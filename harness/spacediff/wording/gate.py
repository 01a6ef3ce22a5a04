"""The gate: what an audit passes or fails on, and the warnings that stand with it."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import AuditRecord, FactKind, GateStatus
from spacediff.wording.nouns import CLIPS, nouns
from spacediff.wording.numbers import drift as written
from spacediff.wording.numbers import listed, number, plain, start
from spacediff.wording.verdicts import outcome
from spacediff.wording.vocabulary import says

_HEADLINES = {
    GateStatus.PASSED: "Gate passed",
    GateStatus.FAILED: "Gate failed",
    GateStatus.NOT_MEASURED: "Gate not measured",
    GateStatus.NONE: "No gate",
}


def gate_headline(record: AuditRecord) -> str:
    """Say in a few words how the gate came out; of an approximation first that it is one."""
    gate = record.gate
    headline = _HEADLINES[gate.status]
    if gate.status is GateStatus.NOT_MEASURED and not (gate.variant or gate.against):
        headline = "Not measured"
    return f"Approximate: {headline[:1].lower()}{headline[1:]}" if record.approximations else headline


@says(FactKind.AUDIT_INTERRUPTED)
def _audit_interrupted() -> str:
    return "The audit was interrupted."


@says(FactKind.NOTHING_COMPARED)
def _nothing_compared() -> str:
    return "Nothing was compared."


@says(FactKind.NO_REFERENCE)
def _no_reference() -> str:
    return "There is no reference"


@says(FactKind.COMPARING_FAILED)
def _comparing_failed() -> str:
    return f"Comparing the {nouns().clip} failed"


@says(FactKind.GATE_NOT_COMPARED)
def _gate_not_compared(*, prompt: str) -> str:
    return f"{prompt}: the gate's variant was not compared: it was left out by --only, or the audit ended before it"


@says(FactKind.GATE_VERDICT)
def _gate_verdict(*, prompt: str, verdict: str) -> str:
    return f"{prompt}: {verdict}"


@says(FactKind.GATE_DRIFT_UNKNOWN)
def _gate_drift_unknown(*, prompt: str) -> str:
    return f"{prompt}: the pixels differ, and their drift is unknown."


@says(FactKind.GATE_DRIFT_WITHIN)
def _gate_drift_within(*, prompt: str, drift: float, limit: float) -> str:
    return f"{prompt}: drift {written(drift)} is within the limit of {plain(limit)}."


@says(FactKind.GATE_DRIFT_ABOVE)
def _gate_drift_above(*, prompt: str, drift: float, limit: float, verdict: str) -> str:
    return f"{prompt}: drift {written(drift)} is above the limit of {plain(limit)} ({verdict})."


@says(FactKind.GATE_TILE_WITHIN)
def _gate_tile_within(
    *, prompt: str, error: float, most: float, drift: float, limit: float, frame: int, x: int, y: int
) -> str:
    within = f"within the limit of drift {plain(limit)}, {number(most, decimals=2)} levels"
    if drift > limit:
        within = f"within the codec's own loss of {number(most, decimals=2)}"
    return f"{prompt}: the worst tile differs by {number(error, decimals=2)} levels {_in_frame(frame, x, y)}, {within}."


@says(FactKind.GATE_TILE_ABOVE)
def _gate_tile_above(
    *, prompt: str, error: float, most: float, drift: float, limit: float, frame: int, x: int, y: int, verdict: str
) -> str:
    return (
        f"{prompt}: the worst tile is above the limit of drift {plain(limit)}, {number(most, decimals=2)} levels: it "
        f"differs by {number(error, decimals=2)} {_in_frame(frame, x, y)}, drift {written(drift)} ({verdict})."
    )


@says(FactKind.GATE_TILE_UNKNOWN)
def _gate_tile_unknown(*, prompt: str, floor: float | None, nearest: float | None) -> str:
    if floor is None and nearest is None:
        why = "it has no scale"
    elif floor is None:
        why = "a re-run was not measured"
    elif nearest is None:
        why = "different seeds were not measured"
    else:
        again, seed = number(floor, decimals=2), number(nearest, decimals=2)
        why = f"that of a re-run differs by {again} levels, and that of a different seed by no more than {seed}"
    return f"{prompt}: the drift of the worst tile is unknown, because {why}."


def _in_frame(frame: int, x: int, y: int) -> str:
    return f"at ({x}, {y}) in {nouns().frame} {frame}"


@says(FactKind.GATE_NOTHING_ACCEPTED)
def _gate_nothing_accepted() -> str:
    return "There is no accepted state to compare with: look at the report, then run `spacediff approve`."


@says(FactKind.GATE_NOTHING_WORSE)
def _gate_nothing_worse(*, against: str) -> str:
    return f"Nothing is worse than in {against}."


@says(FactKind.GATE_CHANGED)
def _gate_changed(
    *,
    prompt: str,
    run: str,
    verdict_before: str | None,
    drift_before: float | None,
    verdict_now: str | None,
    drift_now: float | None,
) -> str:
    return f"{prompt}: {run} was {outcome(verdict_before, drift_before)}; it is now {outcome(verdict_now, drift_now)}."


@says(FactKind.NOISE_STREAMS_DIFFER)
def _noise_streams_differ(*, hosted: str, local: str, runs: Sequence[str], stream: str) -> str:
    there = nouns().there
    remedy = f' With rng.stream = "{stream}", this machine draws the noise of {there}.' if stream else ""
    has = "asks for" if there == CLIPS.there else "has"
    return (
        f"{start(there)} {has} torch {hosted}, this machine has {local}: from one seed, they draw different "
        f"half-precision noise on the CPU ({listed(runs)}).{remedy}"
    )
