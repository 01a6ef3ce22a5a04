"""The class behind `DiffusionPipeline` and `AutoPipelineFor…`, which load the class that the checkpoint names."""

from __future__ import annotations

from spacediff.catalogue.pipelines import FROM_TEXT, GENERIC, family_of, task_of
from spacediff.hub.model_index import PipelineLookUp
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


def with_class(settings: Settings, other: Settings, look_up: PipelineLookUp) -> tuple[Settings, str]:
    """Return settings with the class that a generic one loads, and a note that says so; both unchanged or empty if not.

    Args:
        settings: The settings of a source.
        other: The settings of the other source, whose class is taken if it loads the same checkpoint.
        look_up: Returns the class that a checkpoint names.
    """
    pipeline, model = settings.get("model.pipeline"), settings.get("model.id")
    if pipeline is None or pipeline.value not in GENERIC or "load.custom_pipeline" in settings:
        return settings, ""
    if model is None or model.origin is Origin.UNKNOWN or not isinstance(model.value, str):
        return settings, ""
    revision = settings.value("model.revision")
    named = look_up(model.value, revision if isinstance(revision, str) else None)
    if named and pipeline.value in _BY_THE_CHECKPOINT:
        return _loading(settings, pipeline, named, f"{named}, which the checkpoint {model.value} names")
    theirs = other.value("model.pipeline")
    tasks = _CHOSEN_FOR.get(str(pipeline.value))
    fits = bool(family_of(theirs)) and (tasks is None or task_of(theirs) in tasks)
    if fits and is_one_repository(str(model.value), other.value("model.id")):
        words = f"{theirs}, as the other side loads the same checkpoint; the checkpoint itself was not looked up"
        return _loading(settings, pipeline, str(theirs), words)
    return settings, ""


def _loading(settings: Settings, pipeline: Setting, name: str, words: str) -> tuple[Settings, str]:
    changed = settings.changed_by(Settings({"model.pipeline": Setting(name, pipeline.origin, pipeline.where)}))
    return changed, f"{pipeline.value} ({pipeline.where}) loads a {words}"
