"""Explain: carry the search for the cause out with real generations, and say what it found.

The key insight: a probe is a run like any other, so the store keeps it, runs that share work share it here too, and an
interrupted search goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.causes import BudgetSpentError, Search, Subset, expected_tests, shapley_values, subsets_to_weigh
from harness.clip import read_frames
from harness.metrics import METRICS
from harness.metrics.scoring import score
from harness.plan import Explanation, Plan, Run
from harness.record import (
    CauseRecord,
    ComparisonRecord,
    ProbeRecord,
    Role,
    RunRecord,
    Standing,
    SuspectRecord,
    Verdict,
)
from harness.settings import Difference, Settings, diff
from harness.yardstick import errors_of

PROOF, COUNTER_PROOF = "proof", "counter-proof"

Generate = Callable[[Run], RunRecord]

_LIKELY = ("rng", "scheduler.class", "call", "model", "scheduler", "lora", "numerics", "vae", "load", "output")
"""The likeliest suspects come first; what is not named here comes last."""


@dataclass
class Explaining:
    """A search as it goes on; whatever ends it, its state can be told.

    Attributes:
        what: Between which runs, and with how many generations.
        left: The run to be explained.
        right: The matched end.
        suspects: What differs between them, the likeliest first.
        search: How far it got; None where it could not begin.
        probes: The runs of the search, by what they change.
        reason: Why it did not come to its end; empty when it did.
    """

    what: Explanation
    left: RunRecord
    right: RunRecord
    suspects: list[Difference]
    search: Search | None = None
    probes: dict[Subset, RunRecord] = field(default_factory=dict)
    reason: str = "the search was interrupted"

    @property
    def finished(self) -> bool:
        """Whether the search came to its end."""
        return not self.reason


def explain(
    plan: Plan, runs: Sequence[RunRecord], folder: Path, generate: Generate, say: Callable[[str], None]
) -> Iterator[Explaining]:
    """Search for the cause on the first prompt.

    Args:
        plan: The plan, with the two ends.
        runs: What was carried out.
        folder: The audit folder.
        generate: Carries a run out.
        say: Told how it goes on.

    Yields:
        The search, before it begins; it fills while the caller goes on, so that an interruption loses nothing.
    """
    if plan.explain is None:
        return
    prompt = plan.prompts[0].name
    found = {run.name: run for run in runs if run.prompt == prompt}
    left, right = found[plan.explain.left], found[plan.explain.right]
    suspects = _in_order(diff(plan.explain.left_settings, plan.explain.right_settings), left, right)
    going = Explaining(plan.explain, left, right, suspects)
    yield going
    if obstacle := _obstacle(going):
        going.reason = obstacle
        return
    same = _Same(right, found.get("baseline"), found.get("rerun"), folder)
    template = next(run for run in plan.runs if run.prompt.name == prompt and run.name == plan.explain.left)
    _searched(going, _Prober(going, template, generate, same), say)


def _searched(going: Explaining, prober: _Prober, say: Callable[[str], None]) -> None:
    names = [difference.path for difference in going.suspects]
    going.search = search = Search(names, prober.reaches)
    say(
        f"searching the cause among {len(names)} suspects: about {expected_tests(len(names)) + 1} generations for one, "
        f"at most {going.what.budget}"
    )
    try:
        search.run()
        search.confirm()
        cause = sorted(search.smallest)
        for subset in subsets_to_weigh(cause):
            if subset not in {frozenset[str](), frozenset(names)}:
                search.tested[subset] = prober.reaches(subset, PROOF if subset == search.smallest else "")
        if len(cause) < len(names):
            counter = frozenset(names) - search.smallest
            search.tested[counter] = prober.reaches(counter, COUNTER_PROOF)
    except BudgetSpentError:
        going.reason = f"the budget of {going.what.budget} generations was spent"
    else:
        going.reason = ""


def _obstacle(going: Explaining) -> str:
    for run in (going.left, going.right):
        if run.clip is None:
            return f"{run.name} was not measured: {run.reason}"
    if not going.suspects:
        return f"{going.left.name} and {going.right.name} declare the same settings"
    ours, theirs = going.left.clip, going.right.clip
    if ours and theirs and ours.digest == theirs.digest:
        return f"{going.left.name} and {going.right.name} give the same frames, byte for byte"
    return ""


def _in_order(differences: list[Difference], left: RunRecord, right: RunRecord) -> list[Difference]:
    """Put the likeliest suspects first, and last those that come to the same value once defaults are resolved."""

    def rank(difference: Difference) -> tuple[bool, int]:
        path = difference.path
        ours, theirs = left.settings.get(path), right.settings.get(path)
        place = next((n for n, start in enumerate(_LIKELY) if path.startswith(start)), len(_LIKELY))
        return ours is not None and theirs is not None and ours.value == theirs.value, place

    return sorted(differences, key=rank)


class _Same:
    """Tells whether a clip is the matched end's: byte for byte, or within what a re-run differs where it does."""

    def __init__(self, right: RunRecord, baseline: RunRecord | None, rerun: RunRecord | None, folder: Path) -> None:
        self._right = right
        self._folder = folder
        self._floor = self._errors(baseline, rerun) if baseline and rerun else {}

    def __call__(self, run: RunRecord) -> bool:
        if run.clip is None or self._right.clip is None:
            return False
        if run.clip.digest == self._right.clip.digest:
            return True
        if not any(self._floor.values()):
            return False
        errors = self._errors(self._right, run)
        return bool(errors) and all(error <= self._floor.get(name, 0.0) for name, error in errors.items())

    def _errors(self, one: RunRecord, other: RunRecord) -> Mapping[str, float]:
        if one.clip is None or other.clip is None or one.clip.digest == other.clip.digest:
            return {}
        shapes = {(clip.frames, clip.height, clip.width) for clip in (one.clip, other.clip)}
        if len(shapes) > 1:
            return {}
        ours, theirs = (read_frames(self._folder / clip.lossless) for clip in (one.clip, other.clip))
        return errors_of(score(ours, {"": theirs}, METRICS)[""])


class _Prober:
    """Generates with a subset of the suspects changed, each subset once, within the budget."""

    def __init__(self, going: Explaining, template: Run, generate: Generate, same: _Same) -> None:
        self._going = going
        self._template = template
        self._generate = generate
        self._same = same
        self._differences = {difference.path: difference for difference in going.suspects}

    def reaches(self, subset: Subset, name: str = "") -> bool:
        return self._same(self.generated(subset, name))

    def generated(self, subset: Subset, name: str = "") -> RunRecord:
        """Return the run with a subset changed; one that was generated may get a name of its own."""
        going = self._going
        known = going.probes.get(subset)
        if known is None and len(going.probes) >= going.what.budget:
            raise BudgetSpentError
        if known is None or (name and known.name != name):
            named = name or f"probe-{len(going.probes) + 1}"
            going.probes[subset] = self._generate(self._run(subset, named))
        return going.probes[subset]

    def _run(self, subset: Subset, name: str) -> Run:
        changes = Settings({path: right for path in subset if (right := self._differences[path].right) is not None})
        taken = {path for path in subset if self._differences[path].right is None}
        kept = Settings({path: value for path, value in self._template.settings.items() if path not in taken})
        role = Role.VARIANT if name in {PROOF, COUNTER_PROOF} else Role.PROBE
        return replace(
            self._template, name=name, role=role, settings=kept.changed_by(changes), changes=changes, repeat=0
        )


def cause_record(
    going: Explaining, comparisons: Sequence[ComparisonRecord], here: Mapping[str, str], hosted: Mapping[str, str]
) -> CauseRecord:
    """Say what a search found, with the drifts that the comparisons measured.

    Args:
        going: The search.
        comparisons: All comparisons with the reference.
        here: Versions and devices of this machine.
        hosted: What the host says of itself.
    """
    drifts = {c.candidate: c.drift for c in comparisons if c.prompt == going.left.prompt}
    verdicts = {c.candidate: c.verdict for c in comparisons if c.prompt == going.left.prompt}
    names = {subset: run.name for subset, run in going.probes.items()}
    everything = frozenset(d.path for d in going.suspects)
    names |= {frozenset[str](): going.left.name, everything: going.right.name}
    cause = going.search.smallest if going.search else frozenset[str]()

    def drift(subset: Subset) -> float | None:
        return drifts.get(names.get(subset, ""))

    weights = shapley_values(drift, sorted(cause)) or {}
    suspects = [_suspect(going, difference, cause, drift, weights) for difference in going.suspects]
    right = verdicts.get(going.right.name)
    unreached = right is not None and not right.reached
    residual = drifts.get(going.right.name) if unreached else None
    outside = _outside(going, here, hosted) if unreached else []
    counter = everything - cause
    return CauseRecord(
        prompt=going.left.prompt,
        left=going.left.name,
        right=going.right.name,
        finished=going.finished,
        reason=going.reason,
        suspects=sorted(suspects, key=lambda suspect: list(_ORDER).index(suspect.standing)),
        proof=names.get(cause, "") if cause else "",
        counter_proof=names.get(counter, "") if cause and counter else "",
        counter_reached=going.search.tested.get(counter) if going.search else None,
        probes=_probes(going),
        residual=residual,
        outside=outside,
        sentence=_sentence(going, suspects, right, residual),
    )


_ORDER = (Standing.CAUSE, Standing.UNDECIDED, Standing.INNOCENT)


def _suspect(
    going: Explaining,
    difference: Difference,
    cause: Subset,
    drift: Callable[[Subset], float | None],
    weights: Mapping[str, float],
) -> SuspectRecord:
    path, left, right = difference.path, difference.left, difference.right
    if path in cause:
        standing = Standing.CAUSE if going.finished else Standing.UNDECIDED
    else:
        standing = Standing.INNOCENT if going.search else Standing.UNDECIDED
    member = standing is Standing.CAUSE
    return SuspectRecord(
        path=path,
        left=left.value if left else None,
        right=right.value if right else None,
        left_where=left.where if left else "",
        right_where=right.where if right else "",
        standing=standing,
        left_out=drift(cause - {path}) if member else None,
        alone=drift(frozenset({path})) if member else None,
        weight=weights.get(path) if member else None,
    )


def _probes(going: Explaining) -> list[ProbeRecord]:
    tested = going.search.tested if going.search else {}
    return [
        ProbeRecord(run=run.name, changed=sorted(subset), reached=tested.get(subset, False))
        for subset, run in going.probes.items()
    ]


def _outside(going: Explaining, here: Mapping[str, str], hosted: Mapping[str, str]) -> list[str]:
    """Name what differs beside the settings, or is not known, when the matched end does not reach the reference."""
    found = [
        f"{name}: the host asks for {hosted[name]}, here is {here[name]}"
        for name in ("torch", "diffusers", "transformers", "accelerate")
        if name in hosted and hosted[name].removeprefix("==") != here.get(name, "").split("+")[0]
    ]
    if "hardware" in hosted:
        found.append(f"hardware: {hosted['hardware']} there, {here.get('device', 'unknown')} here")
    if going.right.settings.get("model.commit") is None:
        found.append("model revision: nobody says which the host has loaded")
    return [*found, "prompt rewriting and post-processing on the host, which its clip does not tell"]


def _sentence(
    going: Explaining, suspects: Sequence[SuspectRecord], right: Verdict | None, residual: float | None
) -> str:
    if going.search is None:
        return f"no cause was searched: {going.reason}"
    of = {standing: [s.path for s in suspects if s.standing is standing] for standing in Standing}
    ends = f"between {going.left.name} and {going.right.name}"
    if not going.finished:
        return (
            f"{going.reason}: of {len(suspects)} suspects {ends}, these {len(of[Standing.UNDECIDED])} suffice so far, "
            f"and some may be needless: {', '.join(of[Standing.UNDECIDED])}"
        )
    cause, innocent = of[Standing.CAUSE], len(of[Standing.INNOCENT])
    together = "makes" if len(cause) == 1 else "together make"
    rest = f"; {innocent} other{'s' * (innocent != 1)} may be anything" if innocent else ""
    left = ""
    if right is not None and not right.reached:
        size = "" if residual is None else f" (drift {residual:.3f})"
        left = f". {going.right.name} itself does not reach the reference{size}: that is left unexplained"
    return f"{' and '.join(cause)} {together} the difference {ends}{rest}{left}"
