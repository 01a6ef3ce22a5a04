"""What a source does to a picture before the call, in the words of a scenario's table `inputs.NAME`.

Only what gives the same pixels is said: Pillow's own functions, on a picture in RGB that is turned as its EXIF
orientation says, at most one crop and then one resizing. Anything else leaves the picture without words, and the note
of the line stands for it.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.inputs.preparing import Resample
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Asked,
    External,
    Items,
    Known,
    LoadedFile,
    Value,
    alternatives,
    lift,
)

Steps = dict[str, Value]
"""Key of the table `inputs.NAME` to its value."""
_FILTERS: dict[int, Resample] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
"""Pillow's `Image.Resampling` by number."""
_USUAL_FILTER = "bicubic"
"""Default of `Image.resize`, `ImageOps.fit` and `ImageOps.contain`."""
_FUNCTIONS = {"ImageOps.fit": "cover", "ImageOps.contain": "contain"}
"""Function of Pillow to the value of `resize`."""
_WIDTH_AND_HEIGHT = 2
_EDGES = 4


def steps_of_method(name: str, arguments: Arguments, where: str) -> Steps | None:
    """Return what a method of a picture does; None where a scenario has no words for it."""
    if name == "resize":
        return _resizing("stretch", arguments, {"size": 0, "resample": 1}, where)
    edges = _numbers(arguments.get("box", 0), _EDGES, where)
    return {"crop": edges} if name == "crop" and edges is not None and len(arguments.every()) == 1 else None


def steps_of_function(function: External, arguments: Arguments, where: str) -> Steps | None:
    """Return what a function does to the picture that it is given; None where a scenario has no words for it."""
    how = _FUNCTIONS.get(".".join(function.name.split(".")[-2:]))
    return _resizing(how, arguments, {"image": 0, "size": 1, "method": 2}, where) if how is not None else None


def with_steps(state: State, picture: Value, steps: Steps | None, node: ast.AST) -> Value:
    """Return a picture after some steps, or without words for what was done to it.

    Args:
        state: What follows the source.
        picture: The picture, or the user's; each alternative is a constant.
        steps: What is done to it; None where a scenario has no words for it.
        node: The expression that does it.
    """
    is_users = all(isinstance(one, Asked) for one in alternatives(picture))
    words = (state.where(node), state.words(node))

    def changed(one: Value) -> Value:
        if not isinstance(one, LoadedFile):
            if not is_users or not isinstance(one, Known):
                return one
            one = LoadedFile(one.where, one.value, is_rgb=True, is_turned=True)  # as Gradio gives a picture by default
        before = one.prepared
        is_usual = one.is_rgb and one.is_turned
        if steps is None or before is None or not is_usual or not _follows(dict(before), steps):
            return replace(one, prepared=None)
        return replace(one, prepared=(*before, *steps.items()), said=(*one.said, words))

    return lift(changed, [picture])


def in_rgb(picture: Value) -> Value | None:
    """Return a loaded picture as one in RGB; None for anything else."""
    return lift(_as_rgb, [picture]) if _is_loaded(picture) else None


def turned(picture: Value) -> Value | None:
    """Return a loaded picture as one that is turned as its EXIF orientation says; None for anything else."""
    return lift(_as_turned, [picture]) if _is_loaded(picture) else None


def steps_in(value: Value) -> Steps:
    """Return the steps of a picture, or of each picture of a list where they are the same."""
    first, *others = value.items if isinstance(value, Items) and value.items else (value,)
    one = first.value if isinstance(first, Asked) else first
    if not isinstance(one, LoadedFile) or not one.prepared:
        return {}
    found = dict(one.prepared)
    return found if all(steps_in(other) == found for other in others) else {}


def said_of(value: Value) -> set[tuple[str, str]]:
    """Return places and expressions of the notes that the steps of a picture say."""
    found: set[tuple[str, str]] = set()
    for option in alternatives(value):
        for one in option.items if isinstance(option, Items) else (option,):
            inner = one.value if isinstance(one, Asked) else one
            if isinstance(inner, LoadedFile) and inner.prepared:
                found |= {*inner.said}
    return found


def unturned_in(value: Value) -> set[str]:
    """Return the files of pictures that are not turned as their EXIF orientation says."""
    pictures = [
        one for option in alternatives(value) for one in (option.items if isinstance(option, Items) else (option,))
    ]
    loaded = [one.value if isinstance(one, Asked) else one for one in pictures]
    return {str(one.value) for one in loaded if isinstance(one, LoadedFile) and not one.is_turned}


def _is_loaded(picture: Value) -> bool:
    return isinstance(picture.value if isinstance(picture, Asked) else picture, LoadedFile)


def _as_rgb(one: Value) -> Value:
    return replace(one, is_rgb=True) if isinstance(one, LoadedFile) else one


def _as_turned(one: Value) -> Value:
    return replace(one, is_turned=True) if isinstance(one, LoadedFile) else one


def _follows(before: Steps, steps: Steps) -> bool:
    """Whether steps come after others in the order in which a scenario does them: a crop, then a resizing."""
    return not before if "crop" in steps else "resize" not in before


def _resizing(how: str, arguments: Arguments, places: dict[str, int], where: str) -> Steps | None:
    """Return the steps of a resizing; None if it is given anything but a picture, a size and a filter."""
    method = "method" if "method" in places else "resample"
    if arguments.open or not {*arguments.named} <= {*places} or len(arguments.positional) > len(places):
        return None
    size = _numbers(arguments.get("size", places["size"]), _WIDTH_AND_HEIGHT, where)
    resample = _filter(arguments.get(method, places[method]), where)
    if size is None or resample is None:
        return None
    return {"resize": Known(where, how), "size": size, "resample": resample}


def _numbers(value: Value | None, count: int, where: str) -> Items | None:
    """Return whole numbers, such as a size; None for anything else."""
    if not isinstance(value, Items) or value.open or len(value.items) != count:
        return None
    numbers = [one.value if isinstance(one, Asked) else one for one in value.items]
    known = [one for one in numbers if isinstance(one, Known) and type(one.value) is int]
    return Items(where, tuple(value.items)) if len(known) == count else None


def _filter(value: Value | None, where: str) -> Known | None:
    """Return the name of Pillow's filter; None if it is unknown."""
    if value is None or value == Known(value.where, None):
        return Known(where, _USUAL_FILTER)
    if isinstance(value, Known) and type(value.value) is int:
        name = _FILTERS.get(value.value)
    elif isinstance(value, External) and value.package in {"PIL", "Image"}:
        name = next((one for one in _FILTERS.values() if one == value.last_name.lower()), None)
    else:
        name = None
    return Known(where, name) if name is not None else None
