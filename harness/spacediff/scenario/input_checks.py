"""Checks of input pictures and videos: what no schema can express, and what only the files show.

Most read the plain TOML tables, as `checks` does. The others need a scenario that is otherwise right: for what a
variant inherits, and to open the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacediff.errors import InputUnusable, Mistake, nearest_name
from spacediff.inputs.files import identified, is_media
from spacediff.inputs.placeholders import inputs_named_in, is_misspelt, named_in, texts_with_places
from spacediff.inputs.preparing import A_SIDE, is_side
from spacediff.scenario.locations import Parts, Places, dotted
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.owned import OWNED
from spacediff.scenario.paths import is_path
from spacediff.scenario.plain_tables import owners, table_at
from spacediff.scenario.script_checks import has_script
from spacediff.scenario.tables.prompt import Prompt
from spacediff.settings import Settings

_SPACE_INPUTS: Parts = ("reference", "space", "inputs")
_FROM_FILES = ("video", "pictures", "recording")
_ADDRESSES = ("http://", "https://", "file://", "hf://", "s3://")
_MOST_SHOWN = 200
"""Characters of an address that are shown, from its end."""
_ARGUMENTS: Parts = ("reference", "command", "run")


def input_checks(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check what the tables say about inputs.

    Args:
        data: The tables from the TOML parser.
        lines: The lines of its keys.
    """
    yield from _prompts(data, lines)
    yield from _addresses(data, lines)
    yield from _arguments(data, lines)
    yield from _prepared(data, lines)
    yield from _space(data, lines)
    yield from _command(data, lines)


def file_checks(prompts: Mapping[str, Prompt], lines: Places) -> Iterator[Mistake]:
    """Open the files of all inputs; of a picture everything is decoded, of a video the beginning."""
    for name, prompt in prompts.items():
        for argument, files in prompt.inputs.items():
            where: Parts = ("prompts", name, "inputs", argument)
            if isinstance(files, Path):
                yield from _file(files, argument, where, lines)
            else:
                for index, file in enumerate(files):
                    yield from _file(file, argument, (*where, index), lines)


def size_checks(settings: Settings, owners: Sequence[Parts], lines: Places) -> Iterator[Mistake]:
    """Check that each input that is resized has a size, its own or that of the call.

    Args:
        settings: The settings of the baseline or of a variant, with all that it starts from.
        owners: The tables that they are from, the last one first.
        lines: The lines of the file's keys.
    """
    for name, how in settings.table("inputs").items():
        if how.get("resize", "none") == "none":
            yield from _without_resize(name, how, owners, lines)
            continue
        if "size" in how:
            continue
        for side in ("width", "height"):
            value = settings.value(f"call.{side}")
            if is_side(value):
                continue
            for_resize = f"it is the {side} of inputs.{name}.resize, which has no size of its own"
            path = ("inputs", name, "resize") if value is None else ("call", side)
            where = next(((*owner, *path) for owner in owners if dotted((*owner, *path)) in lines), path)
            if value is None:
                expected = f"inputs.{name}.size = [width, height], or call.width and call.height; each {A_SIDE}"
                yield mistake_at(lines, where, f"{shown(how['resize'])} without a {side}", expected)
            else:
                yield mistake_at(lines, where, shown(value), f"{A_SIDE}: {for_resize}")


def _without_resize(name: str, how: Mapping[str, Any], owners: Sequence[Parts], lines: Places) -> Iterator[Mistake]:
    """Find what only resizing reads, unless a variant has taken the resizing back."""
    for key in ("size", "resample") if "resize" not in how else ():
        if key in how:
            path = ("inputs", name, key)
            where = next(((*owner, *path) for owner in owners if dotted((*owner, *path)) in lines), path)
            yield mistake_at(lines, where, f"{key} without resize", f'inputs.{name}.resize as well, such as "cover"')


def _file(file: Path, argument: str, where: Parts, lines: Places) -> Iterator[Mistake]:
    from spacediff.inputs.decoding import check_file

    try:
        identified(argument, file)
        check_file(file)
    except InputUnusable as error:
        yield mistake_at(lines, where, f"{shown(file.name)}: {error.message}", "a picture or video that can be decoded")


def _prompts(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find prompts without text and inputs, and inputs that are arguments of another kind."""
    for name, prompt in table_at(data, "prompts").items():
        if not isinstance(prompt, Mapping):
            continue
        inputs = table_at(prompt, "inputs")
        if "text" not in prompt and not inputs and not has_script(data):
            expected = "a text of 1 to 20,000 characters; a prompt with inputs may do without"
            yield mistake_at(lines, ("prompts", name, "text"), "nothing", expected)
        for argument in inputs:
            where = ("prompts", name, "inputs", argument)
            if f"call.{argument}" in OWNED:
                yield mistake_at(lines, where, f"the argument {shown(argument)}", OWNED[f"call.{argument}"])
            yield from _said_twice(data, argument, where, lines)


def _addresses(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find addresses in place of the files of inputs and references: nothing is downloaded for them."""
    places: list[Parts] = [("prompts", name, "inputs") for name in table_at(data, "prompts")]
    places += [("reference", kind, key) for kind in _FROM_FILES for key in ("file", "files")]
    for place in places:
        for path, text in texts_with_places(table_at(data, *place[:-1]).get(str(place[-1]))):
            if text.lower().startswith(_ADDRESSES):
                end = f"…{text[-_MOST_SHOWN:]}" if len(text) > _MOST_SHOWN else text
                expected = "the path of a file on this machine: download it, and give its path"
                yield mistake_at(lines, (*place, *path), f"the address {end!r}", expected)


def _said_twice(data: Mapping[str, Any], argument: str, where: Parts, lines: Places) -> Iterator[Mistake]:
    for owner, call in _calls(data):
        if argument in call:
            expected = f"one of the two: {dotted((*owner, 'call'))} has an argument {shown(argument)} as well"
            yield mistake_at(lines, where, f"the argument {shown(argument)}", expected)


def _arguments(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find files among the arguments of the call, which a pipeline would get as a text."""
    for owner, call in _calls(data):
        for argument, value in call.items():
            if is_media(value):
                expected = f"no file here: give it as [prompts.NAME.inputs] {argument} = FILE"
                yield mistake_at(lines, (*owner, "call", argument), shown(value), expected)


def _prepared(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find settings of inputs that no prompt has."""
    known = sorted({name for inputs in _inputs_of(data).values() for name in inputs})
    for owner in owners(data):
        for name in table_at(data, *owner, "inputs"):
            if name not in known:
                expected = (
                    f"an input of a prompt: {', '.join(known)}" if known else "a prompt with [prompts.NAME.inputs]"
                )
                where = (*owner, "inputs", name)
                yield mistake_at(
                    lines, where, f"settings of the input {shown(name)}", expected, nearest_name(name, known)
                )


def _calls(data: Mapping[str, Any]) -> Iterator[tuple[Parts, Mapping[str, Any]]]:
    """Yield the call tables of the baseline and of all variants, each with its owner."""
    for owner in owners(data):
        yield owner, table_at(data, *owner, "call")


def _space(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find files of a Space's inputs that are not given as an input of the prompt, and inputs that it does not get."""
    space = table_at(data, "reference", "space")
    if not space:
        return
    asked = space.get("inputs", {})
    yield from _sent(asked, _SPACE_INPUTS, "a parameter of reference.space.inputs", data, lines)
    for where in dict.fromkeys(_plain_files(asked)):
        expected = '"{file:image}" here, and the file in [prompts.NAME.inputs]: image = FILE'
        yield mistake_at(lines, (*_SPACE_INPUTS, *where), "a file", expected)


def _command(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find inputs that a program does not get, and files that it would get as a text."""
    run = table_at(data, "reference", "command").get("run")
    if isinstance(run, list):
        yield from _sent(run, _ARGUMENTS, "an argument of reference.command.run", data, lines)


def _sent(asked: Any, where: Parts, place: str, data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find placeholders of files that are no input, and inputs without a placeholder."""
    receiver = "the Space" if where == _SPACE_INPUTS else "the program"
    given = _inputs_of(data)
    yield from _placeholders(asked, where, given, lines)
    named = inputs_named_in(asked)
    for prompt, name in ((prompt, name) for prompt, inputs in given.items() for name in inputs if name not in named):
        expected = f'"{{file:{name}}}" for {place}'
        yield mistake_at(lines, ("prompts", prompt, "inputs", name), f"an input that {receiver} does not get", expected)


def _placeholders(asked: Any, where: Parts, given: Mapping[str, list[str]], lines: Places) -> Iterator[Mistake]:
    known = sorted({name for inputs in given.values() for name in inputs})
    for path, text in texts_with_places(asked):
        name = named_in(text)
        missing = [prompt for prompt, inputs in given.items() if name and name not in inputs]
        if missing or is_misspelt(text):
            expected = "{file:NAME} and nothing else, for an input of the prompt"
            if missing:
                expected = f"an input of every prompt; {', '.join(missing)} has {', '.join(known) or 'none'}"
            yield mistake_at(lines, (*where, *path), shown(text), expected, nearest_name(name, known))


def _plain_files(asked: Any) -> Iterator[Parts]:
    """Yield the places of paths, and of tables as Gradio describes a file."""
    for path, text in texts_with_places(asked):
        if path[-1:] == ("_type",):
            yield path[:-2]
        elif is_path(text) and is_media(text):
            yield path[:-1] if path[-1:] == ("path",) else path


def _inputs_of(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the inputs of each prompt."""
    return {name: list(table_at(data, "prompts", name, "inputs")) for name in table_at(data, "prompts")}
