"""Controls: comparisons whose outcome is known beforehand, in every audit.

A clip against itself, decoded anew and sent through every step, has to come out identical; a clip with another seed has
to come out different, from the reference and from the baseline; the baseline run again has to be nearer to itself than
another seed is to the reference. Where one of them fails, no number of the audit can be
trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spacediff.comparing.verdict import Scale
from spacediff.metrics import metrics_named
from spacediff.record import RERUN_CONTROL, ControlRecord, Role, RunRecord, Verdict

_EXPECTED = "different"
_SAME = "identical to the baseline, byte for byte"


def control_of_itself(prompt: str, verdict: Verdict, evidence: Sequence[str]) -> ControlRecord:
    """Return the control of a reference that was held against itself, from what was judged of it."""
    passed = verdict is Verdict.IDENTICAL
    return ControlRecord(
        prompt=prompt,
        name="the reference against itself",
        expected=Verdict.IDENTICAL,
        found=str(verdict) if passed else f"{verdict} ({'; '.join(evidence)})",
        passed=passed,
    )


def control_of_rerun(prompt: str, errors: Mapping[str, float], scales: Mapping[str, Scale]) -> ControlRecord:
    """Return the control of the baseline's re-run, which is held against the baseline.

    Args:
        prompt: Name of the prompt.
        errors: Metric name to the re-run's error.
        scales: Metric name to its scale; without other seeds there is nothing that it could fail against.
    """
    values = [
        f"{metric.info.title} {metric.value(errors[metric.name]):.4g} {metric.info.unit}".strip()
        for metric in metrics_named(errors)
    ]
    seeds = {name: scales[name].ceilings for name in errors if scales[name].ceilings}
    return ControlRecord(
        prompt=prompt,
        name=RERUN_CONTROL,
        expected="nearer than another seed",
        found=f"not identical to the baseline: {', '.join(values)}" if any(errors.values()) else _SAME,
        passed=not seeds or any(errors[name] < min(ceilings) for name, ceilings in seeds.items()),
    )


def controls_of_seeds(runs: Sequence[RunRecord], frames: Mapping[str, Verdict]) -> list[ControlRecord]:
    """Return the controls of one prompt's other seeds.

    Args:
        runs: All runs of the prompt; none is an other seed where the scenario asks for none.
        frames: Run name to what its frames are against the reference's, once they are aligned.
    """
    seeds = [run for run in runs if run.role is Role.SEED]
    compared = [run for run in seeds if run.name in frames]
    if seeds and not compared:
        found = f"none of {len(seeds)} could be compared" if len(seeds) > 1 else "it could not be compared"
        return [
            ControlRecord(prompt=seeds[0].prompt, name="another seed", expected=_EXPECTED, found=found, passed=False)
        ]
    usual = {run.clip.digest for run in runs if run.role is Role.BASELINE and run.clip}
    return [_of_seed(run, frames[run.name], usual) for run in compared]


def _of_seed(run: RunRecord, verdict: Verdict, usual: set[str]) -> ControlRecord:
    alike = verdict.reached or verdict is Verdict.NUMERIC_DRIFT
    idle = run.clip is not None and run.clip.digest in usual
    return ControlRecord(
        prompt=run.prompt,
        name=f"another seed ({run.name})",
        expected=_EXPECTED,
        found="the baseline's own frames: the seed does nothing" if idle else str(verdict),
        passed=not idle and not alike,
    )
