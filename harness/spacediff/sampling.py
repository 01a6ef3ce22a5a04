"""The further runs of an audit that compares groups of clips: each side again, with seeds of its own.

The key insight: clips of one group have to be independent of each other, and so have the groups. Every run has a seed
that no other of its group has; and the reference's seeds are not those of this machine's runs, so that two sides whose
seeds do match are no pairs that look more alike than chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from spacediff.record import Role
from spacediff.run import Run
from spacediff.settings import Origin, Settings

_SEEDS = 2**63


def with_samples(runs: Iterable[Run], reference: str, count: int) -> list[Run]:
    """Return the runs of a prompt with the further ones that its groups need.

    Args:
        runs: The runs of a prompt: reference, baseline, variants and others.
        reference: Name of the run that the others are compared with.
        count: Clips in each group, the first run's among them.

    Returns:
        The same runs; after each reference, baseline and variant, its group. A reference that comes from files has no
        further runs, since there is nothing to ask for another clip.
    """
    found: list[Run] = []
    for run in runs:
        found.append(run)
        if run.role in {Role.REFERENCE, Role.BASELINE, Role.VARIANT} and run.source not in {"video", "recording"}:
            found += _further(run, count, first=count + 1 if run.name == reference else 1)
    return found


def _further(run: Run, count: int, *, first: int) -> list[Run]:
    """Return the further runs of a group; their seeds begin so many above the prompt's, without the first run's own."""
    above = ((run.prompt.seed + first + n) % _SEEDS for n in range(count))
    seeds = [seed for seed in above if seed != run.settings.value("rng.seed")][: count - 1]
    return [_with_seed(sample_of(run, n), seed) for n, seed in enumerate(seeds, 2)]


def sample_of(run: Run, number: int) -> Run:
    """Return a further run of the group that a run begins; its seed is the same."""
    return replace(run, name=f"{run.name}-sample-{number}", role=Role.SAMPLE, sample_of=run.name)


def _with_seed(run: Run, seed: int) -> Run:
    if not run.is_local:
        return replace(run, prompt=replace(run.prompt, seed=seed))
    change = Settings.of({"rng": {"seed": seed}}, Origin.DECLARED, "the samples")
    return replace(run, settings=run.settings.changed_by(change), changes=run.changes.changed_by(change))
