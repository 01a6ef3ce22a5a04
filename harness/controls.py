"""Controls: comparisons whose outcome is known beforehand, in every audit.

A clip against itself, decoded anew and sent through every step, has to come out identical; a clip with another seed has
to come out different. Where one of them fails, no number of the audit can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from harness.record import ComparisonRecord, ControlRecord, Role, Verdict
from harness.sides import Side
from harness.yardstick import errors_of

_ALIKE = {Verdict.IDENTICAL, Verdict.CODEC_ONLY, Verdict.NUMERIC_DRIFT}


def controls_of(
    itself: pd.DataFrame, comparisons: Sequence[ComparisonRecord], sides: Mapping[str, Side]
) -> list[ControlRecord]:
    """Return the controls of one prompt.

    Args:
        itself: Scores of the reference against itself.
        comparisons: All comparisons of the prompt.
        sides: Run name to its side.
    """
    return [_itself(itself, prompt) for prompt in {c.prompt for c in comparisons}] + [
        _another_seed(comparison)
        for comparison in comparisons
        if comparison.candidate in sides and sides[comparison.candidate].run.role is Role.SEED
    ]


def _itself(table: pd.DataFrame, prompt: str) -> ControlRecord:
    errors = errors_of(table)
    wrong = {name: error for name, error in errors.items() if error != 0}
    found = ", ".join(f"{name} error {error:.3g}" for name, error in wrong.items()) or "no difference in any metric"
    return ControlRecord(
        prompt=prompt,
        name="the reference against itself",
        expected="identical",
        found=found,
        passed=bool(errors) and not wrong,
    )


def _another_seed(comparison: ComparisonRecord) -> ControlRecord:
    return ControlRecord(
        prompt=comparison.prompt,
        name=f"another seed ({comparison.candidate})",
        expected="different",
        found=comparison.verdict,
        passed=comparison.verdict not in _ALIKE,
    )
