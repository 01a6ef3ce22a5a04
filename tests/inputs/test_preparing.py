"""Inputs are prepared by Pillow's own functions, in a fixed order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from spacediff.errors import InputUnusable, UnsupportedSetting
from spacediff.inputs.preparing import Preparation, preparation_of, prepared
from support.input_files import picture

PICTURE = picture(2, (90, 50))


def after(settings: dict[str, Any], shown: Image.Image = PICTURE, **call: int) -> Image.Image:
    return prepared(shown, preparation_of("image", settings, call))


def same(ours: Image.Image, theirs: Image.Image) -> bool:
    return (
        ours.size == theirs.size and ours.mode == theirs.mode and np.array_equal(np.asarray(ours), np.asarray(theirs))
    )


def test_nothing_is_done_by_default() -> None:
    assert same(after({}, width=32, height=32), PICTURE)


def test_sizes_are_those_of_pillow() -> None:
    size, bicubic = (40, 40), Image.Resampling.BICUBIC
    asked = {"size": [40, 40], "resample": "bicubic"}
    assert same(after({"resize": "cover", **asked}), ImageOps.fit(PICTURE, size, bicubic))
    assert same(after({"resize": "contain", **asked}), ImageOps.contain(PICTURE, size, bicubic))
    assert same(after({"resize": "stretch", **asked}), PICTURE.resize(size, bicubic))
    assert not same(after({"resize": "stretch", **asked}), PICTURE.resize(size, Image.Resampling.LANCZOS))
    assert same(after({"resize": "stretch"}, width=32, height=24), PICTURE.resize((32, 24), Image.Resampling.LANCZOS))


def test_a_crop_comes_before_the_size_and_stays_inside() -> None:
    crop = (10, 5, 60, 45)
    asked = {"crop": list(crop), "resize": "stretch", "size": [20, 20], "resample": "box"}
    assert same(after(asked), PICTURE.crop(crop).resize((20, 20), Image.Resampling.BOX))
    with pytest.raises(InputUnusable, match="90x50"):
        after({"crop": [0, 0, 91, 50]})


def test_a_background_is_under_what_is_transparent() -> None:
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    clear.putpixel((1, 0), (0, 0, 255, 255))
    assert np.asarray(after({"background": "white"}, clear)).tolist() == [[[255, 255, 255], [0, 0, 255]]]
    assert np.asarray(after({}, clear)).tolist() == [[[255, 0, 0], [0, 0, 255]]]
    assert after({"mode": "RGBA"}, clear).getpixel((0, 0)) == (255, 0, 0, 0)


def test_a_resize_without_a_size_is_refused() -> None:
    with pytest.raises(UnsupportedSetting, match=r"inputs\.image\.resize = 'cover' needs a size"):
        after({"resize": "cover"})
    with pytest.raises(UnsupportedSetting, match=r"inputs\.image\.resize = 'cover' needs a size, and 0 is none"):
        after({"resize": "cover"}, width=0, height=32)


def test_the_mode_of_a_mask_is_grey_unless_said() -> None:
    assert preparation_of("mask_image", {}, {}).mode == "L"
    assert preparation_of("mask_image", {"mode": "RGB"}, {}) == Preparation("RGB")
