"""Functions that write frames to a file, or read a file that the user gives."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.records import Export
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.picture_steps import in_rgb, turned
from spacediff.reading.values import (
    Arguments,
    External,
    Known,
    LoadedFile,
    Unknown,
    Value,
    lift,
    results_in,
    results_of,
)

_EXPORTS = frozenset({
    "export_to_video", "export_to_gif", "save_video", "mimsave", "mimwrite", "write_video", "get_writer", "mimread",
    "save_videos_grid", "encode_video", "write_videofile", "write_gif", "VideoWriter", "ImageSequenceClip",
})  # fmt: skip

_PLACES_OF_FPS = {
    "export_to_video": 2, "save_video": 2, "export_to_gif": 2, "write_video": 2, "VideoWriter": 2,
    "ImageSequenceClip": 1, "encode_video": 1,
}  # fmt: skip
"""Export to the position of its frames per second."""

_IMAGE_SAVES = frozenset({"save", "write", "append_data", "imsave", "imwrite", "save_image"})

_MOST_MILLISECONDS = 1_000_000
"""A longer time for one frame is no animation."""

_LOADERS = frozenset({"load_image", "load_video", "Image.open", "read_video", "Path", "pathlib.Path", "imread"})
"""Functions whose result is shown as the path that they are given."""


class Exports(Library):
    """Notes which pipeline call's frames become a file, and at how many frames per second."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Note a function such as `export_to_video`."""
        name = function.last_name
        if name in _EXPORTS or (name in _IMAGE_SAVES and results_of(arguments)):
            return _exported(state, name, arguments, node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> None:
        """Note a method such as `frames[0].save(...)` of what comes from a pipeline."""
        results = results_in(owner)
        if name in {"write_videofile", "write_gif"}:
            _exported(state, name, Arguments([owner, *arguments.positional], arguments.named), node)
        elif name in _IMAGE_SAVES and results:
            state.exports.append(Export(name, _speed_of_animation(arguments), results, state.where(node), state.usual))


def _speed_of_animation(arguments: Arguments) -> dict[str, Value]:
    """Return the frames per second of an animation that PIL saves: it is given milliseconds per frame."""
    duration = arguments.named.get("duration")
    if duration is None or "append_images" not in arguments.named:
        return {}

    def per_second(one: Value) -> Value:
        milliseconds = one.value if isinstance(one, Known) else None
        if not isinstance(milliseconds, int | float) or not 0 < milliseconds < _MOST_MILLISECONDS:
            return Unknown(one.where, "1000 / duration")
        speed = 1000 / milliseconds
        return Known(one.where, int(speed) if speed.is_integer() else speed)

    return {"output.fps": lift(per_second, [duration])}


class LoadedFiles(Library):
    """Takes what a loading function returns for the path that it was given."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the path that `load_image` and the like are given."""
        last_two = ".".join(function.name.split(".")[-2:])
        if last_two == "ImageOps.exif_transpose" and len(arguments.every()) == 1 and not arguments.open:
            return turned(arguments.every()[0])
        if _LOADERS.isdisjoint({function.name, function.last_name, last_two}):
            return None
        first = arguments.get("", 0)
        if first is None or function.last_name == "Path":
            return first
        is_image = function.last_name == "load_image"
        if is_image and (len(arguments.every()) > 1 or arguments.open):
            return None  # a `convert_method` may do anything to the picture
        is_turned = last_two != "Image.open"

        def loaded(path: Value) -> Value:
            if not isinstance(path, Known):
                return path
            return LoadedFile(path.where, path.value, is_rgb=is_image, is_turned=is_turned)

        return lift(loaded, [first])

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the same picture for `picture.convert("RGB")`: an input of a scenario is RGB too."""
        mode = arguments.get("mode", 0)
        as_rgb = name == "convert" and isinstance(mode, Known) and mode.value == "RGB"
        return in_rgb(owner) if as_rgb else None


def _exported(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    fps = arguments.named.get("fps") or arguments.named.get("frame_rate")
    if fps is None and name in _PLACES_OF_FPS:
        fps = arguments.get("fps", _PLACES_OF_FPS[name])
    paths = {"output.fps": fps, "output.quality": arguments.named.get("quality")}
    if name == "export_to_gif":
        paths.pop("output.quality")
    found = {path: value for path, value in paths.items() if value is not None}
    state.exports.append(Export(name, found, results_of(arguments), state.where(node), state.usual))
    return state.unknown(node, *arguments.every())
