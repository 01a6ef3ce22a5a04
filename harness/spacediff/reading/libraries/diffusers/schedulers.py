"""Schedulers: their class, their configuration, and the checkpoint that it comes from."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.names import (
    CALL_ONLY,
    NOT_SETTINGS,
)
from spacediff.reading.model import IgnoredArgument
from spacediff.reading.signatures import class_defaults
from spacediff.reading.values import (
    Absent,
    Arguments,
    Attribute,
    Known,
    Object,
    Table,
    Value,
    alternatives,
    last_part,
)
from spacediff.reading.values.inputs import json_of


def new_scheduler(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return a scheduler with the defaults of its class and the configuration that the arguments give."""
    where = state.where(node)
    fields = {"class": Known(where, last_part(name)), "base": Known(where, "")}
    made = Object(where, "scheduler", state.heap.new(dict(fields)))
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg is None and isinstance(keyword.value, ast.Attribute):  # **pipe.scheduler.config
            _take_config(state, made, state.evaluate(keyword.value))
    _override(state, made, arguments, node)
    return made


def _take_config(state: State, made: Object, config: Value | None) -> bool:
    """Give a scheduler the configuration of another one; return whether it is one."""
    if not isinstance(config, Attribute) or not isinstance(config.owner, Object) or config.name != "config":
        return False
    fields = state.heap.cell(config.owner.cell)
    for key in [key for key in fields if key.startswith("config.")]:
        state.put(made, key, fields[key])
    state.put(made, "base", fields.get("base") or Absent(config.where))
    return True


def _override(
    state: State, made: Object, arguments: Arguments, node: ast.AST, without: frozenset[str] = frozenset()
) -> None:
    for key, value in arguments.named.items():
        if key in CALL_ONLY - {"timesteps"}:
            advice = f"it is an argument of the pipeline's call: pipe(..., {key}=...)"
            given_to = f"{json_of(state.get(made, 'class'))}.from_config"
            state.ignore(IgnoredArgument(key, json_of(value), given_to, value.where, advice))
        elif key not in without:
            state.put(made, f"config.{key}", value)
    if arguments.open:
        state.put(made, "config.*", state.unknown(node))


def _from_config(state: State, name: str, arguments: Arguments, node: ast.AST) -> Object:
    return _configured(state, new_scheduler(state, name, Arguments([], {}), node), arguments, node)


def _configured(state: State, made: Object, arguments: Arguments, node: ast.AST) -> Object:
    """Return a scheduler with the configuration that `from_config` is given."""
    base = arguments.get("config", 0)
    for option in alternatives(base):
        if _take_config(state, made, option):
            continue
        if isinstance(option, Table):
            for key, value in option.named.items():
                state.put(made, f"config.{key}", value)
        else:
            state.put(made, "base", state.unknown(node))
    named = {key: value for key, value in arguments.named.items() if key != "config"}
    _override(state, made, Arguments([], named, arguments.open), node)
    return made


def call_scheduler_method(state: State, owner: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the result of a method of a scheduler; None for an unknown one."""
    first = arguments.get("shift", 0)
    if name in {"set_shift", "set_timesteps"} and name == "set_shift" and first is not None:
        state.put(owner, "config.shift", first)
    elif name == "register_to_config":
        _override(state, owner, arguments, node)
    elif name in {"to", "copy"}:
        return owner
    elif name == "from_config":
        return _again(state, owner, arguments, node)
    else:
        return None
    return state.unknown(node)


def of_class_of(state: State, value: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the scheduler of `type(scheduler).from_config(...)`; None for another method, or another class."""
    owner = value.owner if isinstance(value, Attribute) and value.name == "__class__" else None
    if not isinstance(owner, Object) or owner.kind != "scheduler" or name != "from_config":
        return None
    return _again(state, owner, arguments, node)


def _again(state: State, owner: Object, arguments: Arguments, node: ast.AST) -> Object:
    """Return another scheduler of the class of one, which may be the one that the checkpoint names."""
    where = state.where(node)
    named = state.get(owner, "class")
    fields: dict[str, Value] = {"base": Known(where, ""), **({"class": named} if named is not None else {})}
    return _configured(state, Object(where, "scheduler", state.heap.new(fields)), arguments, node)


def set_scheduler_attribute(state: State, owner: Object, name: str, value: Value, node: ast.AST) -> bool:
    """Note an attribute of a scheduler: an entry of its configuration, such as `_shift`, or a change in place."""
    entry = name.removeprefix("_")
    known = class_defaults(str(json_of(state.get(owner, "class"))))
    if entry in known or (entry == "shift" and not known):
        state.put(owner, f"config.{entry}", value)
    else:
        state.note("patched part", node, state.words(state.frame.statement or node))
        state.put(owner, name, value)
    return True


def set_config(state: State, owner: Attribute, key: Value | None, node: ast.AST) -> bool:
    """Note an item set in `__dict__` or in the config of a scheduler; its effect is unknown.

    The config of diffusers is frozen, so that setting an item may fail.
    """
    target = owner.owner
    if not isinstance(target, Object):
        return False
    if owner.name == "__dict__" and isinstance(key, Known):
        state.put(target, str(key.value), state.unknown(node))
    elif owner.name == "config" and target.kind == "scheduler":
        named = key.value if isinstance(key, Known) else "*"
        state.put(target, f"config.{named}", state.unknown(node))
    else:
        return False
    return True


def load_scheduler(state: State, name: str, method: str, arguments: Arguments, node: ast.AST) -> Object:
    """Return the scheduler of `from_config` or `from_pretrained`."""
    if method == "from_config":
        return _from_config(state, name, arguments, node)
    made = new_scheduler(state, name, Arguments([], {}), node)
    _override(state, made, arguments, node, NOT_SETTINGS | {"subfolder", "revision", "torch_dtype"})
    state.put(made, "base", arguments.get("pretrained_model_name_or_path", 0) or state.unknown(node))
    return made
