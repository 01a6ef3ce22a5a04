"""The conclusion: what a search for the cause has shown, with the drifts that the comparisons measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spacediff.explaining.interactions import interactions_of
from spacediff.explaining.packages import moved_with_versions
from spacediff.explaining.residual import residual_suspects
from spacediff.explaining.result import PromptProof, SearchResult
from spacediff.explaining.search import Subset, shapley_values
from spacediff.record import (
    ActingRecord,
    CauseRecord,
    ComparisonRecord,
    Fact,
    FactKind,
    ProbeRecord,
    ProofRecord,
    Role,
    RunRecord,
    Standing,
    SuspectRecord,
    Verdict,
    fact,
)
from spacediff.settings import Difference

_ORDER = (Standing.CAUSE, Standing.UNDECIDED, Standing.NUMERIC, Standing.UNSEEN, Standing.NO_EFFECT)


def cause_record(
    search: SearchResult,
    comparisons: Sequence[ComparisonRecord],
    runs: Sequence[RunRecord],
    here: Mapping[str, str],
) -> CauseRecord:
    """Make the record of what a search found.

    Args:
        search: What the search found.
        comparisons: All comparisons with the reference.
        runs: All runs.
        here: Versions and devices of this machine.
    """
    seen = _Seen(search, {(each.prompt, each.candidate): each for each in comparisons})
    cause = search.sufficient
    suspects = _suspects(seen, cause)
    target = seen.of(search.right)
    differs = target is not None and target.verdict.comparable and not target.verdict.matches
    reference = next(
        (run for run in runs if target and (run.prompt, run.name) == (target.prompt, target.reference)), None
    )
    closest = _closest(seen, runs) if differs else None
    counter = search.everything - cause
    return CauseRecord(
        prompt=search.left.prompt,
        start=search.left.name,
        target=search.right.name,
        target_verdict=target.verdict if target else None,
        tolerance=search.tolerance,
        spread=search.spread,
        started=search.started,
        finished=search.finished,
        reason=search.reason,
        suspects=sorted(suspects, key=_rank),
        start_within=search.start_within,
        cost=search.cost,
        proof=seen.names.get(cause, "") if cause else "",
        counter_proof=seen.names.get(counter, "") if cause and counter else "",
        counter_reproduced=search.reproduced.get(counter) if cause else None,
        probes=[
            ProbeRecord(
                run=run.name,
                changed=sorted(subset),
                reproduced=search.sights[subset].within,
                equal=search.sights[subset].equal,
                step=search.sights[subset].step,
                distance=search.sights[subset].distance,
                failed=run.failed,
                early=run.stopped is not None,
            )
            for subset, run in search.probes.items()
        ],
        proofs=[_proof(seen, proof) for proof in search.proofs],
        interactions=interactions_of(seen.drift, seen.verdict, sorted(cause), seen.codec) if search.finished else [],
        residual=target.drift if target and differs else None,
        closest=closest.candidate if closest else "",
        closest_drift=closest.drift if closest else None,
        residual_suspects=residual_suspects(search.right, reference, target, here) if reference and differs else [],
        moved=moved_with_versions(search, here),
    )


@dataclass(frozen=True)
class _Seen:
    """What was measured of the runs of a search.

    Attributes:
        search: What the search found.
        comparisons: All comparisons, by prompt and candidate.
    """

    search: SearchResult
    comparisons: Mapping[tuple[str, str], ComparisonRecord]

    @property
    def names(self) -> dict[Subset, str]:
        """Names of the runs of the searched prompt, by what they change."""
        return {subset: run.name for subset, run in self.search.runs.items()}

    @property
    def codec(self) -> float:
        """The drift of what encoding alone does; 0 where it was not measured."""
        prompt = self.search.left.prompt
        found = [
            metric.codec_drift
            for (of, _), comparison in self.comparisons.items()
            for metric in comparison.metrics.values()
            if of == prompt and metric.codec_drift is not None
        ]
        return max(found, default=0.0)

    def of(self, run: RunRecord) -> ComparisonRecord | None:
        return self.comparisons.get((run.prompt, run.name))

    def drift(self, subset: Subset) -> float | None:
        found = self.comparisons.get((self.search.left.prompt, self.names.get(subset, "")))
        return found.drift if found else None

    def verdict(self, subset: Subset) -> Verdict | None:
        found = self.comparisons.get((self.search.left.prompt, self.names.get(subset, "")))
        return found.verdict if found else None


def _closest(seen: _Seen, runs: Iterable[RunRecord]) -> ComparisonRecord | None:
    """Return the comparison with the least drift of all clips made here; the target's where several have it."""
    ours = {Role.BASELINE, Role.VARIANT, Role.PROBE}
    found = [seen.of(run) for run in runs if run.prompt == seen.search.left.prompt and run.role in ours]
    known = [
        (each.drift, each.candidate != seen.search.right.name, each)
        for each in found
        if each and each.drift is not None
    ]
    return min(known, key=lambda each: each[:2])[2] if known else None


def _rank(suspect: SuspectRecord) -> tuple[int, float]:
    """Put the cause first; among equals those that move the latents farthest where they act."""
    distance = suspect.acting.distance if suspect.acting else None
    return _ORDER.index(suspect.standing), -math.inf if distance is None else -distance


def _suspects(seen: _Seen, cause: Subset) -> list[SuspectRecord]:
    weights = shapley_values(seen.drift, sorted(cause)) or {}
    return [_suspect(seen, difference, cause, weights) for difference in seen.search.suspects]


def _suspect(seen: _Seen, difference: Difference, cause: Subset, weights: Mapping[str, float]) -> SuspectRecord:
    path, left, right = difference.path, difference.left, difference.right
    standing = _standing(seen.search, path, cause)
    member = seen.search.finished and path in cause
    return SuspectRecord(
        path=path,
        start=left.value if left else None,
        target=right.value if right else None,
        start_none=left is not None and left.value is None,
        target_none=right is not None and right.value is None,
        start_where=left.where if left else "",
        target_where=right.where if right else "",
        standing=standing,
        why=_why(seen, path, standing, cause),
        left_out=seen.drift(cause - {path}) if member else None,
        alone=seen.drift(frozenset({path})) if member else None,
        weight=weights.get(path) if member else None,
        acting=_acting(seen, path),
    )


def _acting(seen: _Seen, path: str) -> ActingRecord | None:
    """Return where a suspect first changes the numbers when it is taken back from the target."""
    search = seen.search
    shown = search.acting.get(path)
    if shown is None:
        return None
    sight, traces = search.sights[shown.changed], (search.right.trace, search.runs[shown.changed].trace)
    return ActingRecord(
        run=seen.names[shown.changed],
        together=sorted(shown.group - {path}),
        step=sight.step,
        steps=len(traces[0].steps) if traces[0] and traces[1] else 0,
        distance=sight.distance,
    )


def _standing(search: SearchResult, path: str, cause: Subset) -> Standing:
    """Return the standing of a suspect; a member whose absence gives no clip is not shown to be needed."""
    if not search.started:
        return Standing.UNDECIDED
    if path in cause:
        needed = search.finished and search.reproduced.get(cause - {path}) is False
        return Standing.CAUSE if needed else Standing.UNDECIDED
    if path in search.silent:
        return Standing.NO_EFFECT
    return Standing.NUMERIC if path in search.acting else Standing.UNSEEN


def _why(seen: _Seen, path: str, standing: Standing, cause: Subset) -> Fact | None:
    """Return what a suspect's standing rests on, with the run that shows it."""
    search = seen.search
    if standing is Standing.CAUSE:
        left_out = search.runs[cause - {path}]
        return fact(FactKind.NEEDED, run=left_out.name, early=left_out.stopped is not None)
    if standing is Standing.UNDECIDED:
        unknown = search.finished and cause - {path} in seen.names
        return fact(FactKind.NEED_UNKNOWN, run=seen.names[cause - {path}]) if unknown else None
    if standing is Standing.NO_EFFECT:
        shown = fact(FactKind.NO_BIT_CHANGED, run=seen.names[search.silent[path]])
        known = search.no_effect.get(path)
        return known.model_copy(update={"because": [shown]}) if known else shown
    if standing is Standing.NUMERIC and (acting := _acting(seen, path)):
        return fact(FactKind.ACTS_AT_STEP, **acting.model_dump())
    return fact(FactKind.NOT_NEEDED, run=seen.names[cause])


def _proof(seen: _Seen, each: PromptProof) -> ProofRecord:
    proof, counter = (run and seen.of(run) for run in (each.proof, each.counter))
    return ProofRecord(
        prompt=each.prompt,
        proof=each.proof.name if each.proof else "",
        reproduced=each.proof_reproduced,
        equal=each.proof_equal,
        drift=proof.drift if proof else None,
        verdict=proof.verdict if proof else None,
        counter_proof=each.counter.name if each.counter else "",
        counter_reproduced=each.counter_reproduced,
        counter_equal=each.counter_equal,
        counter_drift=counter.drift if counter else None,
        counter_verdict=counter.verdict if counter else None,
        reason=each.reason,
    )
