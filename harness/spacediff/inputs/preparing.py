"""How an input picture is prepared after it was decoded: background, mode, crop and size, all by Pillow.

Nothing is done by default: a pipeline resizes what it gets itself, each in its own way. A script or a Space that
prepares pictures before the call is said with these settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spacediff.errors import InputUnusable, UnsupportedSetting

if TYPE_CHECKING:
    from PIL import Image


Mode = Literal["RGB", "L", "RGBA"]
"""Pillow's mode of the picture that the pipeline gets."""
Resize = Literal["none", "cover", "contain", "stretch"]
"""Not at all, or by Pillow's `ImageOps.fit`, `ImageOps.contain` or `resize`."""
Resample = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
"""Pillow's filter."""
RESAMPLE = "lanczos"
"""Default of `resample`, as in diffusers' `VaeImageProcessor`."""
LARGEST_SIDE = 8192
"""Most pixels of a side to which a picture is resized."""
A_SIDE = f"a whole number from 1 to {LARGEST_SIDE}"


@dataclass(frozen=True)
class Preparation:
    """How the pictures of one input are prepared, in this order.

    Attributes:
        frames: How many frames of a video are used, from the first; None for all.
        background: Colour under what is transparent, as Pillow writes it; empty to drop the transparency.
        mode: One of `Mode`.
        crop: Left, top, right and bottom edge in pixels; None for the whole picture.
        resize: How the picture gets its size: one of `Resize`.
        size: Width and height for `resize`; None where nothing is resized.
        resample: One of `Resample`.
    """

    mode: str = "RGB"
    frames: int | None = None
    background: str = ""
    crop: tuple[int, int, int, int] | None = None
    resize: str = "none"
    size: tuple[int, int] | None = None
    resample: str = RESAMPLE


def default_mode(name: str) -> str:
    """Return the mode of an argument's pictures: `L` for a mask, else `RGB`."""
    return "L" if "mask" in name else "RGB"


def preparation_of(name: str, settings: Mapping[str, Any], call: Mapping[str, Any]) -> Preparation:
    """Return how an input is prepared.

    Args:
        name: The argument of the pipeline.
        settings: The settings under `inputs.NAME`.
        call: The arguments of the call, whose `width` and `height` are the size if no other is set.

    Raises:
        UnsupportedSetting: The picture is to be resized, and no size is set, or one without pixels or with too many.
    """
    resize = settings.get("resize", "none")
    size = settings.get("size") or [call.get("width"), call.get("height")]
    if resize != "none" and (wrong := [side for side in size if not is_side(side)]):
        is_missing = None in wrong
        raise UnsupportedSetting(
            f"inputs.{name}.resize = {resize!r} needs a size{'' if is_missing else f', and {wrong[0]!r} is none'}",
            hint=f"set inputs.{name}.size = [WIDTH, HEIGHT], or call.width and call.height; each {A_SIDE}",
        )
    return Preparation(
        mode=settings.get("mode", default_mode(name)),
        frames=settings.get("frames"),
        background=settings.get("background", ""),
        crop=tuple(settings["crop"]) if "crop" in settings else None,
        resize=resize,
        size=(size[0], size[1]) if resize != "none" else None,
        resample=settings.get("resample", RESAMPLE),
    )


def is_side(value: Any) -> bool:
    """Whether a value is the width or height of a picture, in pixels."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_SIDE


def prepared(picture: Image.Image, how: Preparation) -> Image.Image:
    """Prepare a picture, or a frame of a video.

    Raises:
        InputUnusable: The crop is not inside the picture.
    """
    from PIL import Image, ImageOps

    if how.background and picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, how.background), clear)
    picture = picture.convert(how.mode)
    if how.crop:
        picture = _cropped(picture, how.crop)
    if how.size is None:
        return picture
    method = Image.Resampling[how.resample.upper()]
    if how.resize == "cover":
        return ImageOps.fit(picture, how.size, method)
    if how.resize == "contain":
        return ImageOps.contain(picture, how.size, method)
    return picture.resize(how.size, method)


def _cropped(picture: Image.Image, crop: tuple[int, int, int, int]) -> Image.Image:
    left, top, right, bottom = crop
    if not (left < right <= picture.width and top < bottom <= picture.height):
        raise InputUnusable(
            f"the crop {list(crop)} is not inside the picture of {picture.width}x{picture.height} pixels",
            hint="a crop is [left, top, right, bottom] in pixels, after the EXIF orientation",
        )
    return picture.crop(crop)
