"""What a Space was asked for and what it used: a clip of another seed or another text is not measured against.

The key insight: two samples differ whatever their settings are, and how far is chance. So where the reference is known
to be another sample, or may be any, only what cannot be chance is kept: that clips are equal, or nearly so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacediff.comparing.comparison import without_numbers
from spacediff.comparing.failures import Failed
from spacediff.comparing.floor_and_ceiling import repeats
from spacediff.record import ComparisonRecord, Fact, FactKind, Role, RunRecord, Verdict, fact

_SEED = "rng.seed"


def of_one_request(
    comparisons: Iterable[ComparisonRecord],
    reference: RunRecord,
    runs: Sequence[RunRecord],
    instead: Sequence[Fact],
) -> list[ComparisonRecord]:
    """Return comparisons, without numbers where reference and clip are not of the same seed and text.

    Args:
        comparisons: The comparisons of a prompt.
        reference: The run of its reference.
        runs: The runs that were compared with it.
        instead: What the reference used in place of what it was asked for; see `spacediff.adoption`.
    """
    of_name = {run.name: run for run in runs}
    return [_judged(each, reference, of_name[each.candidate], instead) for each in comparisons]


def _judged(found: ComparisonRecord, reference: RunRecord, run: RunRecord, instead: Sequence[Fact]) -> ComparisonRecord:
    if found.verdict.matches or found.verdict is Verdict.NUMERIC_DRIFT or not found.metrics:
        return found
    if run.role is Role.REPEAT:
        reasons = [] if repeats(reference, run) else [fact(FactKind.REPEAT_OF_ANOTHER_SEED)]
    else:
        reasons = [each for each in instead if each.values["why"] and not _is_meant(each, run)]
    if not reasons:
        return found
    return without_numbers(reference, run, Failed(Verdict.NOT_MEASURED, reasons[0]))


def _is_meant(other: Fact, run: RunRecord) -> bool:
    """Whether a run has the seed that the reference used, or one that it was given on purpose."""
    if other.kind is not FactKind.SEED_USED:
        return False
    seed = run.settings.get(_SEED)
    return _SEED in run.changes or (seed is not None and seed.value == other.values["used"] is not None)
