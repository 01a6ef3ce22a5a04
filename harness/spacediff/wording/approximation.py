"""Approximations: what a script or a Space does, and the baseline or variant that stands for it does not say."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import Fact, FactKind
from spacediff.wording.settings import setting_name
from spacediff.wording.vocabulary import says, sentences

_MOST_SAID = 12
"""Approximations that are listed one by one where a message has to be short."""


SAID_OF_CODE = frozenset(
    {
        "LoRA", "an open question", "attention", "caching", "checkpoint", "compile", "frame interpolation",
        "input resizing", "patched part", "pipeline", "post-processing", "prompt rewriting", "prompt template",
        "prompt translation", "quantisation", "random", "refused argument", "resizing", "reused generator",
        "the call that was read", "upscaling", "weights replaced",
    }
)  # fmt: skip
"""What is no setting with a value, but something that a source does, in its own words or in a sentence."""


@says(FactKind.APPROXIMATED)
def _approximated(*, setting: str, value: str, where: str, reason: str) -> str:
    if setting in SAID_OF_CODE:
        return f"The scenario does not say this of the script{_of_code(setting, value, where, reason)}"
    why = f": {reason}" if reason else ""
    return f"The script's {setting_name(setting)} is {value} ({where}), which the scenario does not say{why}."


@says(FactKind.SPACE_APPROXIMATED)
def _space_approximated(*, setting: str, value: str, where: str, reason: str) -> str:
    if setting in SAID_OF_CODE:
        return f"The variant in place of the Space does not say this of it{_of_code(setting, value, where, reason)}"
    why = f": {reason}" if reason else ""
    return (
        f"The Space's {setting_name(setting)} is {value} ({where}), which the variant in its place does not say{why}."
    )


def _of_code(what: str, words: str, where: str, reason: str) -> str:
    why = f" ({reason})" if reason else ""
    return f"{why}: {what} ({where}): {words}{'' if words.endswith(('.', '?')) else '.'}"


def approximation_texts(approximations: Sequence[Fact]) -> list[str]:
    """Say what a scenario leaves out, one sentence each; of very many, how many more there are."""
    more = len(approximations) - _MOST_SAID
    said = sentences(approximations[:_MOST_SAID])
    return [*said, f"The scenario leaves out {more} more things; audit.json has them all."] if more > 0 else said
