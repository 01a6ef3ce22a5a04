"""Residual suspects: what may make two clips differ although every setting agrees."""

from __future__ import annotations

from typing import Any

from spacediff.record import FactKind
from spacediff.wording.nouns import CLIPS, nouns
from spacediff.wording.vocabulary import says

_UNKNOWN = "unknown"
_SPACE = CLIPS.there
"""What has a requirements.txt, and a page on the Hub."""


@says(FactKind.VERSIONS_UNKNOWN)
def _versions_unknown(*, here: str) -> str:
    return f"Versions: {nouns().there} does not say which ones it runs; this machine has {here}."


@says(FactKind.VERSION_DIFFERS)
def _version_differs(*, library: str, hosted: str, here: str) -> str:
    there = nouns().there
    has = f"asks for {hosted} (in its requirements.txt)" if there == _SPACE else f"has {hosted}"
    return f"{library}: {there} {has}; this machine has {here or _UNKNOWN}."


@says(FactKind.HARDWARE)
def _hardware(*, hosted: str, here: str) -> str:
    of = nouns().there
    if of == _SPACE:
        there = f"{hosted} on the Space (its page on the Hub)" if hosted else "unknown on the Space"
    else:
        there = f"{hosted or _UNKNOWN} for {of}"
    return f"Hardware: {there}, {here or _UNKNOWN} here."


@says(FactKind.REVISION_UNKNOWN)
def _revision_unknown(*, here: str, where: str) -> str:
    ours = f"{here} here{f' ({where})' if where else ''}" if here else "unknown here, too"
    where_unknown = "on" if nouns().there == _SPACE else "for"
    return f"Model revision: unknown {where_unknown} {nouns().there}, {ours}."


@says(FactKind.SEED_DIFFERS)
def _seed_differs(*, hosted: int, here: Any, where: str) -> str:
    return f"Seed: {hosted} on the Space (in its answer), {here} here{f' ({where})' if where else ''}."


@says(FactKind.POST_PROCESSED)
def _post_processed() -> str:
    return "Post-processing"


@says(FactKind.PROMPT_OF_FILE_UNKNOWN)
def _prompt_of_file_unknown() -> str:
    return "Prompt: the file does not say which text it was made from."


@says(FactKind.PROMPT_MAY_BE_REWRITTEN)
def _prompt_may_be_rewritten(*, space: str) -> str:
    look = f"; `spacediff read {space}` looks for it in the source" if space else ""
    shows = f"the {nouns().clip} {nouns().verb('does', 'do')} not show"
    return f"Prompt rewriting: the text was sent unchanged, and {shows} what {nouns().there} made of it{look}."
