"""What follows from an audit's measurements, computed once: rank, order, groups, worst frames, sums.

The key insight: presenters that compute come to different results. So every fact that can be derived from a record is
derived here and kept in the record, and terminal, page, Markdown and JUnit only show it.
"""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record.audit import AuditRecord
from spacediff.record.comparison import ComparisonRecord, RankRecord
from spacediff.record.derived.frames import with_worst_frames
from spacediff.record.derived.left_open import left_open
from spacediff.record.derived.loop import loop
from spacediff.record.derived.notices import ignored_arguments, run_warnings, with_order
from spacediff.record.derived.overview import compared_runs, overview
from spacediff.record.derived.ranking import ranking
from spacediff.record.derived.setting_groups import setting_groups
from spacediff.record.derived.sharing import with_stages_taken_over
from spacediff.record.derived.suspects import with_effective_values
from spacediff.record.loop import LoopRecord
from spacediff.record.overview import OverviewRecord
from spacediff.record.run import Role, RunRecord, SettingGroupsRecord
from spacediff.record.semantics import SemanticsRecord

__all__ = ["with_derived"]


@dataclass(frozen=True)
class _OfPrompt:
    """What was derived for a prompt.

    Attributes:
        overview: What leads.
        ranks: Name of a run to its rank.
        groups: Name of a run to its settings in groups.
    """

    overview: OverviewRecord
    ranks: dict[str, RankRecord]
    groups: dict[str, SettingGroupsRecord]


def with_derived(record: AuditRecord) -> AuditRecord:
    """Return a record with all that follows from its measurements; what was derived before is replaced."""
    prompts = {prompt.name: _of_prompt(record, prompt.name) for prompt in record.prompts}
    runs = [_run(run, prompts.get(run.prompt)) for run in record.runs]
    return record.model_copy(
        update={
            "runs": runs,
            "comparisons": [_comparison(record, found, prompts.get(found.prompt)) for found in record.comparisons],
            "semantics": [_semantics(found, prompts.get(found.prompt)) for found in record.semantics],
            "overviews": [found.overview for found in prompts.values()],
            "loops": [found for name in prompts if (found := _loop(record, name, runs))],
            "ignored": ignored_arguments(runs),
            "run_warnings": run_warnings(runs),
            "environment": with_order(record.environment),
            "cause": None if record.cause is None else with_effective_values(record.cause, runs),
            "left_open": left_open(record, [found.overview for found in prompts.values()]),
        }
    )


def _of_prompt(record: AuditRecord, prompt: str) -> _OfPrompt:
    runs = [run for run in record.runs if run.prompt == prompt]
    reference = next((run for run in runs if run.name == record.reference), None)
    baseline = next((run for run in runs if run.role is Role.BASELINE), None)
    compared = {run.name: run for run in compared_runs(runs, reference)}
    comparisons = {
        found.candidate: found
        for found in record.comparisons
        if reference and (found.prompt, found.reference) == (prompt, reference.name)
    }
    ranked = ranking(list(compared.values()), comparisons, record.metrics)
    order = [compared[name] for name in ranked.order]
    return _OfPrompt(
        overview=overview(prompt, runs, order, comparisons, record.metrics, judged=record.gate.variant),
        ranks=ranked.ranks,
        groups={name: setting_groups(run, baseline, reference) for name, run in compared.items()},
    )


def _run(run: RunRecord, found: _OfPrompt | None) -> RunRecord:
    groups = found.groups.get(run.name) if found else None
    return with_stages_taken_over(run.model_copy(update={"setting_groups": groups}))


def _comparison(record: AuditRecord, comparison: ComparisonRecord, found: _OfPrompt | None) -> ComparisonRecord:
    rank = found.ranks.get(comparison.candidate) if found else None
    return with_worst_frames(comparison.model_copy(update={"rank": rank}), record.metrics)


def _semantics(semantics: SemanticsRecord, found: _OfPrompt | None) -> SemanticsRecord:
    """Note what the clip that a reader sees first shows least of, compared with the reference."""
    selected = found.overview.selected if found else ""
    differences = {
        position: clip.difference
        for position, text in enumerate(semantics.texts)
        if (clip := text.of(selected)) and clip.difference
    }
    least = max(differences, key=lambda position: differences[position], default=None)
    return semantics.model_copy(update={"least_shown": least})


def _loop(record: AuditRecord, prompt: str, runs: list[RunRecord]) -> LoopRecord | None:
    return loop(
        prompt,
        record.reference,
        [run for run in runs if run.prompt == prompt],
        [found for found in record.comparisons if found.prompt == prompt],
        [trace for trace in record.traces if trace.prompt == prompt],
    )
