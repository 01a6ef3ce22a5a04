"""Requests: what a Space used in place of what it was asked for, and what that means for a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.vocabulary import says

_NOT_ADOPTED: Mapping[str, str] = {
    "declined": "the runs here do not use it, since reference.adopt is false",
    "unusable": "which is no seed that can be used here",
    "private": "the prompt is private, so that the other text is not kept and the runs here cannot use it",
    "unknown": "the runs here cannot use it",
}


@says(FactKind.SEED_USED)
def _seed_used(*, prompt: str, asked: int, used: int | None, why: str) -> str:
    if used is None:
        return (
            f"For {prompt}, the Space drew a seed of its own and does not say which: its {nouns().clip} may come from "
            "any noise."
        )
    said = f"For {prompt}, the Space was asked for seed {asked} and says that it used {used}"
    if why:
        return f"{said}; {_NOT_ADOPTED.get(why, why)}."
    return f"{said}; the runs here use {used} as well."


@says(FactKind.PROMPT_USED)
def _prompt_used(*, prompt: str, used: str, why: str) -> str:
    quoted = f": “{used}”" if used else ""
    said = f"For {prompt}, the Space says that it used another text than the prompt"
    if why:
        return f"{said}; {_NOT_ADOPTED.get(why, why)}{quoted}."
    return f"{said}, and the runs here use it as well{quoted}."


@says(FactKind.REPEAT_OF_ANOTHER_SEED)
def _repeat_of_another_seed() -> str:
    return "The Space used another seed or another text for this request, or does not say which: it repeats nothing."
