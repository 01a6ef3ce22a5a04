"""How a pipeline or a part is created: `from_pretrained`, `from_single_file`, `from_pipe`, or the constructor."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from spacediff.devices import is_device
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.checkpoints import Place, located
from spacediff.reading.libraries.diffusers.names import (
    CALL_ONLY,
    MODEL_ARGUMENTS,
    NOT_SETTINGS,
    USUAL_PARTS,
    WITHOUT_WEIGHTS,
)
from spacediff.reading.libraries.diffusers.pipeline_classes import PipelineClass
from spacediff.reading.libraries.torch_types import device_of_value, dtype_of_value
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.signatures import components
from spacediff.reading.values import (
    Absent,
    Arguments,
    Asked,
    Either,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    alternatives,
    lift,
)
from spacediff.reading.values.inputs import json_of

LOADS = frozenset({"from_pretrained", "from_single_file", "from_config", "from_pipe"})
"""Methods of a class that create what a checkpoint holds."""
_NOT_OF_PARTS = NOT_SETTINGS | {"pretrained_model_link_or_path", "device", "device_map", "trust_remote_code", "config"}
"""Arguments that load a part from somewhere and do not change it."""


def load(state: State, kind: PipelineClass, method: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return a pipeline that a method of its class creates."""
    if method == "from_pipe":
        source = arguments.get("pipeline", 0)
        given = Arguments([], {**arguments.named, **({"__pipeline__": source} if source else {})})
        return assemble_pipeline(state, kind, given, node)
    return load_pipeline(state, kind, method, arguments, node)


def load_pipeline(state: State, kind: PipelineClass, method: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return a pipeline that `from_pretrained` or `from_single_file` creates."""
    pipeline = _new(state, kind, node)
    place = _source(state, arguments)
    state.put(pipeline, "model.id", place.whole if place is not None else state.unknown(node))
    if method == "from_single_file":
        state.note("checkpoint", node, "the weights come from a single file")
    for key, value in arguments.named.items():
        _argument(state, pipeline, f"{kind.name}.{method}", (key, value), node)
    if arguments.open:
        state.put(pipeline, "load.*", state.unknown(node))
    return pipeline


def _source(state: State, arguments: Arguments) -> Place | None:
    """Return where weights come from; None if the source does not name it."""
    given = arguments.get("pretrained_model_name_or_path", 0) or arguments.get("pretrained_model_link_or_path")
    return located(state, given) if given is not None else None


def assemble_pipeline(state: State, kind: PipelineClass, arguments: Arguments, node: ast.AST) -> Object:
    """Return a pipeline that is created from the parts of others."""
    pipeline = _new(state, kind, node)
    whole = arguments.named.get("__pipeline__")
    owners = [state.get(part, "__pipeline__") for part in arguments.every() if isinstance(part, Object)]
    for source in [whole, *owners]:
        first = source.options[0] if isinstance(source, Either) else source
        if isinstance(first, Object) and first.kind == "pipeline":
            for key, value in state.heap.cell(first.cell).items():
                state.put(pipeline, key, value)
            _put_class(state, pipeline, kind, node)
            break
    parts = {key: value for key, value in arguments.named.items() if key != "__pipeline__"}
    parts |= dict(zip(components(kind.signature), arguments.positional, strict=False))
    for key, value in parts.items():
        _argument(state, pipeline, f"{kind.name}.from_pipe", (key, value), node)
    _take_from_parts(state, pipeline, parts)
    return pipeline


def _take_from_parts(state: State, pipeline: Object, parts: Mapping[str, Value]) -> None:
    """Take the checkpoint of most parts, and the dtype of all of them, for those of the pipeline if it has none yet."""
    made = {name: part for name, part in parts.items() if isinstance(part, Object) and part.kind == "part"}
    _name_common_folder(state, made)
    ids = [found for part in made.values() if (found := state.get(part, "own.id")) is not None]
    if ids and state.get(pipeline, "model.id") is None:
        state.put(pipeline, "model.id", _of_most(ids))
    dtypes = [state.get(part, "own.dtype") for name, part in made.items() if name not in WITHOUT_WEIGHTS]
    first = dtypes[0] if dtypes else None
    alike = all(one is not None and json_of(one) == json_of(first) for one in dtypes)
    if first is not None and json_of(first) is not None and alike and state.get(pipeline, "model.dtype") is None:
        state.put(pipeline, "model.dtype", first)


def _of_most(ids: Sequence[Value]) -> Value:
    """Return the checkpoint that most parts have; unknown if all parts have different ones."""
    counts = [sum(json_of(one) == json_of(other) for other in ids) for one in ids]
    found = ids[counts.index(max(counts))]
    if len(ids) == 1 or max(counts) > 1:
        return found
    return Unknown(found.where, "parts of several checkpoints")


def _name_common_folder(state: State, parts: Mapping[str, Object]) -> None:
    """Name parts that are loaded from `FOLDER/PART` by the folder and the subfolder, if several have this folder."""
    folders: dict[str, list[tuple[str, Object, str]]] = {}
    for name, part in parts.items():
        identifier = json_of(state.get(part, "own.id"))
        if isinstance(identifier, str) and state.get(part, "own.subfolder") is None:
            folder, _, last = identifier.rstrip("/").rpartition("/")
            folders.setdefault(folder, []).append((name, part, last))
    for folder, inner in folders.items():
        if folder and sum(name == last for name, _, last in inner) > 1:
            for _, part, last in inner:
                where = part.where
                state.put(part, "own.id", Known(where, folder))
                state.put(part, "own.subfolder", Known(where, last))


def _new(state: State, kind: PipelineClass, node: ast.AST) -> Object:
    where = state.where(node)
    pipeline = Object(where, "pipeline", state.heap.new())
    _put_class(state, pipeline, kind, node)
    for part in components(kind.signature) or USUAL_PARTS:
        state.put(pipeline, part, Object(where, "part", state.heap.new({"__pipeline__": pipeline})))
    state.put(pipeline, "scheduler", Object(where, "scheduler", state.heap.new({"__pipeline__": pipeline})))
    return pipeline


def _put_class(state: State, pipeline: Object, kind: PipelineClass, node: ast.AST) -> None:
    where = state.where(node)
    state.put(pipeline, "model.pipeline", Known(where, kind.name))
    state.put(pipeline, "signature", Known(where, kind.signature))
    state.put(pipeline, "__class__", kind.made or Absent(where))


def register_modules(state: State, pipeline: Object, arguments: Arguments) -> None:
    """Store the parts that a pipeline of the source registers."""
    for key, value in arguments.named.items():
        state.put(pipeline, key, value)
    _take_from_parts(state, pipeline, arguments.named)


def _argument(state: State, pipeline: Object, given_to: str, argument: tuple[str, Value], node: ast.AST) -> None:
    key, value = argument
    if key in {"torch_dtype", "dtype"}:
        _put_dtype(state, pipeline, dtype_of_value(value))
    elif key in MODEL_ARGUMENTS:
        state.put(pipeline, MODEL_ARGUMENTS[key], value)
    elif _is_part(value):
        state.put(pipeline, key, value)
    elif key in CALL_ONLY:
        advice = f"the library ignores it here; pass it to the call: pipe(..., {key}=...)"
        state.ignore(IgnoredArgument(key, json_of(value), given_to, value.where or state.where(node), advice))
    elif key == "device_map" and (device := _as_device(value)) is not None:
        state.put(pipeline, "placement", device)
    elif key not in NOT_SETTINGS:
        state.put(pipeline, f"load.{key}", dtype_of_value(value, texts=False))
        if key == "quantization_config" and not isinstance(value, Table):
            state.note("quantisation", node)


def _put_dtype(state: State, pipeline: Object, dtype: Value) -> None:
    """Store the dtype of a pipeline; a dict names those of single parts, and under `default` that of the others."""
    if not isinstance(dtype, Table):
        state.put(pipeline, "model.dtype", dtype)
        return
    for name, one in dtype.named.items():
        part = state.get(pipeline, name)
        if name == "default":
            state.put(pipeline, "model.dtype", one)
        elif isinstance(part, Object):
            state.put(part, "own.dtype", one)


def _is_part(value: Value) -> bool:
    """Return whether a value is a part of a pipeline, or a list of some, on at least one branch."""
    inner = (
        one for option in alternatives(value) for one in (option.items if isinstance(option, Items) else (option,))
    )
    return any(isinstance(one, Object) and one.kind in {"part", "scheduler", "instance"} for one in inner)


def _as_device(device_map: Value) -> Value | None:
    """Return a device map as a device, if that is what it names; `"balanced"` and dicts name several."""
    device = lift(device_of_value, [device_map])
    names = [one.value if isinstance(one, Asked) else one for one in alternatives(device)]
    return device if all(isinstance(one, Known) and is_device(str(one.value)) for one in names) else None


def load_part(state: State, name: str, arguments: Arguments, node: ast.AST, *, of_file: bool = False) -> Object:
    """Return a part, such as a transformer, that is loaded by itself.

    Args:
        state: What follows the source.
        name: Its class.
        arguments: The arguments of the method that loads it.
        node: The call.
        of_file: Whether its weights are one file, whose configuration is elsewhere.
    """
    fields: dict[str, Value] = {"class": Known(state.where(node), name)}
    place = _source(state, arguments)
    if place is not None:
        fields |= _place_of_part(place, of_file=of_file)
    for key, value in arguments.named.items():
        if key in {"torch_dtype", "dtype"}:
            fields["dtype"] = dtype_of_value(value)
        elif (key not in _NOT_OF_PARTS or (of_file and key == "config")) and not _is_part(value):
            fields[key] = dtype_of_value(value, texts=False)
    if not isinstance(arguments.named.get("quantization_config", Table("", ())), Table):
        state.note("quantisation", node)
    return Object(state.where(node), "part", state.heap.new({f"own.{key}": value for key, value in fields.items()}))


def _place_of_part(place: Place, *, of_file: bool) -> dict[str, Value]:
    """Return where a part comes from: a file, which may be inside a repository, or a repository and a folder in it."""
    if of_file and place.path is None:
        return {"file": place.repository}
    inside = {"file" if of_file else "subfolder": place.path} if place.path is not None else {}
    return {"id": place.repository, **inside}
