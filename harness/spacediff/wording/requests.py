"""Requests: what a Space used in place of what it was asked for, and what that means for a comparison."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import duration, moment
from spacediff.wording.vocabulary import says

_DAY, _FEW_DAYS = 86400.0, 2
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


@says(FactKind.REFERENCE_KEPT)
def _reference_kept(*, prompts: list[str], fetched: str, age: float, commit: str, hardware: str) -> str:
    days = age / _DAY
    ago = f"{days:.0f} days" if days >= _FEW_DAYS else duration(age)
    at = f", at commit {commit}" if commit else ""
    on = f", on {hardware}" if hardware else ""
    return (
        f"The reference ({', '.join(prompts)}) is a kept one: it was fetched {ago} ago, on {moment(fetched)}{at}{on}."
    )


@says(FactKind.REFERENCE_UNAVAILABLE)
def _reference_unavailable(*, prompt: str, baseline: str) -> str:
    return (
        f"The reference of {prompt} is unavailable. The runs here are compared with {baseline} in its place, which "
        f"does not show how they compare with {nouns().there}"
    )


@says(FactKind.SPACE_CHANGED)
def _space_changed(*, space: str, commits: list[str]) -> str:
    *before, now = commits
    return f"The Space {space} has changed since the reference was fetched: from commit {', '.join(before)} to {now}."


@says(FactKind.REPEAT_OF_ANOTHER_SEED)
def _repeat_of_another_seed() -> str:
    return "The Space used another seed or another text for this request, or does not say which: it repeats nothing."
