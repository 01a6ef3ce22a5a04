"""Whether a pipeline serves its scheduler: what the model predicts, and the scaling that the scheduler leaves to it.

The key insight: a scheduler is exchanged without a check. It reads the model's prediction in one way: as noise, as
velocity, or as the flow of flow matching. A model of the other kind gives pictures all the same, which are wrong. So
does a pipeline that scales neither the noise nor the model's input for a scheduler that expects it.

Neither needs the weights. What the model predicts follows from the checkpoint's configuration, the scaling from the
source of the pipeline and from the scheduler, which is built from its configuration. So both are said before the first
run, and once more when a run is loaded: its record has them, also where the checkpoint could not be looked up before.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spacediff.hub.model_index import PipelineLookUp, class_here_or_on_the_hub
from spacediff.hub.scheduler_config import LookUp, here_or_on_the_hub
from spacediff.observer.scaling import is_flow_matching
from spacediff.reading.installed import pipeline_source
from spacediff.record import Fact, FactKind, fact
from spacediff.run import Run
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.wording import sentence

_FLOW = "flow_prediction"
_USUAL = "epsilon"
_WITH_FLOW = ("UniPC", "DPMSolverMultistep", "DPMSolverSinglestep", "DEIS", "SASolver", "Helios")
"""Beginnings of the classes that can read the flow of flow matching (`prediction_type` in diffusers)."""
_ONE = 1e-2
"""Noise that is scaled by a factor this near to 1 needs no scaling."""


def unserved_schedulers(
    runs: Sequence[Run], look_up: LookUp = here_or_on_the_hub, class_of: PipelineLookUp = class_here_or_on_the_hub
) -> Iterator[Fact]:
    """Yield, before the first run, what the pipelines of the plan will not do for their schedulers, each fact once.

    Args:
        runs: The runs of the plan.
        look_up: Looks up the configuration of a checkpoint's scheduler.
        class_of: Looks up the pipeline class of a checkpoint.
    """
    noted: list[tuple[FactKind, dict[str, Any]]] = []
    for run in runs:
        for found in _unserved(run, look_up, class_of):
            of_any_run = found.kind, {**found.values, "run": ""}
            if of_any_run not in noted:
                noted.append(of_any_run)
                yield found


def _unserved(run: Run, look_up: LookUp, class_of: PipelineLookUp) -> Iterator[Fact]:
    declared = run.settings.table("scheduler")
    model, revision = run.settings.value("model.id"), run.settings.value("model.revision")
    if run.source != "diffusers" or not model or not {"class", "prediction_type"} & declared.keys():
        return
    stored = look_up(str(model), revision).scheduler
    if not stored:
        return
    name = str(declared.get("class", stored["class"]))
    if name == stored["class"]:  # a class is served or not, and diffusers need not be imported
        ours, theirs = prediction_type({**stored, **declared}), prediction_type(stored)
        if ours != theirs:
            yield fact(FactKind.SCHEDULER_NOT_SERVED, run=run.name, scheduler=name, reads=ours, predicts=theirs)
        return
    own, scheduler = _built(stored), _built({**stored, **declared})
    if own is None or scheduler is None:
        return
    yield from _other_prediction(run.name, scheduler, own)
    if not run.settings.value("load.custom_pipeline"):
        pipeline = str(run.settings.value("model.pipeline") or class_of(str(model), revision))
        yield from _scaling(run.name, pipeline, scheduler, own)


def _built(config: Mapping[str, Any]) -> Any:
    """Return a scheduler of a configuration, as `from_config` makes it; None if it cannot, which its run will say."""
    import diffusers

    kind = getattr(diffusers, str(config["class"]), None)
    if not (isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)):
        return None
    entries = {name: value for name, value in config.items() if name != "class"}
    try:
        with warnings_of_libraries():
            return kind.from_config(entries)  # type: ignore[attr-defined] # all are ConfigMixin too
    except Exception:  # noqa: BLE001 - whatever a library raises for the values of a user
        return None


def prediction_type(config: Mapping[str, Any]) -> str:
    """Return how a scheduler reads predictions: `epsilon`, `v_prediction`, `sample` or `flow_prediction`.

    `use_flow_sigmas` changes the noise levels, and not what a prediction is read as.

    Args:
        config: Its configuration, with its `class`.
    """
    name = str(config["class"])
    if is_flow_matching(name):
        return _FLOW
    given = str(config.get("prediction_type") or _USUAL)
    return _USUAL if given == _FLOW and not name.startswith(_WITH_FLOW) else given


def scheduler_warnings(pipeline: Any, loaded: Any) -> tuple[str, ...]:
    """Return what a pipeline does not do for its scheduler, each as a sentence; nothing where it is not known.

    Args:
        pipeline: The pipeline of the run, with its scheduler.
        loaded: The pipeline as it was loaded, whose own scheduler it serves.
    """
    scheduler, own = (getattr(each, "scheduler", None) for each in (pipeline, loaded))
    if scheduler is None or own is None:
        return ()
    kind = type(pipeline)
    of_diffusers = kind.__module__.startswith("diffusers.")  # a custom pipeline may have the name of another
    unscaled = _scaling("", kind.__name__, scheduler, own) if of_diffusers else ()
    return (*_prediction_warnings(scheduler, own), *map(sentence, unscaled))


def _prediction_warnings(scheduler: Any, own: Any) -> Iterator[str]:
    asked, known = scheduler.config.get("prediction_type"), _known_predictions(scheduler)
    if known and asked is not None and asked not in known and _is_known(scheduler) and _is_known(own):
        yield f"{type(scheduler).__name__} knows no prediction type {asked}: only {', '.join(known)}"
    else:
        yield from map(sentence, _other_prediction("", scheduler, own))


def _other_prediction(run: str, scheduler: Any, own: Any) -> Iterator[Fact]:
    """Yield that a scheduler reads predictions in another way than the checkpoint's own; nothing if one is unknown."""
    if not (_is_known(scheduler) and _is_known(own)):
        return
    reads, predicts = (prediction_type({**each.config, "class": type(each).__name__}) for each in (scheduler, own))
    if reads != predicts:
        name = type(scheduler).__name__
        yield fact(FactKind.SCHEDULER_NOT_SERVED, run=run, scheduler=name, reads=reads, predicts=predicts)


def _is_known(scheduler: Any) -> bool:
    """Whether it is known how a scheduler reads predictions.

    A few classes do not name their only way, and their configurations keep the `prediction_type` of another.
    """
    name = type(scheduler).__name__
    return is_flow_matching(name) or name.startswith(_WITH_FLOW) or bool(_known_predictions(scheduler))


def _known_predictions(scheduler: Any) -> tuple[str, ...]:
    """Return the prediction types that the source of a scheduler compares with; empty if it cannot be read."""
    names: tuple[str, ...] = ("epsilon", "sample", "v_prediction", _FLOW)
    kind: Any = type(scheduler)
    source = _source(kind)
    return tuple(name for name in names if f'"{name}"' in source) if '"epsilon"' in source else ()


def _scaling(run: str, pipeline: str, scheduler: Any, own: Any) -> Iterator[Fact]:
    """Yield the scaling that a scheduler needs, the checkpoint's own does not, and the pipeline never does."""
    source = pipeline_source(pipeline)
    if not source:
        return
    of = {"run": run, "scheduler": type(scheduler).__name__, "pipeline": pipeline}
    scale = _noise_scale(scheduler)
    if _noise_scale(own) == 1 and scale != 1 and "init_noise_sigma" not in source:
        yield fact(FactKind.NOISE_NOT_SCALED, **of, scale=scale)
    if not _scales_input(own) and _scales_input(scheduler) and "scale_model_input" not in source:
        yield fact(FactKind.MODEL_INPUT_NOT_SCALED, **of)
    for attribute in ("init_noise_sigma", "scale_model_input"):
        if f"scheduler.{attribute}" in source and not hasattr(scheduler, attribute):
            yield fact(FactKind.SCHEDULER_LACKS, **of, attribute=attribute)


def _noise_scale(scheduler: Any) -> float:
    """Return the factor of the initial noise; 1 for a scheduler that has none."""
    scale = float(getattr(scheduler, "init_noise_sigma", 1.0))
    return 1.0 if abs(scale - 1) < _ONE else scale


def _scales_input(scheduler: Any) -> bool:
    """Whether `scale_model_input` does more than return what it is given."""
    method = getattr(type(scheduler), "scale_model_input", None)
    source = textwrap.dedent(_source(method)) if method is not None else ""
    if not source:
        return False
    function = ast.parse(source).body[0]
    statements = [each for each in getattr(function, "body", []) if not _is_docstring(each)]
    return not (
        len(statements) == 1 and isinstance(statements[0], ast.Return) and isinstance(statements[0].value, ast.Name)
    )


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@functools.lru_cache(maxsize=64)  # finding a class in its file takes as long as a step of a small model
def _source(of: Any) -> str:
    try:
        return inspect.getsource(of)
    except (OSError, TypeError):
        return ""
