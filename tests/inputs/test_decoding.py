"""Inputs are decoded as diffusers' `load_image` and `load_video` decode them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spacediff.errors import InputUnusable
from spacediff.inputs import pictures
from spacediff.inputs.decoding import check_file, decoded, warnings_about
from spacediff.inputs.files import InputFile, ensure_unchanged, identified
from spacediff.inputs.preparing import Preparation, default_mode
from spacediff.pictures import opening
from spacediff.pictures.opening import INPUT
from support.input_files import mask, picture, turned_jpeg, write_video


def read(name: str, *paths: Path, listed: bool = False) -> Any:
    return decoded(identified(name, list(paths) if listed else paths[0]), Preparation(default_mode(name)))


def same(ours: Image.Image, theirs: Image.Image) -> bool:
    return ours.mode == theirs.mode and np.array_equal(np.asarray(ours), np.asarray(theirs))


def load_image(path: Path) -> Image.Image:
    from diffusers.utils import load_image as load

    loaded: Image.Image = load(str(path))
    return loaded


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.jpg", "RGB"),
        ("a.webp", "RGB"),
        ("grey.png", "L"),
        ("clear.png", "RGBA"),
        ("clear.webp", "RGBA"),
        ("print.jpg", "CMYK"),
        ("a.bmp", "RGB"),
        ("a.tiff", "RGB"),
        ("picture without an ending", "RGB"),
    ],
)
def test_a_picture_is_what_load_image_gives(name: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / name
    picture(1, (40, 30), mode).save(path, format=None if path.suffix else "PNG")
    assert same(read("image", path), load_image(path))
    assert not same(read("image", path), picture(2, (40, 30)))


@pytest.mark.parametrize("more", [{}, {"transparency": 3}])
def test_a_palette_is_looked_up(more: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    picture(1, (40, 30)).quantize(16).save(path, **more)
    assert same(read("image", path), load_image(path))


def test_a_picture_is_turned_as_exif_says(tmp_path: Path) -> None:
    path = turned_jpeg(tmp_path / "phone.jpg")
    assert read("image", path).size == (60, 80)
    assert same(read("image", path), load_image(path))


def test_a_mask_is_grey_and_a_picture_has_colours(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    mask().convert("RGB").save(path)
    assert read("mask_image", path).mode == "L"
    assert np.array_equal(np.asarray(read("mask_image", path)), np.asarray(mask()))
    assert read("image", path).mode == "RGB"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")  # imageio's
@pytest.mark.parametrize("size", [(64, 48), (30, 20)])
def test_a_video_is_what_load_video_gives(size: tuple[int, int], tmp_path: Path) -> None:
    from diffusers.utils import load_video

    path = write_video(tmp_path / "clip.mp4", 5, size)
    frames, theirs = read("video", path), load_video(str(path))
    assert len(frames) == len(theirs) == 5
    assert all(map(same, frames, theirs))
    assert not same(frames[0], theirs[1])


def test_a_list_of_files_is_a_list_of_pictures(tmp_path: Path) -> None:
    for n in range(2):
        picture(n).save(tmp_path / f"{n}.png")
    files = [tmp_path / "1.png", tmp_path / "0.png"]
    assert [same(each, picture(n)) for each, n in zip(read("image", *files, listed=True), (1, 0), strict=True)] == [
        True
    ] * 2
    assert same(read("image", files[0], listed=True)[0], picture(1))
    assert same(read("image", files[0]), picture(1))


def test_pictures_for_a_video_are_its_frames(tmp_path: Path) -> None:
    shown = [picture(n) for n in range(3)]
    shown[0].save(tmp_path / "moving.gif", save_all=True, append_images=shown[1:], loop=0)
    assert len(read("video", tmp_path / "moving.gif")) == 3
    assert read("image", tmp_path / "moving.gif").size == (64, 64)
    for n, each in enumerate(shown):
        each.save(tmp_path / f"{n}.png")
    frames = read("pose_video", *(tmp_path / f"{n}.png" for n in range(3)), listed=True)
    assert all(map(same, frames, shown))


def test_what_is_lost_is_said_without_the_file(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "secret-depth.png")
    picture(0, (8, 8), "RGBA").save(tmp_path / "secret-clear.png")
    picture(0, (8, 8)).save(tmp_path / "plain.png")
    depth, clear, plain = (
        warnings_about(identified("image", tmp_path / name), Preparation())
        for name in ("secret-depth.png", "secret-clear.png", "plain.png")
    )
    assert "16 bits" in depth[0]
    assert "transparent" in clear[0]
    assert "secret" not in depth[0] + clear[0]
    assert not plain


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    picture().save(tmp_path / "drawing.eps")  # Pillow would start Ghostscript
    whole = tmp_path / "whole.png"
    picture(0, (200, 200)).save(whole)
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:-2000])
    for name in ("text.png", "drawing.eps", "cut.png"):
        with pytest.raises(InputUnusable) as refused:
            check_file(tmp_path / name)
        assert name not in refused.value.message
    check_file(whole)


@pytest.mark.parametrize("ending", ["avif", "gif", "tiff", "webp", "png", "jpg"])
def test_whatever_is_damaged_the_error_says_so(ending: str, tmp_path: Path) -> None:
    whole, damaged = tmp_path / f"whole.{ending}", tmp_path / f"secret.{ending}"
    more: dict[str, Any] = {"save_all": True, "append_images": [picture(1)]} if ending in {"gif", "tiff"} else {}
    picture(0).save(whole, **more)
    content, chance = whole.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(content)
        for place in chance.integers(0, min(len(content), 400), 4):
            changed[place] = chance.integers(256)
        damaged.write_bytes(changed)
        for read_it in (lambda: check_file(damaged), lambda: read("video", damaged)):
            try:
                read_it()
            except InputUnusable as error:
                assert "secret" not in error.message  # noqa: PT017 - most of them are damaged, not all


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(0, (100, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(pictures, "INPUT", replace(INPUT, pixels=9_999))
    with pytest.raises(InputUnusable, match="100x100"):
        read("image", tmp_path / "large.png")


def test_a_video_with_too_many_bytes_of_frames_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spacediff.inputs import decoding

    path = write_video(tmp_path / "clip.mp4", 5)
    monkeypatch.setattr(decoding, "MAX_BYTES", 4 * 64 * 64 * 3)
    with pytest.raises(InputUnusable, match="decoded frames"):
        read("video", path)


def test_an_input_is_its_content_and_not_its_place(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    picture(1).save(tmp_path / "c.png")
    first, same_content, other = (identified("image", tmp_path / f"{name}.png") for name in "abc")
    assert first.identity == same_content.identity != other.identity
    assert identified("image", [tmp_path / "a.png"]).identity != first.identity
    assert identified("last_image", tmp_path / "a.png").identity != first.identity


def test_a_file_that_changed_after_the_plan_is_refused(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "a.png")
    given = identified("image", tmp_path / "a.png")
    ensure_unchanged(given)
    picture(1).save(tmp_path / "a.png")
    with pytest.raises(InputUnusable, match="has changed"):
        ensure_unchanged(given)
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputUnusable, match="missing"):
        ensure_unchanged(given)
    assert isinstance(given.files[0], InputFile)


def test_a_picture_of_too_many_frames_or_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(0).save(tmp_path / "three.gif", save_all=True, append_images=[picture(1), picture(2)])
    monkeypatch.setattr(opening, "MAX_FRAMES", 2)
    with pytest.raises(InputUnusable, match="more than 2 frames"):
        read("video", tmp_path / "three.gif")
    assert read("image", tmp_path / "three.gif").size == picture(0).size
    monkeypatch.setattr(opening, "MAX_BYTES", 10)
    with pytest.raises(InputUnusable, match="the picture is larger than 0 MiB"):
        read("image", tmp_path / "three.gif")
