"""What a Space says in its outputs that it used: the seed and the prompt, which may be others than those it was sent.

Everything that wants to know what was echoed asks here, so that an audit and a check never read one answer in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_TEXTS = frozenset({"textbox", "text", "textarea", "markdown"})
"""Components whose value is a text, in small letters."""
_LONGEST = 20_000
"""Characters of a prompt; a longer text is none."""
_Found = TypeVar("_Found", int, str)


@dataclass(frozen=True)
class Echoed:
    """What the outputs say; None where they say nothing, or several say different things.

    Attributes:
        seed: The seed that was used.
        prompt: The prompt that was used, as it came but for characters that no prompt has.
        seed_at: The index of the output that says the seed.
        prompt_at: The index of the output that says the prompt.
    """

    seed: int | None = None
    prompt: str | None = None
    seed_at: int | None = None
    prompt_at: int | None = None


@dataclass(frozen=True)
class Shown:
    """An output as the Space declares it: the text beside it, and its component in small letters."""

    label: str
    component: str


def echoed_in(outputs: Sequence[Any], declared: Sequence[Shown], named: Mapping[str, int]) -> Echoed:
    """Find the seed and the prompt among the outputs of a job.

    An output that the scenario names counts alone. Otherwise it is what is labelled as one, or an entry of a table of
    JSON under that name.

    Args:
        outputs: All outputs, as gradio_client returns them.
        declared: The same outputs as the Space declares them, in order.
        named: The outputs of the request: name to index.
    """
    values = list(enumerate(outputs))
    pairs = list(zip(declared, values, strict=False))
    seed, seed_at = _only(_said(pairs, values, named.get("seed"), _Role("seed", _is_seed, integer_in)))
    prompt, prompt_at = _only(_said(pairs, values, named.get("prompt"), _Role("prompt", _is_prompt, text_in)))
    return Echoed(seed, prompt, seed_at, prompt_at)


def integer_in(value: Any) -> int | None:
    """Return the integer in an output, in any form in which Gradio returns a number; otherwise None."""
    if isinstance(value, list | tuple):
        return integer_in(value[0]) if len(value) == 1 else None
    if isinstance(value, Mapping):
        return integer_in(value.get("value"))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"\s*([+-]?\d{1,20})(?:\.0*)?\s*", value) if isinstance(value, str) else None
    return int(match[1]) if match else None


def text_in(value: Any) -> str | None:
    """Return the text in an output, as it is but for characters that no prompt has; otherwise None."""
    if isinstance(value, list | tuple):
        return text_in(value[0]) if len(value) == 1 else None
    if isinstance(value, Mapping):
        return text_in(value.get("value"))
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    kept = "".join(letter for letter in value if letter.isprintable() or letter in "\n\t")
    return kept if kept.strip() else None


def _is_seed(shown: Shown) -> bool:
    return "seed" in shown.label.lower() and shown.component != "checkbox"


def _is_prompt(shown: Shown) -> bool:
    label = shown.label.lower()
    return shown.component in _TEXTS and "prompt" in label and "negative" not in label


@dataclass(frozen=True)
class _Role(Generic[_Found]):
    """What is looked for: the name of an entry of JSON, how an output is labelled, and how its value is read."""

    name: str
    labelled: Callable[[Shown], bool]
    read: Callable[[Any], _Found | None]


def _said(
    pairs: Iterable[tuple[Shown, tuple[int, Any]]],
    values: Sequence[tuple[int, Any]],
    named: int | None,
    role: _Role[_Found],
) -> Iterator[tuple[_Found | None, int]]:
    """Yield what each output says that may have the role, and its index."""
    if named is not None:
        yield from ((role.read(value), at) for at, value in values if at == named)
        return
    for shown, (at, value) in pairs:
        if role.labelled(shown):
            yield role.read(value), at
        elif shown.component == "json" and isinstance(value, Mapping) and role.name in value:
            yield role.read(value[role.name]), at


def _only(found: Iterable[tuple[_Found | None, int]]) -> tuple[_Found, int] | tuple[None, None]:
    """Return what all outputs agree on that say anything, and the first of them."""
    said = [(each, at) for each, at in found if each is not None]
    return said[0] if len({each for each, _ in said}) == 1 else (None, None)
