"""What a source leaves unsaid, filled in: from its inputs, its checkpoint, and the source of the installed libraries.

Needs neither torch nor a device: defaults are read off signatures, without importing them.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.checkpoints import SCHEDULER_FILE, Checkpoint, LookUp
from harness.delivery import EXPORT_FPS, EXPORT_QUALITY
from harness.errors import nearest_name
from harness.reading import Note, Reading
from harness.scenario_tables import OWNED
from harness.settings import Origin, Setting, Settings

_LARGEST = 2**63
_SPACING = "timestep_spacing"
"""Resolved wherever a scheduler is: what a checkpoint and a class say of it often differs."""
_OF_VAE = {"tiling": False, "slicing": False}
_OF_EXPORTS = {"export_to_video": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}, "export_to_gif": {"fps": EXPORT_FPS}}
"""Defaults of diffusers' own exports; what another library makes of frames is not known."""


def completed(reading: Reading) -> Settings:
    """Return what a source says, filled with the defaults of its inputs and of the installed libraries."""
    said = reading.settings
    asked = {
        path: Setting(one.default, Origin.READ, f"{one.where}, the default of {one.label!r}")
        for path, one in reading.inputs.items()
        if one.default is not None and (path not in said or said[path].origin is Origin.UNKNOWN)
    }
    pipeline = said.value("model.pipeline")
    called = call_defaults(pipeline) if isinstance(pipeline, str) else {}
    defaults = {"call": called, "output": _OF_EXPORTS.get(reading.exported_by, {}), "vae": _OF_VAE}
    filled = said.changed_by(Settings(asked))
    for table, values in defaults.items():
        where = f"{pipeline}.__call__" if table == "call" else "diffusers"
        filled = filled.filled_from(Settings.of({table: values} if values else {}, Origin.DEFAULT, where))
    return filled


def scheduler_entries(settings: Settings) -> set[str]:
    """Return the entries of the scheduler's configuration that a source says."""
    named = {path.removeprefix("scheduler.") for path in settings if path.startswith("scheduler.")}
    return {name for name in named if name.isidentifier()}


def with_scheduler(
    settings: Settings, reading: Reading, look_up: LookUp, entries: Collection[str]
) -> tuple[Settings, str]:
    """Return the settings with the scheduler resolved, and why it is not; an empty text when it is.

    `Scheduler.from_config` takes over what the checkpoint's file says, and its class fills in the rest.

    Args:
        settings: What the source says, completed.
        reading: What was read of it.
        look_up: Gives its checkpoint.
        entries: What either source says of its scheduler; where neither says anything, nothing is looked up.
    """
    said, wanted = scheduler_entries(settings), {*entries, _SPACING}
    if not entries or wanted <= said:
        return settings, ""
    base = _base_of(reading, look_up)
    if base.reason:
        return settings, "" if said >= {*entries} else base.reason
    told = {name: base.scheduler[name] for name in ("class", *wanted) if is_plain(base.scheduler.get(name))}
    filled = settings.filled_from(Settings.of({"scheduler": told} if told else {}, Origin.DEFAULT, base.where))
    kind = filled.value("scheduler.class")
    own = class_defaults(kind) if isinstance(kind, str) else {}
    rest = {name: own[name] for name in wanted if name in own and name not in base.scheduler}
    return filled.filled_from(Settings.of({"scheduler": rest} if rest else {}, Origin.DEFAULT, str(kind))), ""


def _base_of(reading: Reading, look_up: LookUp) -> Checkpoint:
    """Return the checkpoint whose scheduler configuration is in force."""
    begins = reading.scheduler_base or reading.settings.get("model.id")
    revision = None if reading.scheduler_base else reading.settings.value("model.revision")
    if begins is None or not isinstance(begins.value, str):
        return Checkpoint("", reason="the source does not tell which checkpoint")
    if not begins.value:
        return Checkpoint("")
    found = look_up(begins.value, revision if isinstance(revision, str) else None)
    reason = f"{SCHEDULER_FILE} of {begins.value}: {found.reason}" if found.reason else ""
    return Checkpoint(found.id, found.scheduler, found.where, reason)


def call_defaults(pipeline: str) -> dict[str, Any]:
    """Return the defaults of a pipeline's `__call__`, read from the source of the installed diffusers.

    Empty when diffusers is not installed, or has no such class.
    """
    found = _signature("pipelines", pipeline, "__call__")
    return {name: value for name, value in found.items() if f"call.{name}" not in OWNED}


def class_defaults(scheduler: str) -> dict[str, Any]:
    """Return the defaults of a scheduler's configuration, read from the source of the installed diffusers."""
    return _signature("schedulers", scheduler, "__init__")


def accepts(pipeline: str, argument: str) -> bool:
    """Return whether a pipeline's `__call__` takes an argument, as far as its source is here to tell."""
    taken = _taken(pipeline)
    return taken is None or argument in taken


def _taken(pipeline: str) -> list[str] | None:
    """Return the names that a pipeline's `__call__` takes; None where they cannot be told, or it takes any."""
    method = _method("pipelines", pipeline, "__call__")
    if method is None or method.args.kwarg is not None:
        return None
    return [one.arg for one in (*method.args.args, *method.args.kwonlyargs)]


def refusals(reading: Reading) -> list[Note]:
    """Return a note for each argument that the installed diffusers' pipeline does not take, with what is meant."""
    pipeline = reading.settings.value("model.pipeline")
    of_another = "load.custom_pipeline" in reading.settings
    taken = _taken(pipeline) if isinstance(pipeline, str) and not of_another else None
    notes = []
    for path, setting in reading.settings.items():
        table, _, name = path.partition(".")
        is_named = table == "call" and name.isidentifier() and not name.startswith("argument_")
        if is_named and taken is not None and name not in taken:
            nearest = nearest_name(name, taken)
            meant = f"; did you mean {nearest}?" if nearest else ""
            text = f"{pipeline} of the installed diffusers takes no {name}, and the call would fail{meant}"
            notes.append(Note("refused argument", text, setting.where))
    return notes


def _signature(folder: str, name: str, method: str) -> dict[str, Any]:
    """Return parameter to default of a method of a class of diffusers, without importing it."""
    found = _method(folder, name, method)
    return dict(_defaults_of(found)) if found else {}


@functools.lru_cache(maxsize=64)
def _method(folder: str, name: str, method: str) -> ast.FunctionDef | None:
    package = find_spec("diffusers")
    if package is None or package.origin is None or not name.isidentifier():
        return None
    marker = f"class {name}("
    for file in sorted((Path(package.origin).parent / folder).rglob("*.py")):
        text = file.read_text("utf-8")
        if marker in text:
            return _method_in(ast.parse(text), name, method)
    return None


def _method_in(module: ast.Module, name: str, method: str) -> ast.FunctionDef | None:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == method:
                    return inner
    return None


def _defaults_of(method: ast.FunctionDef) -> Iterator[tuple[str, Any]]:
    names = [argument.arg for argument in method.args.args]
    for name, default in zip(names[len(names) - len(method.args.defaults) :], method.args.defaults, strict=True):
        try:
            value = ast.literal_eval(default)
        except ValueError:
            continue
        if is_plain(value):
            yield name, value


def is_plain(value: Any) -> bool:
    """Return whether a scenario can say a value: a text, a number, a truth value, or a list of these.

    Numbers are finite and fit TOML's 64 bits; texts are Unicode, without half a letter.
    """
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, list) and all(map(is_plain, value))
