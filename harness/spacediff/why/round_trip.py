"""A written scenario always loads: it is read back before it is given out, and what does not load becomes a remark."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from spacediff.errors import ScenarioError
from spacediff.reading.signatures import accepts
from spacediff.scenario.scenario import parse_scenario
from spacediff.settings import Setting, Settings

Refused = Mapping[str, str]
"""Dotted key of a scenario to why nothing can stand there."""
_MOST_TRIES = 8
"""Mistakes of the file as a whole, such as a token in a text, hide others; a few rounds find all."""


def loadable(write: Callable[[Refused], str], refused: Refused) -> str:
    """Return a scenario's text without what a scenario cannot hold.

    Args:
        write: Gives the text without the values at the refused keys.
        refused: What is known before not to fit.

    Raises:
        ScenarioError: What is wrong is not at a key that could be left out.
    """
    known = dict(refused)
    for _ in range(_MOST_TRIES):
        text = write(known)
        try:
            parse_scenario(text, Path("why.toml"))
        except ScenarioError as error:
            found = {one.key: f"a scenario expects {one.expected} there" for one in error.mistakes if one.key}
            if found.keys() <= known.keys():
                raise
            known = {**found, **known}
        else:
            return text
    raise AssertionError("each round refuses a key that the one before had not")


def reason_at(key: str, refused: Refused) -> str:
    """Return why a value cannot stand at a key; empty where it can."""
    return next((why for at, why in refused.items() if at == key or at.startswith(f"{key}.")), "")


def misfits(baseline: Settings, changes: Mapping[str, Setting], variant: str) -> dict[str, str]:
    """Return the call arguments that a pipeline class does not take, and the class that could not take the baseline's.

    A variant cannot take back what the baseline gives: where its pipeline refuses such an argument, it keeps the
    baseline's pipeline.

    Args:
        baseline: What the baseline sets.
        changes: What the variant changes.
        variant: Its name.
    """
    own = baseline.value("model.pipeline")
    found = {f"baseline.{path}": why for path, why in _not_taken(own, baseline).items()}
    given = [path for path in baseline if f"baseline.{path}" not in found]
    changed = changes["model.pipeline"].value if "model.pipeline" in changes else own
    if changed != own and (lost := _not_taken(changed, given)):
        takes_none = f"{changed} does not take {', '.join(lost)}, which the script gives and a variant cannot take back"
        found[f"variants.{variant}.model.pipeline"] = takes_none
        changed = own
    return found | {f"variants.{variant}.{path}": why for path, why in _not_taken(changed, changes).items()}


def _not_taken(pipeline: Any, paths: Collection[str]) -> dict[str, str]:
    called = [path for path in paths if path.startswith("call.")] if isinstance(pipeline, str) else []
    return {
        path: f"{pipeline} takes no such argument" for path in called if not accepts(pipeline, path[len("call.") :])
    }
