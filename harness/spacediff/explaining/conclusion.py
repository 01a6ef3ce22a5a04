"""The finding: what a search for the cause has shown, with the drifts that the comparisons measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from spacediff.explaining.interactions import interactions_of
from spacediff.explaining.residual import residual_suspects
from spacediff.explaining.result import PromptProof, SearchResult
from spacediff.explaining.search import Subset, shapley_values
from spacediff.record import (
    CauseRecord,
    ComparisonRecord,
    ProbeRecord,
    ProofRecord,
    Role,
    RunRecord,
    Standing,
    SuspectRecord,
    Verdict,
)
from spacediff.settings import Difference

_ORDER = (Standing.CAUSE, Standing.UNDECIDED, Standing.INNOCENT)


def cause_record(
    search: SearchResult,
    comparisons: Sequence[ComparisonRecord],
    runs: Sequence[RunRecord],
    here: Mapping[str, str],
) -> CauseRecord:
    """Say what a search found.

    Args:
        search: What the search found.
        comparisons: All comparisons with the reference.
        runs: All runs.
        here: Versions and devices of this machine.
    """
    seen = _Seen(search, {(each.prompt, each.candidate): each for each in comparisons})
    cause = search.sufficient
    suspects = _suspects(seen, cause)
    right = seen.of(search.right)
    unreached = right is not None and not right.verdict.matches
    reference = next((run for run in runs if right and (run.prompt, run.name) == (right.prompt, right.reference)), None)
    best = _nearest(seen, runs) if unreached else None
    counter = search.everything - cause
    record = CauseRecord(
        prompt=search.left.prompt,
        left=search.left.name,
        right=search.right.name,
        finished=search.finished,
        reason=search.reason,
        suspects=sorted(suspects, key=lambda suspect: list(_ORDER).index(suspect.standing)),
        proof=seen.names.get(cause, "") if cause else "",
        counter_proof=seen.names.get(counter, "") if cause and counter else "",
        counter_reached=search.reproduced.get(counter) if cause else None,
        probes=[
            ProbeRecord(run=run.name, changed=sorted(subset), reached=search.reproduced.get(subset))
            for subset, run in search.probes.items()
        ],
        proofs=[_proof(seen, proof) for proof in search.proofs],
        interactions=interactions_of(seen.drift, seen.verdict, sorted(cause), seen.codec) if search.finished else [],
        residual=right.drift if right and unreached else None,
        best=best.candidate if best else "",
        best_drift=best.drift if best else None,
        residual_suspects=residual_suspects(search.right, reference, right, here) if reference and unreached else [],
        sentence="",
    )
    return record.model_copy(update={"sentence": _sentence(record, search, unreached=unreached)})


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


def _nearest(seen: _Seen, runs: Iterable[RunRecord]) -> ComparisonRecord | None:
    """Return the comparison with the least drift of all that was made here; the matched end's where several have it."""
    ours = {Role.BASELINE, Role.VARIANT, Role.PROBE}
    found = [seen.of(run) for run in runs if run.prompt == seen.search.left.prompt and run.role in ours]
    told = [
        (each.drift, each.candidate != seen.search.right.name, each)
        for each in found
        if each and each.drift is not None
    ]
    return min(told, key=lambda each: each[:2])[2] if told else None


def _suspects(seen: _Seen, cause: Subset) -> list[SuspectRecord]:
    weights = shapley_values(seen.drift, sorted(cause)) or {}
    return [_suspect(seen, difference, cause, weights) for difference in seen.search.suspects]


def _suspect(seen: _Seen, difference: Difference, cause: Subset, weights: Mapping[str, float]) -> SuspectRecord:
    path, left, right = difference.path, difference.left, difference.right
    standing = _standing(seen.search, path, cause)
    member = seen.search.finished and path in cause
    return SuspectRecord(
        path=path,
        left=left.value if left else None,
        right=right.value if right else None,
        left_where=left.where if left else "",
        right_where=right.where if right else "",
        standing=standing,
        why=_why(seen, path, standing, cause),
        left_out=seen.drift(cause - {path}) if member else None,
        alone=seen.drift(frozenset({path})) if member else None,
        weight=weights.get(path) if member else None,
    )


def _standing(search: SearchResult, path: str, cause: Subset) -> Standing:
    """Tell how a suspect stands; a member that is left out in a run without a clip is not shown to be needed."""
    if not search.started:
        return Standing.UNDECIDED
    if path not in cause:
        return Standing.INNOCENT
    needed = search.finished and search.reproduced.get(cause - {path}) is False
    return Standing.CAUSE if needed else Standing.UNDECIDED


def _why(seen: _Seen, path: str, standing: Standing, cause: Subset) -> str:
    """Say what a suspect's standing rests on, by the run that shows it."""
    search = seen.search
    if standing is Standing.CAUSE:
        return f"left out, the clip is another ({seen.names[cause - {path}]})"
    if standing is Standing.UNDECIDED:
        return f"left out, there is no clip ({seen.names[cause - {path}]})" if search.finished else ""
    if path in search.no_effect:
        return search.no_effect[path]
    shown = next(subset for subset, reproduced in search.reproduced.items() if reproduced and path not in subset)
    return f"taken back, the clip stays the same ({seen.names[shown]})"


def _proof(seen: _Seen, each: PromptProof) -> ProofRecord:
    proof, counter = (run and seen.of(run) for run in (each.proof, each.counter))
    return ProofRecord(
        prompt=each.prompt,
        proof=each.proof.name if each.proof else "",
        reached=each.proof_reproduced,
        drift=proof.drift if proof else None,
        verdict=proof.verdict if proof else None,
        counter_proof=each.counter.name if each.counter else "",
        counter_reached=each.counter_reproduced,
        counter_drift=counter.drift if counter else None,
        counter_verdict=counter.verdict if counter else None,
        reason=each.reason,
    )


# ---- the sentence


def _sentence(record: CauseRecord, search: SearchResult, *, unreached: bool) -> str:
    if not search.started:
        return f"no cause was searched: {record.reason}"
    ends = f"between {record.left} and {record.right}"
    if not record.finished:
        open_ = record.sufficient
        return (
            f"{record.reason}: of {len(record.suspects)} suspects {ends}, these {len(open_)} suffice so far, "
            f"and some may be needless: {', '.join(open_)}{_failed(record)}"
        )
    together = "makes" if len(record.sufficient) == 1 else "together make"
    found = f"{' and '.join(record.sufficient)} {together} the difference {ends}{_others(record)}{_needless(record)}"
    return f"{found}{_on_prompts(record)}{_failed(record)}{_left(record) if unreached else ''}"


def _others(record: CauseRecord) -> str:
    """Say of the others just what was tested: all of them taken back, and all of them changed."""
    count = len(record.suspects) - len(record.sufficient)
    if not count or record.counter_reached:
        return ""
    others, them = ("1 other", "it") if count == 1 else (f"{count} others", "all of them")
    return (
        f"; {others} may be anything, as far as was tested: with {them} as in {record.left}, "
        f"and with {them} as in {record.right}, the clip is the same"
    )


def _needless(record: CauseRecord) -> str:
    """Name the members of which no clip shows that they are needed."""
    open_ = [f"{each.path} ({each.why})" for each in record.suspects if each.standing is Standing.UNDECIDED]
    return f". Not shown to be needed: {', '.join(open_)}" if open_ else ""


def _on_prompts(record: CauseRecord) -> str:
    """Say on how many prompts the proof holds, and where and how it fails; nothing where it holds on the only one."""
    failures = [f"on {proof.prompt} {_failure(proof, record)}" for proof in record.proofs if not proof.holds]
    if len(record.proofs) == 1:
        return "".join(f". But {text}" for text in failures)
    holding = len(record.proofs) - len(failures)
    return f". That holds on {holding} of {len(record.proofs)} prompts" + "".join(f"; {text}" for text in failures)


def _failure(proof: ProofRecord, record: CauseRecord) -> str:
    drift = "" if proof.drift is None else f" (drift {proof.drift:.3f})"
    if proof.reached is False:
        return f"something else counts too: {proof.proof} does not give the clip of {record.right}{drift}"
    if proof.counter_reached:
        return f"it is not needed: {proof.counter_proof} gives the clip of {record.right} too"
    return f"it was not proved: {proof.reason}"


def _failed(record: CauseRecord) -> str:
    count = sum(probe.reached is None for probe in record.probes)
    return f". {count} of the probes could not be generated, and tell nothing" if count else ""


def _left(record: CauseRecord) -> str:
    size = "" if record.residual is None else f" (drift {record.residual:.3f})"
    text = f". {record.right} itself does not reach the reference{size}: that is left unexplained"
    if record.best in {"", record.right} or record.best_drift is None:
        return text
    return f"{text}; the nearest of all runs is {record.best} (drift {record.best_drift:.3f})"
