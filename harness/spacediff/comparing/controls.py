"""Controls: comparisons whose outcome is known beforehand, in every audit.

A clip compared with itself, decoded again and sent through every step, has to be identical. A clip with a different
seed has to differ from the reference and from the baseline. A re-run of the baseline has to be closer to the
baseline than a different seed is to the reference. Where one of them fails, no number of the audit can be
trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spacediff.comparing.contents import shows_nothing
from spacediff.comparing.verdict import Scale
from spacediff.errors import UnsupportedSetting
from spacediff.metrics import metrics_named
from spacediff.record import Control, ControlRecord, Fact, FactKind, Role, RunRecord, Verdict, fact


def control_of_itself(prompt: str, verdict: Verdict, evidence: Sequence[Fact]) -> ControlRecord:
    """Return the control of a reference that was compared with itself, from what was judged of it."""
    passed = verdict is Verdict.IDENTICAL
    found = [fact(FactKind.VERDICT, verdict=verdict), *([] if passed else evidence)]
    return ControlRecord(prompt=prompt, control=Control.ITSELF, found=found, passed=passed)


def control_of_rerun(prompt: str, errors: Mapping[str, float], scales: Mapping[str, Scale]) -> ControlRecord:
    """Return the control of the baseline's re-run, which is compared with the baseline.

    Args:
        prompt: Name of the prompt.
        errors: Metric name to the re-run's error.
        scales: Metric name to its scale; without other seeds there is nothing that it could fail against.
    """
    values = [
        fact(
            FactKind.METRIC_VALUE,
            metric=metric.info.title,
            value=metric.value(errors[metric.name]),
            unit=metric.info.unit,
        )
        for metric in metrics_named(errors)
    ]
    seeds = {name: scales[name].ceilings for name in errors if scales[name].ceilings}
    return ControlRecord(
        prompt=prompt,
        control=Control.RERUN,
        found=[fact(FactKind.RERUN_DIFFERS, *values) if any(errors.values()) else fact(FactKind.RERUN_EQUAL)],
        passed=not seeds or any(errors[name] < min(ceilings) for name, ceilings in seeds.items()),
    )


def controls_of_seeds(runs: Sequence[RunRecord], frames: Mapping[str, Verdict]) -> list[ControlRecord]:
    """Return the controls of one prompt's other seeds.

    Args:
        runs: All runs of the prompt; none is an other seed where the scenario asks for none. A script that has no place
            for one has no such control; see `seeds_not_put_in`.
        frames: Run name to what its frames are against the reference's, once they are aligned.
    """
    if seeds_not_put_in(runs):
        return []
    seeds = [run for run in runs if run.role is Role.SEED]
    compared = [run for run in seeds if run.name in frames]
    if seeds and not compared:
        found = [fact(FactKind.SEEDS_NOT_COMPARED, seeds=len(seeds))]
        return [ControlRecord(prompt=seeds[0].prompt, control=Control.SEED, found=found, passed=False)]
    usual = {run.clip.digest for run in runs if run.role is Role.BASELINE and run.clip}
    return [_of_seed(run, frames[run.name], usual) for run in compared]


def seeds_not_put_in(runs: Sequence[RunRecord]) -> list[Fact]:
    """Return the prompts that have no other seed, because the script of the baseline has no place for one.

    Args:
        runs: All runs.
    """
    refused: dict[str, str] = {}
    for prompt in dict.fromkeys(run.prompt for run in runs):
        seeds = [run for run in runs if run.prompt == prompt and run.role is Role.SEED]
        if seeds and all(run.source == "script" and run.code == UnsupportedSetting.code for run in seeds):
            refused[prompt] = f"{seeds[0].reason}."
    return [fact(FactKind.SEEDS_NOT_PUT_IN, prompt=prompt, reason=reason) for prompt, reason in refused.items()]


def _of_seed(run: RunRecord, verdict: Verdict, usual: set[str]) -> ControlRecord:
    alike = verdict.matches or verdict is Verdict.NUMERIC_DRIFT
    ignored = run.clip is not None and run.clip.digest in usual
    void = shows_nothing(run)
    if void:
        found = fact(FactKind.SEED_SHOWS_NOTHING)
    else:
        found = fact(FactKind.SEED_IGNORED) if ignored else fact(FactKind.VERDICT, verdict=verdict)
    passed = not (void or ignored or alike)
    return ControlRecord(prompt=run.prompt, control=Control.SEED, run=run.name, found=[found], passed=passed)
