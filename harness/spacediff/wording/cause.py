"""The cause: which settings make two runs differ, and what that rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from spacediff.record import AuditRecord, CauseRecord, FactKind, ProofRecord, Standing
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, number_word, start
from spacediff.wording.numbers import drift as written
from spacediff.wording.settings import setting_name
from spacediff.wording.verdicts import reference_noun
from spacediff.wording.vocabulary import after_colon, says, sentence

_NOTHING = 0.0005
"""A smaller reduction of the drift would be written as 0.000."""


def cause_text(record: AuditRecord) -> str:
    """Say what the search for the cause found; empty where there was none."""
    return " ".join(cause_sentences(record.cause, reference_noun(record))) if record.cause else ""


def cause_sentences(cause: CauseRecord, reference: str) -> list[str]:
    """Say what a search found: the cause, its proof, what was tested of the other settings, what is unexplained.

    Args:
        cause: What the search found.
        reference: What the reference is called: `the Space`.
    """
    reason = after_colon(sentence(cause.reason)) if cause.reason else ""
    if not cause.started:
        return [f"No cause was searched: {reason}"]
    if not cause.finished:
        return [f"The search stopped early: {reason}", *_so_far(cause), *_failed_probes(cause)]
    return [
        _headline(cause, reference),
        *_proof(cause, reference),
        *_others(cause),
        *_not_shown(cause),
        *_further_proofs(cause),
        *_failed_probes(cause),
        *_unexplained(cause, reference),
    ]


def standing_words(standing: Standing) -> str:
    """Say how a suspect stands, as far as it was tested."""
    return "no effect while the cause is changed" if standing is Standing.NO_EFFECT else standing.value


def _headline(cause: CauseRecord, reference: str) -> str:
    matches = cause.target_verdict is not None and cause.target_verdict.matches
    other = reference if matches else cause.target
    first = "The baseline" if cause.start == "baseline" else cause.start
    count = len(cause.sufficient)
    settings = "one setting" if count == 1 else f"{number_word(count)} settings"
    return f"{first} differs from {other} because of {settings}: {_names(cause.sufficient)}."


def _proof(cause: CauseRecord, reference: str) -> list[str]:
    """Say what the proof on the searched prompt shows, and the counter-proof where it shows another cause."""
    first = _first_proof(cause)
    if first is None:
        return []
    exactly = first.verdict is not None and first.verdict.matches
    result = f"the output matches {reference} exactly" if exactly else f"it gives the {nouns().clip} of {cause.target}"
    said = [f"{_with_these(cause)}, {result} ({first.proof})."]
    if first.counter_reproduced and len(cause.proofs) == 1:
        said.append(f"However, the other settings alone suffice, too: {first.counter_proof} also gives {nouns().that}.")
    return said


def _first_proof(cause: CauseRecord) -> ProofRecord | None:
    """Find the proof on the searched prompt; None where it does not give the target's clip."""
    return next((proof for proof in cause.proofs if proof.prompt == cause.prompt and proof.reproduced), None)


def _with_these(cause: CauseRecord) -> str:
    count = len(cause.sufficient)
    return f"With {'this one' if count == 1 else f'these {number_word(count)}'} changed"


def _others(cause: CauseRecord) -> list[str]:
    """Say of the others just what was tested: with the cause changed, all as at the start, and all as at the target."""
    count = len(cause.suspects) - len(cause.sufficient)
    if not count or cause.counter_reproduced or _first_proof(cause) is None:
        return []
    others = "one other setting makes" if count == 1 else f"{number_word(count)} other settings make"
    them = {1: "it", 2: "both"}.get(count, "all of them")
    tested = f"with {them} as in {cause.start}, and with {them} as in {cause.target}, {_same()}."
    return [f"{_with_these(cause)}, {others} no difference: {tested}"]


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
        return f"something else matters, too: {proof.proof} does not give the {nouns().clip} of {cause.target}{far}."
    if proof.counter_reproduced:
        return f"it is not needed: {proof.counter_proof} gives the {nouns().clip} of {cause.target}, too."
    return f"it is not proved: {after_colon(sentence(proof.reason))}" if proof.reason else "it is not proved."


def _so_far(cause: CauseRecord) -> list[str]:
    members = cause.sufficient
    differing = f"Of {counted(len(cause.suspects), 'setting')} that differ between {cause.start} and {cause.target}"
    return [f"{differing}, these {len(members)} suffice so far, and some may not be needed: {_names(members)}."]


def _failed_probes(cause: CauseRecord) -> list[str]:
    count = sum(probe.reproduced is None for probe in cause.probes)
    return [f"{counted(count, 'probe')} could not be generated and show{'s' * (count == 1)} nothing."] if count else []


def _unexplained(cause: CauseRecord, reference: str) -> list[str]:
    if cause.target_verdict is None or cause.target_verdict.matches:
        return []
    far = "" if cause.residual is None else f" (drift {written(cause.residual)})"
    said = [f"{cause.target} itself does not match {reference}{far}, which remains unexplained."]
    if cause.closest not in {"", cause.target} and cause.closest_drift is not None:
        said.append(f"The closest of all runs is {cause.closest} (drift {written(cause.closest_drift)}).")
    return said


def _same() -> str:
    return f"the {nouns().clip} {nouns().verb('is', 'are')} the same"


def _names(paths: Iterable[str]) -> str:
    return listed([setting_name(path) for path in paths])


# ---- why the search stopped


@says(FactKind.SEARCH_INTERRUPTED)
def _search_interrupted() -> str:
    return "The search was interrupted."


@says(FactKind.BUDGET_SPENT)
def _budget_spent(*, budget: int) -> str:
    return f"The budget of {counted(budget, 'generation')} was spent."


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
def _needed(*, run: str) -> str:
    differs = f"the {nouns().clip} {nouns().verb('differs', 'differ')}"
    return f"With the whole cause changed except this setting, {differs} ({run})."


@says(FactKind.NEED_UNKNOWN)
def _need_unknown(*, run: str) -> str:
    clip = nouns()
    return f"With the whole cause changed except this setting, there {clip.verb('is', 'are')} no {clip.clip} ({run})."


@says(FactKind.NOT_NEEDED)
def _not_needed(*, run: str) -> str:
    return f"Without this change, {_same()} ({run})."


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
