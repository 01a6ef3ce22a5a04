"""The class behind `DiffusionPipeline` and `AutoPipelineFor…`, which load the class that the checkpoint names."""

from __future__ import annotations

from dataclasses import replace

from spacediff.catalogue.pipelines import FROM_TEXT, GENERIC, task_of
from spacediff.hub.model_index import PipelineLookUp
from spacediff.reading import Reading
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.same_settings import is_one_repository

_CHOSEN_FOR = {
    "AutoPipelineForText2Image": {FROM_TEXT},
    "AutoPipelineForImage2Image": {"from a picture"},
    "AutoPipelineForInpainting": {"by filling in a part of a picture"},
}
"""Generic class to the tasks of the classes that it may load; `DiffusionPipeline` loads any."""
_BY_THE_CHECKPOINT = frozenset({"DiffusionPipeline", "AutoPipelineForText2Image"})
"""Generic classes that load the very class that the checkpoint names."""


def with_class(reading: Reading, other: Reading, look_up: PipelineLookUp) -> tuple[Reading, str]:
    """Return a reading with the class that a generic one loads, and a note that says so.

    The reading is unchanged and the note empty if its class is no generic one, or nobody knows what it loads.

    Args:
        reading: What was read of a source.
        other: What was read of the other source, whose class is taken if it loads the same checkpoint.
        look_up: Returns the class that a checkpoint names.
    """
    pipeline, model = reading.settings.get("model.pipeline"), reading.settings.get("model.id")
    if pipeline is None or pipeline.value not in GENERIC or "load.custom_pipeline" in reading.settings:
        return reading, ""
    if model is None or model.origin is Origin.UNKNOWN or not isinstance(model.value, str):
        return reading, ""
    revision = reading.settings.value("model.revision")
    named = look_up(model.value, revision if isinstance(revision, str) else None)
    if named and pipeline.value in _BY_THE_CHECKPOINT:
        return _loading(reading, pipeline, named, f"{named}, which the checkpoint {model.value} names")
    theirs = other.signature
    tasks = _CHOSEN_FOR.get(str(pipeline.value))
    fits = theirs == other.settings.value("model.pipeline") and (tasks is None or task_of(theirs) in tasks)
    if fits and theirs not in GENERIC and is_one_repository(model.value, other.settings.value("model.id")):
        words = f"{theirs}, as the other side loads the same checkpoint; the checkpoint itself was not looked up"
        return _loading(reading, pipeline, theirs, words)
    return reading, ""


def _loading(reading: Reading, pipeline: Setting, name: str, words: str) -> tuple[Reading, str]:
    loaded = Setting(name, pipeline.origin, pipeline.where)
    settings = reading.settings.changed_by(Settings({"model.pipeline": loaded}))
    return replace(reading, settings=settings, signature=name), f"{pipeline.value} ({pipeline.where}) loads a {words}"
