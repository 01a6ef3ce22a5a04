"""The control with deterministic algorithms: whether they make a machine repeat itself that does not.

The key insight: the floor of such a machine is above 0, and which of its numbers are equal to the last bit is not to be
seen. Two runs of the baseline with torch's deterministic algorithms show whether there is a way out, and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from spacediff.explaining.spread import shows_spread
from spacediff.plan import Plan
from spacediff.record import DeterminismRecord, Role, RunRecord
from spacediff.record.derived.divergence import first_step
from spacediff.run import Run
from spacediff.settings import Origin, Settings

_SETTING = "numerics.deterministic"


def control_of_determinism(
    plan: Plan, runs: Sequence[RunRecord], generate: Callable[[Run], RunRecord]
) -> tuple[DeterminismRecord | None, tuple[RunRecord, ...]]:
    """Run the baseline twice with deterministic algorithms, on the first prompt whose re-run differs.

    Args:
        plan: The plan; only where it asks for the control are runs made.
        runs: The runs of the plan.
        generate: Executes a run.

    Returns:
        What came out, None where no re-run is known to differ; and the runs that were made.
    """
    for prompt in plan.prompts:
        of_prompt = [run for run in runs if run.prompt == prompt.name]
        if shows_spread(of_prompt):
            return _control(plan, prompt.name, of_prompt, generate)
    return None, ()


def control_to_come(plan: Plan, finished: Callable[[Run], RunRecord | None]) -> list[Run]:
    """Return the runs that the control may still need, as far as finished runs show; none where it is not asked for.

    Args:
        plan: The plan.
        finished: Returns the record of a run; None where it is not finished.
    """
    found: list[Run] = []
    for prompt in plan.prompts if plan.deterministic_control else ():
        pair = {run.role: run for run in plan.runs if run.prompt == prompt and run.role in {Role.BASELINE, Role.RERUN}}
        if Role.RERUN not in pair or pair[Role.BASELINE].settings.value(_SETTING):
            continue
        there = [record for record in map(finished, pair.values()) if record is not None]
        known = len(there) == len(pair)
        if known and not shows_spread(there):
            continue
        found = max(found, [run for run in _of_control(pair[Role.BASELINE]) if not finished(run)], key=len)
        if known:  # the control is that of the first such prompt
            break
    return found


def _of_control(baseline: Run) -> Iterator[Run]:
    """Yield the two runs of the control."""
    change = Settings.of({"numerics": {"deterministic": True}}, Origin.DECLARED, "the control")
    changed = baseline.settings.changed_by(change)
    planned = replace(baseline, role=Role.DETERMINISTIC, settings=changed, changes=change, is_target=False)
    for number in range(2):
        yield replace(planned, name=f"rerun-deterministic-{number + 1}", repeat=number)


def _control(
    plan: Plan, prompt: str, runs: Sequence[RunRecord], generate: Callable[[Run], RunRecord]
) -> tuple[DeterminismRecord, tuple[RunRecord, ...]]:
    baseline = next(run for run in plan.runs if (run.prompt.name, run.role) == (prompt, Role.BASELINE))
    if baseline.settings.value(_SETTING):
        usual, again = (next(run for run in runs if run.role is role) for role in (Role.BASELINE, Role.RERUN))
        return compared(usual, again).model_copy(update={"declared": True}), ()
    if not plan.deterministic_control:
        return DeterminismRecord(prompt=prompt), ()
    first, second = _of_control(baseline)
    one = generate(first)
    if not one.measured:  # neither would be the other
        return DeterminismRecord(prompt=prompt, runs=[one.name], reason=one.reason), (one,)
    other = generate(second)
    return compared(one, other), (one, other)


def compared(one: RunRecord, other: RunRecord) -> DeterminismRecord:
    """Return whether two runs with deterministic algorithms are equal, bit for bit."""
    names = [one.name, other.name]
    if one.clip is None or other.clip is None:
        reason = next((run.reason for run in (one, other) if run.clip is None), "")
        return DeterminismRecord(prompt=one.prompt, runs=names, reason=reason)
    steps = [run.trace.steps if run.trace else [] for run in (one, other)]
    first = first_step(*steps) if all(steps) else None
    return DeterminismRecord(
        prompt=one.prompt,
        runs=names,
        equal=first is None and one.clip.digest == other.clip.digest,
        steps=min(map(len, steps)),
        first=first,
    )
