"""Arguments of pipeline calls that no run could use: found before anything is generated.

The key insight is that the class of a pipeline is often known without loading it, and its source names the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacediff.catalogue.builtin_checkpoints import BUILTIN, PIPELINE_CLASS
from spacediff.errors import Mistake, ScenarioError, nearest_name
from spacediff.hub.model_index import class_on_this_machine
from spacediff.reading.signatures import call_names
from spacediff.scenario.locations import dotted
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.scenario import Scenario, owners_of
from spacediff.settings import Settings

COUNTS = (
    "num_inference_steps",
    "num_frames",
    "height",
    "width",
    "num_images_per_prompt",
    "num_videos_per_prompt",
    "max_sequence_length",
)
"""Arguments that are whole numbers from 1 in every pipeline that has them; a list or None is left to the pipeline."""


def ensure_call_arguments(scenario: Scenario, names: Iterable[str]) -> None:
    """Check the arguments of the calls that an audit makes.

    The names are compared with the source of the pipeline's class: the declared one, or that of a checkpoint on this
    machine. Nothing is said of the names where the class is unknown, is no class of diffusers, or takes any name, nor
    where the run has versions of its own.

    Args:
        scenario: The scenario.
        names: The variants that are audited, with the baseline.

    Raises:
        ScenarioError: Some cannot be used; the error lists all of them.
    """
    found: dict[str, Mistake] = {}
    for name in names:
        for each in _mistakes(scenario, name):
            found.setdefault(each.key, each)
    if found:
        raise ScenarioError(scenario.path, sorted(found.values(), key=lambda each: each.line))


def _mistakes(scenario: Scenario, name: str) -> Iterator[Mistake]:
    settings, owners, lines = scenario.settings_of(name), owners_of(scenario, name), scenario.lines
    arguments = settings.table("call")
    pipeline = _pipeline_class(settings) if arguments else ""
    known = call_names(pipeline) if pipeline else ()
    for argument, value in arguments.items():
        places = ((*owner, "call", argument) for owner in owners)
        where = next((place for place in places if dotted(place) in lines), (*owners[0], "call", argument))
        if known and argument not in known:
            expected = f"an argument of the call of {pipeline}: {', '.join(known)}"
            yield mistake_at(lines, where, f"the argument {shown(argument)}", expected, nearest_name(argument, known))
        elif argument in COUNTS and not _is_count(value):
            yield mistake_at(lines, where, shown(value), "a whole number of at least 1")


def _is_count(value: Any) -> bool:
    """Whether a value can be a count; what is neither a number nor a text is left to the pipeline."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value >= 1 if is_whole else not isinstance(value, bool | float | str)


def _pipeline_class(settings: Settings) -> str:
    """Return the class of diffusers that is called; empty where it is unknown."""
    foreign = ("load.custom_pipeline", "load.trust_remote_code")
    if settings.table("env") or any(settings.value(path) for path in foreign):
        return ""
    declared, model = settings.value("model.pipeline"), settings.value("model.id")
    if isinstance(declared, str) or not isinstance(model, str):
        return str(declared or "")
    return PIPELINE_CLASS if model in BUILTIN else class_on_this_machine(model, settings.value("model.revision"))
