"""Why: what a script and a Space set differently, before anything is generated, and the scenario that measures it."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.catalogue import Cause, known_cause
from harness.delivery import EXPORT_FPS, EXPORT_QUALITY
from harness.errors import SpacediffError
from harness.reading import Reading
from harness.scenario_tables import OWNED, SettingsTables
from harness.settings import Origin, Setting, Settings, diff

_EXPORT = {"output": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}}
_SWITCHES = {"vae": {"tiling": False, "slicing": False}}
_UNSAID = Setting("nothing said", Origin.DEFAULT, "the checkpoint or the library decides")

_NOT_SETTINGS = frozenset({"call.prompt", "rng.seed", "call.num_videos_per_prompt"})
"""What the scenario's prompt says, and what changes nothing in a single clip."""


@dataclass(frozen=True)
class Row:
    """One setting on which the two sources differ, or may differ.

    Attributes:
        path: Dotted path.
        left: What the script says, defaults included.
        right: What the Space says.
        known: What is known about such a difference.
    """

    path: str
    left: Setting
    right: Setting
    known: Cause | None

    @property
    def certain(self) -> bool:
        """Whether both values are known."""
        return Origin.UNKNOWN not in (self.left.origin, self.right.origin)


@dataclass(frozen=True)
class Comparison:
    """What two sources set differently.

    Attributes:
        differences: What differs for certain, the likeliest cause first.
        questions: What one side does not tell, in words.
        notes: What else changes the Space's clip, or is ignored on either side.
        equal: How many settings agree.
    """

    differences: list[Row]
    questions: list[str]
    notes: list[str]
    equal: int


_SIZES = {"another sample": 0, "small to another sample": 0, "large": 1, "small to large": 1, "small": 2, "none": 3}


def compare_sources(script: Reading, space: Reading) -> Comparison:
    """Compare what two sources say, with the library's defaults where they say nothing.

    Needs neither torch nor a device: defaults are read from the source of the installed diffusers.
    """
    left, right = completed(script), completed(space)
    parted = [d for d in diff(left, right) if _matters(d.path)]
    rows = [Row(d.path, d.left or _UNSAID, d.right or _UNSAID, known_cause(d.path)) for d in parted]
    certain = [row for row in rows if row.certain]
    return Comparison(
        differences=sorted(certain, key=lambda row: _SIZES.get(row.known.size, 1) if row.known else 1),
        questions=[_question(row, script, space) for row in rows if not row.certain],
        notes=[*_notes("the script", script), *_notes("the Space", space)],
        equal=sum(_matters(path) for path in {*left, *right}) - len(rows),
    )


def completed(reading: Reading) -> Settings:
    """Return what a source says, filled with the defaults of its inputs and of the installed libraries."""
    said = reading.settings
    asked = {
        path: Setting(one.default, Origin.READ, f"{one.where}, the default of {one.label!r}")
        for path, one in reading.inputs.items()
        if one.default is not None and (path not in said or said[path].origin is Origin.UNKNOWN)
    }
    pipeline = said.value("model.pipeline")
    defaults = {"call": call_defaults(pipeline) if isinstance(pipeline, str) else {}, **_EXPORT, **_SWITCHES}
    filled = said.changed_by(Settings(asked))
    for table, values in defaults.items():
        where = f"{pipeline}.__call__" if table == "call" else "diffusers"
        filled = filled.filled_from(Settings.of({table: values} if values else {}, Origin.DEFAULT, where))
    return filled


@functools.lru_cache(maxsize=32)
def call_defaults(pipeline: str) -> dict[str, Any]:
    """Return the defaults of a pipeline's `__call__`, read from the source of the installed diffusers.

    Empty when diffusers is not installed, or has no such class.
    """
    package = find_spec("diffusers")
    if package is None or package.origin is None or not pipeline.isidentifier():
        return {}
    marker = f"class {pipeline}("
    for file in sorted((Path(package.origin).parent / "pipelines").rglob("*.py")):
        text = file.read_text("utf-8")
        if marker in text:
            return dict(_defaults_in(ast.parse(text), pipeline))
    return {}


def _defaults_in(module: ast.Module, pipeline: str) -> Iterator[tuple[str, Any]]:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == pipeline:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__call__":
                    yield from _defaults_of(method)


def _defaults_of(method: ast.FunctionDef) -> Iterator[tuple[str, Any]]:
    names = [argument.arg for argument in method.args.args]
    for name, default in zip(names[len(names) - len(method.args.defaults) :], method.args.defaults, strict=True):
        if f"call.{name}" in OWNED:
            continue
        try:
            value = ast.literal_eval(default)
        except ValueError:
            continue
        if _plain(value):
            yield name, value


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str) or (isinstance(value, list) and all(map(_plain, value)))


def _matters(path: str) -> bool:
    return path not in _NOT_SETTINGS and path not in OWNED


def _question(row: Row, script: Reading, space: Reading) -> str:
    """Ask for the value that one side does not tell."""
    name, side, reading = ("the script", row.left, script)
    if side.origin is not Origin.UNKNOWN:
        name, side, reading = ("the Space", row.right, space)
    either = [repr(each.value) for each in reading.alternatives.get(row.path, []) if each.value is not None]
    told = f"one of {', '.join(either)}" if either else reading.unknowns.get(row.path) or "only running it would tell"
    return f"what is {row.path} in {name}? {told} ({side.where})"


def _notes(side: str, reading: Reading) -> list[str]:
    ignored = [
        f"{side}: {argument.argument} = {argument.value!r} is ignored by {argument.given_to} ({argument.where}): "
        f"{argument.advice}"
        for argument in reading.ignored
    ]
    return ignored + [f"{side}: {note.sentence}" for note in reading.notes]


def scenario_text(comparison: Comparison, script: Reading, space_id: str) -> str:
    """Return the scenario that measures the differences, as TOML; what could not be read stands in comments."""
    prompt, seed = script.settings.value("call.prompt"), script.settings.value("rng.seed")
    changes = {row.path: row.right for row in comparison.differences}
    lines = [
        f"title = {_toml(f'The script against {space_id}')}",
        "",
        "[prompts.main]",
        f"text = {_toml(prompt if isinstance(prompt, str) and prompt.strip() else 'write the prompt here')}",
        f"seed = {seed if type(seed) is int and seed >= 0 else 42}",
        "",
        "[baseline]                     # what was read of the script",
        *_assignments(script.settings),
        "",
        "[reference.space]",
        f"id = {_toml(space_id)}",
        'endpoint = "/generate"         # the name and the inputs stand on the Space\'s page, under "Use via API"',
        'inputs = { prompt = "{prompt}", seed_value = "{seed}" }',
        "",
        "[variants.as-hosted]           # what was read of the Space, where it differs",
        *_assignments(changes),
        "",
        "[explain]",
        'from = "baseline"',
        'to = "as-hosted"',
        "",
        "[gate]",
        'variant = "as-hosted"',
    ]
    return "\n".join([*lines, *(f"# open: {question}" for question in comparison.questions)]) + "\n"


def write_scenario(text: str, path: Path) -> None:
    """Write a scenario into a new file.

    Raises:
        SpacediffError: There is a file already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SpacediffError(f"{path} is there already", hint="name another file with --write") from error
    except OSError as error:
        raise SpacediffError(f"{path} cannot be written: {error.strerror}") from error


_DECLARABLE = frozenset(SettingsTables.model_fields)


def _assignments(settings: Mapping[str, Setting]) -> list[str]:
    return [
        f"{path} = {_toml(setting.value)}"
        for path, setting in sorted(settings.items())
        if path.split(".", 1)[0] in _DECLARABLE
        and _matters(path)
        and path != "call.prompt"
        and setting.origin is not Origin.UNKNOWN
        and setting is not _UNSAID
        and _plain(setting.value)
    ]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
