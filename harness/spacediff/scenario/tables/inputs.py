"""How input pictures and videos are prepared before a pipeline gets them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from spacediff.inputs.preparing import A_SIDE, LARGEST_SIDE, Mode, Resample, Resize
from spacediff.scenario.tables.base import Table, expect, matching

ARGUMENT = "^[A-Za-z_][A-Za-z0-9_]*$"
"""Pattern of the name of a Python argument."""
_ARGUMENT_WORDS = "the name of an argument of the pipeline, such as image: letters, digits and _"
NAMED_INPUTS: dict[str, Any] = {
    "propertyNames": {"pattern": ARGUMENT, **expect(_ARGUMENT_WORDS)},
    "additionalProperties": False,
}
"""What the JSON Schema says of a table whose keys are arguments."""
InputName = Annotated[str, matching(ARGUMENT, _ARGUMENT_WORDS)]


def _not_empty(crop: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = crop
    if left >= right or top >= bottom:
        raise ValueError
    return crop


_Edge = Annotated[int, Field(ge=0)]
_Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Size = Annotated[
    tuple[_Side, _Side],
    Field(strict=False, json_schema_extra=expect(f"[width, height], each {A_SIDE}")),
]
Crop = Annotated[
    tuple[_Edge, _Edge, _Edge, _Edge],
    Field(
        strict=False,
        json_schema_extra=expect("[left, top, right, bottom] in pixels, left of right and top above bottom"),
    ),
    AfterValidator(_not_empty),
]


Colour = Annotated[str, matching("^(white|black|#[0-9a-fA-F]{6})$", 'a colour: "white", "black", or such as "#808080"')]


class InputTable(Table):
    """How the pictures of one input are prepared; nothing is done by default."""

    frames: Annotated[int, Field(ge=1)] | None = None
    """How many frames of a video are used, from the first; all by default."""
    background: Colour | None = None
    """Colour under what is transparent; by default the transparency is dropped, as `load_image` does."""
    mode: Mode | None = None
    """Pillow's mode: by default `L` for an argument with `mask` in its name, else `RGB`."""
    crop: Crop | None = None
    """Edges of the part that is used: left, top, right, bottom."""
    resize: Resize | None = None
    """How the picture gets its size: `ImageOps.fit`, `ImageOps.contain` or `resize` of Pillow."""
    size: Size | None = None
    """Width and height for `resize`; by default those of the call."""
    resample: Resample | None = None
    """Pillow's filter for `resize`; `lanczos` by default."""
