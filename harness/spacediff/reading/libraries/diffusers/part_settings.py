"""The settings of a pipeline's parts at a call: how each one differs from what the pipeline would load by itself."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from spacediff.observer.structure import is_denoiser
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.guiders import GUIDER, guider_paths
from spacediff.reading.libraries.diffusers.names import USUAL_PARTS, WITHOUT_WEIGHTS
from spacediff.reading.libraries.diffusers.paths import Paths, each_path, with_alternatives_outside
from spacediff.reading.libraries.diffusers.quantised_parts import QUANTISATION, quantisation_by_part
from spacediff.reading.signatures import components
from spacediff.reading.values import (
    Absent,
    Asked,
    Class,
    Either,
    External,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.inputs import json_of, shown

_QUANTISED = "quantization_config:"
"""Beginning of the keys for the quantisation of one part."""
_COMPILE = "numerics.compile"
_DEFAULT_DTYPE = "float32"
"""What weights are loaded as if no dtype is given."""


def part_paths(state: State, fields: Mapping[str, Value], where: str) -> Paths:
    """Return the paths of the parts of a pipeline.

    Args:
        state: The interpreter.
        fields: The cell of the pipeline.
        where: File and line of what an alternative lacks.
    """
    paths: Paths = {}
    known = components(str(json_of(fields.get("signature")) or "")) or USUAL_PARTS
    for part, value in fields.items():
        if part in WITHOUT_WEIGHTS or "." in part or ":" in part or part.startswith("__"):
            continue
        if part == GUIDER:
            paths |= each_path(value, guider_paths, where)
            continue
        objects = [item for item in value.items if isinstance(item, Object)] if isinstance(value, Items) else []
        if objects and all(item.kind == "part" for item in objects):
            paths[f"load.{part}"] = Items(value.where, tuple(_own_table(state, item) for item in objects))
            continue
        of_part = functools.partial(_paths_of, state, part, fields, is_known=part in known)
        paths |= each_path(value, of_part, where)
    return _with_quantisation(state, paths, fields, where)


def _paths_of(state: State, part: str, fields: Mapping[str, Value], value: Value, *, is_known: bool) -> Paths | None:
    if is_known and isinstance(value, Unknown | Known | Asked | External):
        is_stated = isinstance(value, Unknown) or value == Known(value.where, None)
        return {f"load.{part}": value if is_stated else Unknown(value.where, shown(value))}
    if not isinstance(value, Object) or value.kind not in {"part", "instance"}:
        return None
    if value.kind == "instance" and not is_known:
        return None
    if value.kind == "instance":
        made = state.get(value, "__class__")
        named = Known(value.where, made.name) if isinstance(made, Class) else None
        return {f"load.{part}": Table(value.where, (("class", named),))} if named is not None else None
    cell = state.heap.cell(value.cell)
    paths = {
        _of_pipeline(path, part): one
        for path, one in cell.items()
        if path.startswith(("numerics.", "cache.")) and not isinstance(one, Absent)
    }
    if "offload" in cell:
        paths[f"offload.{part}"] = cell["offload"]
    other = _borrowed_from(state, value, fields)
    if other is not None:
        paths[f"load.{part}"] = Table(value.where, (("id", other),))
    own = {key.removeprefix("own."): one for key, one in cell.items() if key.startswith("own.")}
    is_own_class = isinstance(cell.get("__class__"), Class)
    if own and (is_own_class or not _is_the_pipelines(part, own, fields)):
        quantisation = own.pop("quantization_config", None)
        if quantisation is not None:
            paths[f"{_QUANTISED}{part}"] = quantisation
        if own:
            changed_at = value.where if "class" in own else next(reversed(own.values())).where
            paths[f"load.{part}"] = with_alternatives_outside(Table(changed_at, tuple(own.items())))
    return paths


def _of_pipeline(path: str, part: str) -> str:
    """Return where a pipeline has a setting of one part: a scenario compiles denoisers, and no other part."""
    is_other = path.startswith(_COMPILE) and not is_denoiser(part)
    return f"components.{part}{path.removeprefix('numerics')}" if is_other else path


def _own_table(state: State, part: Object) -> Value:
    cell = state.heap.cell(part.cell)
    items = tuple((key.removeprefix("own."), one) for key, one in cell.items() if key.startswith("own."))
    return with_alternatives_outside(Table(part.where, items))


def _with_quantisation(state: State, paths: Paths, fields: Mapping[str, Value], where: str) -> Paths:
    """Return the paths with one setting for the quantisation of all parts."""
    own = {key.removeprefix(_QUANTISED): value for key, value in paths.items() if key.startswith(_QUANTISED)}
    kept = {path: value for path, value in paths.items() if not path.startswith(_QUANTISED)}
    apart = {part for part, value in fields.items() if isinstance(value, Object) and state.get(value, "own.class")}
    found = quantisation_by_part(fields.get(QUANTISATION), own, apart, where)
    return kept if found is None else {**kept, QUANTISATION: found}


def _is_the_pipelines(part: str, own: Mapping[str, Value], fields: Mapping[str, Value]) -> bool:
    """Return whether a part is loaded by itself, but just as the pipeline would load it on every branch."""
    alike = {"id": fields.get("model.id"), "subfolder": Known("", part)} if "id" in own else {}
    alike |= {key: fields.get(f"model.{key}") for key in ("dtype", "revision", "variant")}
    if not own.keys() <= {"class", *alike}:
        return False
    return all(_same(own.get(key), theirs, _DEFAULT_DTYPE if key == "dtype" else None) for key, theirs in alike.items())


def _same(left: Value | None, right: Value | None, default: str | None) -> bool:
    """Return whether two values are equal; a missing one is the default."""
    ours, theirs = _constant(left, default), _constant(right, default)
    is_one = left is right and not isinstance(left, Either)  # a branch may decide them separately
    return is_one or (not isinstance(ours, Value) and ours == theirs)


def _constant(value: Value | None, default: str | None) -> object:
    """Return the constant that a value is, or that an input has by default; any other value as it is."""
    one = value.value if isinstance(value, Asked) else value
    if one is None or isinstance(one, Absent):
        return default
    return one.value if isinstance(one, Known) else one


def _borrowed_from(state: State, part: Object, fields: Mapping[str, Value]) -> Value | None:
    """Return the checkpoint of the pipeline that a part was taken from, if it is another one."""
    owner = state.get(part, "__pipeline__")
    if not isinstance(owner, Object):
        return None
    theirs, mine = state.get(owner, "model.id"), fields.get("model.id")
    return theirs if isinstance(theirs, Known) and isinstance(mine, Known) and theirs.value != mine.value else None
