"""The values that start and target of a search really had, next to what they declare.

The key insight: what is declared on one side and is the default on the other is no difference. So each suspect carries
the resolved setting of both runs, and where these are equal nothing counts it as one.
"""

from __future__ import annotations

from collections.abc import Iterable

from spacediff.record.cause import CauseRecord
from spacediff.record.run import RunRecord


def with_effective_values(cause: CauseRecord, runs: Iterable[RunRecord]) -> CauseRecord:
    """Return a cause whose suspects carry the resolved settings of its two runs."""
    of_prompt = {run.name: run.settings for run in runs if run.prompt == cause.prompt}
    start, target = of_prompt.get(cause.start, {}), of_prompt.get(cause.target, {})
    suspects = [
        each.model_copy(update={"start_setting": start.get(each.path), "target_setting": target.get(each.path)})
        for each in cause.suspects
    ]
    return cause.model_copy(update={"suspects": suspects})
