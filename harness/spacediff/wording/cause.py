"""The cause: which settings make two runs differ, and what that rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from spacediff.record import (
    ActingRecord,
    AuditRecord,
    CauseRecord,
    CostRecord,
    FactKind,
    ProbeRecord,
    ProofRecord,
    Standing,
    SuspectRecord,
    Verdict,
)
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, number, number_word, plain, start
from spacediff.wording.numbers import drift as written
from spacediff.wording.releases import moved_text
from spacediff.wording.settings import setting_name
from spacediff.wording.verdicts import reference_noun
from spacediff.wording.vocabulary import after_colon, says, sentence

_STANDINGS = {
    Standing.NUMERIC: "changes the numbers, not what is seen",
    Standing.NO_EFFECT: "makes no difference",
}

_NOTHING = 0.0005
"""A smaller reduction of the drift would be written as 0.000."""


def cause_text(record: AuditRecord, *, proof: bool = True) -> str:
    """Say what the search for the cause found; empty where there was none. `proof_text` has its proof at length."""
    if record.cause is None:
        return ""
    own = any(run.source == "script" for run in record.runs if run.name == record.cause.start == "baseline")
    baseline = "your script" if own else "the baseline"
    return " ".join(cause_sentences(record.cause, reference_noun(record), baseline, proof=proof))


def proof_text(record: AuditRecord) -> str:
    """Say what the proof on the searched prompt shows, and its counter-proof; empty where nothing is proved."""
    cause, first = record.cause, None if record.cause is None else _first_proof(record.cause)
    if cause is None or first is None or not cause.finished or cause.start_within:
        return ""
    count = len(cause.sufficient)
    these = "this setting" if count == 1 else f"these {number_word(count)} settings"
    said = f"With {these}, {_output(first, cause, reference_noun(record))}."
    if first.counter_reproduced is not False:
        return said
    far = "" if first.counter_drift is None else f" (drift {written(first.counter_drift)}, where another seed is 1)"
    without = "it" if count == 1 else "them"
    return f"{said} Without {without}, and with all other settings of {cause.target}, it differs visibly{far}."


def _output(first: ProofRecord, cause: CauseRecord, reference: str) -> str:
    """Say what a proof's own output is: bitwise equal where it is that, and by which comparison."""
    if first.verdict is Verdict.IDENTICAL:
        return f"the local output is bitwise equal to that of {reference}"
    if first.verdict is Verdict.CODEC_ONLY:
        return f"the local output is bitwise equal to that of {reference}, once both have been through the same codec"
    if first.proof == cause.target:  # the cause is all in which the two runs differ
        return f"every setting is that of {cause.target}"
    if first.equal:
        return f"the local output is bitwise equal to that of {cause.target}"
    return f"no difference from {cause.target} can be seen"


def cause_sentences(
    cause: CauseRecord, reference: str, baseline: str = "the baseline", *, proof: bool = True
) -> list[str]:
    """Say what a search found: the cause, its proof, what was tested of the other settings, what is unexplained.

    Args:
        cause: What the search found.
        reference: What the reference is called: `the Space`.
        baseline: What the baseline is called: `your script`.
        proof: Whether the proof is said.
    """
    reason = after_colon(sentence(cause.reason)) if cause.reason else ""
    if not cause.started:
        return [f"No cause was searched: {reason}"]
    if not cause.finished:
        return [f"The search stopped early: {reason}", *_so_far(cause), *_failed_probes(cause)]
    return [
        _headline(cause, reference, baseline),
        *moved_sentences(cause),
        *(_proof(cause, reference) if proof else ()),
        *numeric_sentences(cause),
        *_others(cause),
        *_not_shown(cause),
        *_further_proofs(cause),
        *_failed_probes(cause),
        *_unexplained(cause, reference),
    ]


def standing_words(standing: Standing) -> str:
    """Say how a suspect stands, as far as it was tested."""
    return _STANDINGS.get(standing, standing.value)


def cost_text(cost: CostRecord) -> str:
    """Say what a search has cost, in runs, denoising steps and whole generations: `12 probes, 58 steps, …`."""
    probes = counted(cost.probes, "probe")
    if not cost.steps_each:
        return f"{probes}, each a whole generation"
    written = written_cost(cost.generations)
    made = f"{probes}, {counted(cost.steps, 'step')}, {written} generation{'s' * (written != '1')}"
    return made if cost.whole is None else f"{made}; without early stops {cost.whole}"


def written_cost(generations: float) -> str:
    """Write a number of generations: `1.2`, `40`."""
    return plain(round(generations, 1))


def _headline(cause: CauseRecord, reference: str, baseline: str) -> str:
    matches = cause.target_verdict is not None and cause.target_verdict.matches
    other = reference if matches else cause.target
    first = start(baseline) if cause.start == "baseline" else cause.start
    if cause.start_within:
        return (
            f"{start(first)} differs from {cause.target}, but by less than can be seen: no tile passes the tolerance."
        )
    count = len(cause.sufficient)
    settings = "one setting" if count == 1 else f"{number_word(count)} settings"
    return f"{first} differs from {other} because of {settings}: {_names(cause.sufficient)}."


def moved_sentences(cause: CauseRecord) -> list[str]:
    """Name the packages that moved with a version that is a setting, since the search cannot separate them."""
    if not cause.moved or not any(path.startswith("env.") for path in cause.sufficient):
        return []
    return [f"With that version moved, and was not separated from it: {moved_text(cause.moved)}."]


def _proof(cause: CauseRecord, reference: str) -> list[str]:
    """Say what the proof on the searched prompt shows, and the counter-proof where it shows another cause."""
    first = _first_proof(cause)
    if first is None:
        return []
    said = [f"{_with_these(cause)}, {_shown_by(first, cause, reference)}."]
    if first.counter_reproduced and len(cause.proofs) == 1:
        result = f"also gives {nouns().that}" if first.counter_equal else "cannot be distinguished from it either"
        said.append(f"However, the other settings alone suffice, too: {first.counter_proof} {result}.")
    return said


def _shown_by(first: ProofRecord, cause: CauseRecord, reference: str) -> str:
    """Say what a proof shows: `the output matches the Space exactly (proof)`."""
    if first.verdict is not None and first.verdict.matches:
        return f"the output matches {reference} exactly ({first.proof})"
    if first.proof == cause.target:  # the cause is all in which the two runs differ
        return f"the settings are those of {cause.target}"
    if first.equal:
        return f"it gives the {nouns().clip} of {cause.target} ({first.proof})"
    return f"no difference from {cause.target} can be seen ({first.proof})"


def _first_proof(cause: CauseRecord) -> ProofRecord | None:
    """Find the proof on the searched prompt; None where it does not give the target's clip."""
    return next((proof for proof in cause.proofs if proof.prompt == cause.prompt and proof.reproduced), None)


def _with_these(cause: CauseRecord) -> str:
    count = len(cause.sufficient)
    return f"With {'this one' if count == 1 else f'these {number_word(count)}'} changed"


def numeric_sentences(cause: CauseRecord) -> list[str]:
    """Say which other settings change the numbers, and of which that is unknown; nobody could see either."""
    numeric, unseen = cause.standing(Standing.NUMERIC), cause.standing(Standing.UNSEEN)
    when = " once the cause is changed" if cause.counter_reproduced else ""  # they suffice without it, too
    said = []
    if numeric:
        others = "One other setting changes" if len(numeric) == 1 else f"{_start_number(numeric)} other settings change"
        said.append(f"{others} the numbers, but nothing that can be seen{when}: {_names(numeric)}.")
    if unseen:
        others = (
            "one other setting changes" if len(unseen) == 1 else f"{number_word(len(unseen))} other settings change"
        )
        said.append(f"It is not known whether {others} the numbers; no difference can be seen{when}: {_names(unseen)}.")
    return said


def _others(cause: CauseRecord) -> list[str]:
    """Say how many of the others change no bit, which a run shows."""
    without = cause.standing(Standing.NO_EFFECT)
    if not without or cause.counter_reproduced:  # with the cause taken back, they make one
        return []
    others = "One other difference makes" if len(without) == 1 else f"{_start_number(without)} other differences make"
    return [f"{others} no difference."]


def _start_number(some: Sequence[str]) -> str:
    return start(number_word(len(some)))


def _not_shown(cause: CauseRecord) -> list[str]:
    """Name the members of which no clip shows that they are needed."""
    undecided = [suspect for suspect in cause.suspects if suspect.standing is Standing.UNDECIDED]
    reasons = [
        (setting_name(suspect.path), after_colon(sentence(suspect.why)) if suspect.why else "") for suspect in undecided
    ]
    return [f"It is not shown that {name} is needed{f': {why}' if why else '.'}" for name, why in reasons]


def _further_proofs(cause: CauseRecord) -> list[str]:
    """Say on how many prompts the cause is proved, and where and why it is not."""
    failed = [proof for proof in cause.proofs if not proof.succeeded]
    if len(cause.proofs) == 1:
        return [start(_failure(proof, cause)) for proof in failed if not proof.counter_reproduced]
    proved = len(cause.proofs) - len(failed)
    said = [f"This is proved on {proved} of {len(cause.proofs)} prompts."] if cause.proofs else []
    return [*said, *(f"On {proof.prompt}, {_failure(proof, cause)}" for proof in failed)]


def _failure(proof: ProofRecord, cause: CauseRecord) -> str:
    if proof.reproduced is False:
        far = "" if proof.drift is None else f" (drift {written(proof.drift)})"
        return f"something else matters, too: {proof.proof} differs visibly from {cause.target}{far}."
    if proof.counter_reproduced:
        return f"it is not needed: {proof.counter_proof} cannot be distinguished from {cause.target} either."
    return f"it is not proved: {after_colon(sentence(proof.reason))}" if proof.reason else "it is not proved."


def _so_far(cause: CauseRecord) -> list[str]:
    members = cause.sufficient
    differing = f"Of {counted(len(cause.differing), 'setting')} that differ between {cause.start} and {cause.target}"
    return [
        f"{differing}, these {len(members)} suffice so far, and some may not be needed: {_names(members)}.",
        *numeric_sentences(cause),
        *_others(cause),
    ]


def _failed_probes(cause: CauseRecord) -> list[str]:
    count = sum(probe.reproduced is None and probe.failed for probe in cause.probes)
    return [f"{counted(count, 'probe')} could not be generated and show{'s' * (count == 1)} nothing."] if count else []


def _unexplained(cause: CauseRecord, reference: str) -> list[str]:
    if cause.target_verdict is None or cause.target_verdict.matches:
        return []
    if not cause.target_verdict.comparable:
        return [f"How {cause.target} compares with {reference} is unknown."]
    far = "" if cause.residual is None else f" (drift {written(cause.residual)})"
    said = [f"{cause.target} itself does not match {reference}{far}, which remains unexplained."]
    closer = cause.closest_drift is not None and written(cause.closest_drift) != written(cause.residual)
    if closer and cause.closest not in {"", cause.target}:
        said.append(f"The closest of all runs is {cause.closest} (drift {written(cause.closest_drift)}).")
    return said


def _names(paths: Iterable[str]) -> str:
    return listed([setting_name(path) for path in paths])


# ---- why the search stopped


@says(FactKind.SEARCH_INTERRUPTED)
def _search_interrupted() -> str:
    return "The search was interrupted."


@says(FactKind.BUDGET_SPENT)
def _budget_spent(*, budget: float) -> str:
    return f"The budget of {plain(budget)} generation{'s' * (budget != 1)} does not pay for the next run."


@says(FactKind.RUN_NOT_MEASURED)
def _run_not_measured(*, run: str) -> str:
    return f"{run} was not measured"


@says(FactKind.SAME_SETTINGS)
def _same_settings(*, start: str, target: str) -> str:
    return f"{start} and {target} declare the same settings."


@says(FactKind.SAME_FRAMES)
def _same_frames(*, start: str, target: str) -> str:
    return f"{start} and {target} give the same pixels."


# ---- what a standing rests on


@says(FactKind.NEEDED)
def _needed(*, run: str, early: bool) -> str:
    if early:
        shown = "the latents are too far from the target's for the difference to stay unseen, by the measured rule"
        return f"With the whole cause changed except this setting, {shown} ({run}, which ended early)."
    return f"With the whole cause changed except this setting, a difference is seen ({run})."


@says(FactKind.NEED_UNKNOWN)
def _need_unknown(*, run: str) -> str:
    clip = nouns()
    return f"With the whole cause changed except this setting, there {clip.verb('is', 'are')} no {clip.clip} ({run})."


@says(FactKind.NOT_NEEDED)
def _not_needed(*, run: str) -> str:
    return f"Without this change, no difference can be seen ({run})."


@says(FactKind.NO_BIT_CHANGED)
def _no_bit_changed(*, run: str) -> str:
    return f"Without this change, every bit is the same ({run})."


@says(FactKind.ACTS_AT_STEP)
def _acts_at_step(*, run: str, together: Sequence[str], step: int | None, steps: int, distance: float | None) -> str:
    """Say where a setting first changes the numbers, and how much."""
    with_others = f"together with {_names(together)}, " if together else ""
    return start(f"{with_others}taking it back changes {_place(step, steps, distance)} ({run}).")


def acting_text(acting: ActingRecord) -> str:
    """Say where a member of the cause first changes the numbers, and how much."""
    return f"It acts on {_place(acting.step, acting.steps, acting.distance)}."


def weight_text(suspect: SuspectRecord) -> str:
    """Explain a weight below zero; empty for any other."""
    if suspect.weight is None or suspect.weight > -_NOTHING:
        return ""
    orders = "averaged over all orders of changing the settings"
    said = f"Its weight is negative: {orders}, it increases the drift by {written(-suspect.weight)}."
    if suspect.left_out is None:
        return said
    without = f"with the others changed, the drift without it is {written(suspect.left_out)}"
    return f"{said} It is needed all the same: {without}."


def probe_text(probe: ProbeRecord) -> str:
    """Say where a probe differs from the target; empty where that is unknown."""
    if probe.equal:
        return "every bit is the same"
    return "" if probe.step is None else f"differs in {_place(probe.step, 0, probe.distance)}"


def _place(step: int | None, steps: int, distance: float | None) -> str:
    of = f" of {steps}" if steps else ""
    what = f"the decoded {nouns().frames}{' only' if steps else ''}"
    what = f"the latents at step {step}{of}" if step is not None else what
    return what if distance is None else f"{what}, {number(distance, decimals=3)} of the distance between seeds"


@says(FactKind.SAME_DEFAULT)
def _same_default(*, value: Any, where: str) -> str:
    both = json.dumps(value, ensure_ascii=False)
    return f"Both have {both}: where it is not set, that is the default{f' ({where})' if where else ''}."


@says(FactKind.ARGUMENT_IGNORED)
def _argument_ignored(*, given_to: str) -> str:
    return f"{given_to} accepts it and ignores it."


# ---- members that act together


@says(FactKind.MASKS_OTHERS)
def _masks_others(*, member: str, reduction: float, total: float) -> str:
    return f"{start(setting_name(member))} masks the others: without it, they {_reduce(reduction, total)}."


@says(FactKind.ONLY_TOGETHER)
def _only_together(*, members: Sequence[str], reduction: float, total: float) -> str:
    most = "at most " if reduction >= _NOTHING else ""
    rest = _reduce(reduction, total, most)
    return f"{start(_names(members))} act only together: with any one left out, the others {rest}."


@says(FactKind.PAIR_INTERACTS)
def _pair_interacts(*, members: Sequence[str], index: float) -> str:
    how = "more" if index > 0 else "less"
    return (
        f"{start(_names(members))} reduce the drift by {written(abs(index))} {how} together than each does by itself."
    )


def _reduce(reduction: float, total: float, most: str = "") -> str:
    if reduction < _NOTHING:
        return f"do not reduce the drift, which the whole cause reduces by {written(total)}"
    return f"reduce the drift by {most}{written(reduction)}, the whole cause by {written(total)}"
