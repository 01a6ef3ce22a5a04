"""A written scenario always loads: it is parsed again before it is returned, without the values that are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from spacediff.errors import Mistake, ScenarioError
from spacediff.reading.signatures import accepts
from spacediff.scenario.messages import KEYS
from spacediff.scenario.scenario import parse_scenario
from spacediff.settings import Setting, Settings

Refused = Mapping[str, str]
"""Dotted key of a scenario to the reason why its value is left out."""
_MOST_TRIES = 8
"""One mistake can mask others, for example a token in a text; a few rounds find all."""


def loadable(write: Callable[[Refused], str], refused: Refused) -> str:
    """Return the text of a scenario, without the values that a scenario does not accept.

    Args:
        write: Returns the text without the values at the refused keys.
        refused: What is known to be refused before the first try.

    Raises:
        ScenarioError: A mistake is not at a key that could be left out.
    """
    known = dict(refused)
    for _ in range(_MOST_TRIES):
        text = write(known)
        try:
            parse_scenario(text, Path("why.toml"))
        except ScenarioError as error:
            found = {one.key: _reason(one) for one in error.mistakes if one.key}
            if found.keys() <= known.keys():
                raise
            known = {**found, **known}
        else:
            return text
    raise AssertionError("each round refuses a key that the one before had not")


def _reason(mistake: Mistake) -> str:
    if mistake.expected.startswith(KEYS):
        return "a scenario has no such setting"
    return f"a scenario expects {mistake.expected} there"


def reason_at(key: str, refused: Refused) -> str:
    """Return why the value at a key is left out; empty if it is not."""
    adapter = _adapter_of(key)
    return next(
        (
            why
            for at, why in refused.items()
            if at == key or at.startswith(f"{key}.") or (adapter and _leaves_out(at, adapter))
        ),
        "",
    )


def _adapter_of(key: str) -> str:
    """Return the key of the adapter, or of the input, that a key is part of; empty if it is part of none."""
    named = r"(?:lora|textual_inversion|inputs)\.[^.]+(?=\.)"
    found = re.match(rf"(?:baseline|variants\.[^.]+)\.(?:{named}|ip_adapter(?=\.))", key)
    return found[0] if found else ""


def _leaves_out(refused: str, adapter: str) -> bool:
    """Whether an adapter or input cannot be said without what is refused: itself, or where its weights are."""
    return refused in {adapter, *(f"{adapter}.{key}" for key in ("id", "weight_name", "subfolder", "component"))}


def misfits(baseline: Settings, changes: Mapping[str, Setting], variant: str) -> dict[str, str]:
    """Return the call arguments that a pipeline class does not have, and the class that does not have the baseline's.

    A variant cannot unset an argument of the baseline. If its pipeline does not have such an argument, the variant
    keeps the pipeline of the baseline.

    Args:
        baseline: The settings of the baseline.
        changes: The settings that the variant changes.
        variant: The name of the variant.
    """
    own = baseline.value("model.pipeline")
    found = {f"baseline.{path}": why for path, why in _not_taken(own, baseline).items()}
    given = [path for path in baseline if f"baseline.{path}" not in found]
    changed = changes["model.pipeline"].value if "model.pipeline" in changes else own
    if changed != own and (lost := _not_taken(changed, given)):
        reason = f"{changed} has no argument {', '.join(lost)}, which the script sets and a variant cannot unset"
        found[f"variants.{variant}.model.pipeline"] = reason
        changed = own
    return found | {f"variants.{variant}.{path}": why for path, why in _not_taken(changed, changes).items()}


def _not_taken(pipeline: Any, paths: Collection[str]) -> dict[str, str]:
    called = [path for path in paths if path.startswith("call.")] if isinstance(pipeline, str) else []
    return {path: f"{pipeline} has no such argument" for path in called if not accepts(pipeline, path[len("call.") :])}
