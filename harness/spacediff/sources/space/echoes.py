"""What a Space says in its outputs that it used: the seed and the prompt, which may be others than those it was sent.

Everything that wants to know what was echoed asks here, so that an audit and a check never read one answer in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
        prompt: The prompt that was used, as it came.
    """

    seed: int | None = None
    prompt: str | None = None


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
    pairs = list(zip(declared, outputs, strict=False))
    if "seed" in named:
        seeds = [integer_in(each) for each in outputs[named["seed"] : named["seed"] + 1]]
    else:
        seeds = [*_labelled(pairs, _is_seed, integer_in), *_entries(pairs, "seed", integer_in)]
    prompts = [*_labelled(pairs, _is_prompt, _text_in), *_entries(pairs, "prompt", _text_in)]
    return Echoed(_only(seeds), _only(prompts))


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


def _text_in(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return _text_in(value.get("value"))
    return value if isinstance(value, str) and value.strip() and len(value) <= _LONGEST else None


def _is_seed(shown: Shown) -> bool:
    return "seed" in shown.label.lower() and shown.component != "checkbox"


def _is_prompt(shown: Shown) -> bool:
    label = shown.label.lower()
    return shown.component in _TEXTS and "prompt" in label and "negative" not in label


def _labelled(
    pairs: Iterable[tuple[Shown, Any]], meant: Callable[[Shown], bool], read: Callable[[Any], _Found | None]
) -> Iterator[_Found | None]:
    return (read(value) for shown, value in pairs if meant(shown))


def _entries(
    pairs: Iterable[tuple[Shown, Any]], name: str, read: Callable[[Any], _Found | None]
) -> Iterator[_Found | None]:
    for shown, value in pairs:
        if shown.component == "json" and isinstance(value, Mapping) and name in value:
            yield read(value[name])


def _only(found: Iterable[_Found | None]) -> _Found | None:
    distinct = {each for each in found if each is not None}
    return distinct.pop() if len(distinct) == 1 else None
