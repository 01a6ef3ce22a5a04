from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from spacediff.clip import probe, read_clip
from spacediff.errors import PictureNotReadable
from spacediff.pictures import picture_set, write_set


def content(level: int, size: tuple[int, int] = (16, 24), suffix: str = "PNG") -> bytes:
    written = io.BytesIO()
    PIL.Image.fromarray(np.full((*size, 3), level, np.uint8)).save(written, suffix)
    return written.getvalue()


def test_a_set_keeps_its_files_and_their_order(tmp_path: Path) -> None:
    pictures = [content(level, suffix=suffix) for level, suffix in ((9, "PNG"), (200, "GIF"), (90, "PNG"))]
    write_set(pictures, tmp_path / "set.zip")
    clip = read_clip(tmp_path / "set.zip")
    assert (clip.medium, clip.frames[:, 0, 0, 0].tolist()) == ("pictures", [9, 200, 90])
    assert probe(tmp_path / "set.zip").codec == "png, gif"
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert [archive.read(name) for name in archive.namelist()] == pictures
    write_set(pictures, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "set.zip").read_bytes()


def test_a_picture_is_written_before_the_next_one_is_asked_for(tmp_path: Path) -> None:
    picture, written = content(9) + b"\0" * 2**20, []

    def pictures() -> Iterator[bytes]:
        for _ in range(3):
            yield picture
            written.append((tmp_path / "set.zip").stat().st_size)

    write_set(pictures(), tmp_path / "set.zip")
    assert all(size >= (number + 1) * len(picture) for number, size in enumerate(written))


def test_a_set_has_at_least_one_picture_and_no_other_files(tmp_path: Path) -> None:
    with pytest.raises(PictureNotReadable, match="at least 1"):
        write_set([], tmp_path / "set.zip")
    with pytest.raises(PictureNotReadable, match="number 1 of the files is not a picture"):
        write_set([content(9), b"<html>"], tmp_path / "set.zip")
    with pytest.raises(PictureNotReadable, match="more than 1000 pictures"):
        write_set([content(9)] * 1001, tmp_path / "set.zip")


def test_pictures_of_different_sizes_are_refused(tmp_path: Path) -> None:
    write_set([content(9), content(9, (8, 24))], tmp_path / "set.zip")
    with pytest.raises(PictureNotReadable, match="picture 1 is 24x8 pixels, and picture 0 is 24x16"):
        picture_set(tmp_path / "set.zip")


def test_other_and_hostile_archives_are_refused(tmp_path: Path) -> None:
    cases = {"../0.png": zipfile.ZIP_STORED, "0.png": zipfile.ZIP_DEFLATED, "script.py": zipfile.ZIP_STORED}
    for name, compression in cases.items():
        with zipfile.ZipFile(tmp_path / "a.zip", "w", compression) as archive:
            archive.writestr(name, content(9))
        with pytest.raises(PictureNotReadable, match="not a set of pictures"):
            picture_set(tmp_path / "a.zip")
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:40])
    with pytest.raises(PictureNotReadable, match="damaged ZIP"):
        picture_set(tmp_path / "a.zip")


def test_an_animation_is_no_picture_of_a_set(tmp_path: Path) -> None:
    written = io.BytesIO()
    first, other = (PIL.Image.fromarray(np.full((16, 24, 3), level, np.uint8)) for level in (9, 90))
    first.save(written, "WEBP", save_all=True, append_images=[other], lossless=True)
    (tmp_path / "a.webp").write_bytes(written.getvalue())
    assert read_clip(tmp_path / "a.webp").medium == "video"
    write_set([written.getvalue()], tmp_path / "set.zip")
    with pytest.raises(PictureNotReadable, match="animation of 2 frames"):
        picture_set(tmp_path / "set.zip")
