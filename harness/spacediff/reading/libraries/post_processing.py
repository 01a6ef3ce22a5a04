"""What is done to frames after the call, and to pictures before it: resizing, cutting, colours, order."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.name_clues import UPSCALING
from spacediff.reading.libraries.picture_steps import Steps, steps_of_function, steps_of_method, with_steps
from spacediff.reading.values import (
    Arguments,
    Asked,
    External,
    Function,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    alternatives,
    results_in,
    results_of,
)

_RESIZES = frozenset({"resize", "thumbnail", "interpolate", "imresize", "resize_image", "resized_crop", "rescale"})
_FITS = frozenset({"fit", "contain", "cover", "pad", "expand", "scale", "center_crop", "crop", "resize_and_crop"})
"""Functions of image libraries that change the size; common words elsewhere."""
_IMAGE_LIBRARIES = frozenset({
    "PIL", "Image", "ImageOps", "cv2", "torchvision", "transforms", "TF", "F", "torch", "skimage", "kornia", "imutils",
    "vF", "v2", "nn", "diffusers",
})  # fmt: skip
_SIZES_OF_PICTURES = frozenset({"resize", "thumbnail", "crop"})
"""Methods of a picture that change its size."""
_CHANGES = frozenset({
    "concatenate", "concatenate_videoclips", "hstack", "vstack", "hconcat", "vconcat", "reversed", "flip", "fliplr",
    "flipud", "blend", "composite", "alpha_composite", "equalize", "autocontrast", "adjust_brightness",
    "adjust_contrast", "adjust_saturation", "GaussianBlur", "medianBlur", "addWeighted", "putText", "make_image_grid",
    "image_grid", "filter2D", "detailEnhance", "fastNlMeansDenoising", "fastNlMeansDenoisingColored",
    "match_histograms",
})  # fmt: skip
"""Functions that make other pictures, or another order of pictures, from those that they are given."""
_CHANGES_OF_PICTURES = frozenset(
    {"filter", "rotate", "paste", "alpha_composite", "enhance", "crop", "subclip", "reverse"}
)
_COLOURS = frozenset({"RGB", "RGBA", "rgb24"})
"""Modes of a picture to which `convert` leaves its colours as they are."""
_USUAL_FACTORS = frozenset({0.5, 1, 2, 127.5, 255, 256, 65535})
"""Numbers by which code goes from one range of values to another and back, as from 0…1 to 0…255."""
_CHANGES_VALUES = (ast.Mult, ast.Div, ast.Add, ast.Sub, ast.Pow, ast.FloorDiv, ast.Mod, ast.MatMult)
_MEASURES = re.compile(r"\blen\(|\.(shape|size|width|height|ndim|n_frames|count|fps|duration)\b|\.(sum|mean|max|min)\(")
"""Texts of numbers that are taken from frames and are no frames."""
_MOST_FRAMES = 1_000_000
"""Frames of a call that are counted."""
_NAMES = re.compile(
    r"water_?mark|add_logo|colou?r_?(fix|correct|match|transfer|grade)|histogram|sharpen|deflicker|gfpgan|codeformer"
    r"|restore_?face|face_?(restor|enhanc|swap|fusion)|rembg|remove_?(background|bg)|crossfade|wavelet_reconstruction",
    re.IGNORECASE,
)
"""Names of functions that say what they do to pictures."""


class PostProcessing(Library):
    """Notes what changes the frames of a call, and what changes a picture before it; it answers for pictures only."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Note a function of an image library."""
        name = function.last_name
        resizes = name in _RESIZES or (name in _FITS and function.package in _IMAGE_LIBRARIES)
        if results_of(arguments):
            if resizes:
                state.note("resizing", node)
            elif name in _CHANGES or _NAMES.search(name):
                state.note("post-processing", node)
            return None
        if resizes and function.package in _IMAGE_LIBRARIES:
            steps = steps_of_function(function, arguments, state.where(node))
            return _resized(state, arguments.get("", 0) or arguments.get("image"), steps, node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Note a method of a picture."""
        if isinstance(owner, Object | External | Function):
            return None
        if results_in(owner):
            if name in _SIZES_OF_PICTURES - {"crop"}:
                state.note("resizing", node)
            elif name in _CHANGES_OF_PICTURES or _NAMES.search(name) or _changes_when_given(name, arguments):
                state.note("post-processing", node)
            return None
        if results_of(arguments) and (name == "enhance" or _NAMES.search(_words_of(owner, name))):
            if not UPSCALING.search(state.words(node)):
                state.note("post-processing", node)
            return None
        if name in _SIZES_OF_PICTURES and arguments.every():
            return _resized(state, owner, steps_of_method(name, arguments, state.where(node)), node)
        return None

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        """Note a function of the source that is given frames, by its name."""
        if results_of(arguments) and _NAMES.search(function.name):
            state.note("post-processing", node)

    def on_sliced(self, state: State, owner: Value, bounds: Sequence[Value], node: ast.Subscript) -> None:
        """Note a slice of the frames of a call."""
        results = results_in(owner) if isinstance(owner, Unknown) else ()
        if not results or all(isinstance(one, Known) and one.value is None for one in bounds):
            return
        if _is_rest_of_animation(state.frame.statement, node):
            return
        state.note("post-processing", node, f"{state.words(node)}{_kept(state, results[0], bounds)}")

    def on_computed(self, state: State, node: ast.BinOp, left: Value, right: Value) -> None:
        """Note arithmetic on the values of frames, other than from one range of values to another."""
        frames, other = (left, right) if results_in(left) else (right, left)
        if not isinstance(node.op, _CHANGES_VALUES) or not _are_frames(frames):
            return
        number = other.value if isinstance(other, Known | Asked) else None
        number = number.value if isinstance(number, Known) else number
        if isinstance(number, int | float) and not isinstance(number, bool) and number not in _USUAL_FACTORS:
            state.note("post-processing", node)


def _are_frames(value: Value) -> bool:
    """Return whether a value comes from a call and is not a number that was counted or measured."""
    is_measure = isinstance(value, Unknown) and _MEASURES.search(value.text)
    return isinstance(value, Unknown) and bool(results_in(value)) and not is_measure


def _changes_when_given(name: str, arguments: Arguments) -> bool:
    """Return whether a method changes a picture by what it is given: other colours, or a lossy compression."""
    if name == "convert":
        mode = arguments.get("mode", 0)
        return isinstance(mode, Known) and mode.value not in _COLOURS
    return name == "save" and "quality" in arguments.named


def _words_of(owner: Value, name: str) -> str:
    """Return the text of what a method is called on, and its name."""
    return f"{owner.text if isinstance(owner, Unknown) else ''} {name}"


def _is_rest_of_animation(statement: ast.stmt | None, node: ast.Subscript) -> bool:
    """Return whether a slice is what follows the first frame: `frames[0].save(..., append_images=frames[1:])`."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and any(one.arg == "append_images" and one.value is node for one in call.keywords)


def _resized(state: State, picture: Value | None, steps: Steps | None, node: ast.AST) -> Value | None:
    """Note that a picture is resized before the call; what was loaded from a path is still named by it."""
    if picture is None or isinstance(picture, Items):
        return None
    if any(call.entry == state.entry for call in state.calls):  # such as a preview of the exported clip
        return None
    state.note("input resizing", node)
    is_named = all(isinstance(one, Known | Asked) for one in alternatives(picture))
    return with_steps(state, picture, steps, node) if is_named else None


def _kept(state: State, number: int, bounds: Sequence[Value]) -> str:
    """Describe how many frames of a call a slice keeps; empty if that is unknown."""
    call = next((call for call in state.calls if call.number == number), None)
    frames = call.paths.get("call.num_frames") if call is not None else None
    limits = [one.value for one in bounds if isinstance(one, Known) and isinstance(one.value, int | None)]
    if limits == [None, None, -1]:
        return ": the frames are reversed"
    if len(limits) < len(bounds) or limits[-1] == 0 or not isinstance(frames, Known):
        return ""
    if not isinstance(frames.value, int) or frames.value > _MOST_FRAMES:
        return ""
    kept = len(range(frames.value)[slice(*limits)])
    first = "the first frame is dropped, " if limits[0] == 1 else ""
    return f": {first}{kept} of {frames.value} frames are kept"
