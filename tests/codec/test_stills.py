from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from skimage import data

from spacediff.clip import Clip, Frame, read_clip, read_frames
from spacediff.codec import StillEncoding, encode_like, encoding_of, is_re_encoded, planted_resolution
from spacediff.pictures import write_set
from spacediff.record import FactKind


def photo(size: int = 128) -> Frame:
    return np.ascontiguousarray(data.astronaut()[:size, 60 : 60 + size])


def clip_of(*pictures: Frame) -> Clip:
    return Clip(np.stack(pictures), Fraction(1), "pictures")


def by_opencv(path: Path, picture: Frame, *options: int) -> Path:
    """Encode by another program than Pillow."""
    assert cv2.imwrite(str(path), picture[..., ::-1], options)
    return path


def matched(reference: Path, picture: Frame, tmp_path: Path) -> tuple[Any, Frame]:
    path = tmp_path / "matched"
    match = encode_like(clip_of(picture), encoding_of(reference), path)
    return match, next(read_frames(path))


@pytest.mark.parametrize("quality", [37, 75, 95])
@pytest.mark.parametrize("subsampling", [0x111111, 0x211111, 0x221111])
def test_a_jpeg_is_repeated_with_its_own_tables_and_subsampling(tmp_path: Path, quality: int, subsampling: int) -> None:
    options = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, subsampling)
    reference = by_opencv(tmp_path / "a.jpg", photo(), *options)
    match, ours = matched(reference, photo(), tmp_path)
    assert match.exact
    assert match.path[0].kind is FactKind.JPEG_AS_HOSTED
    assert np.array_equal(ours, next(read_frames(reference)))


def test_a_jpeg_without_colours_is_repeated(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).convert("L").save(tmp_path / "a.jpg", quality=60)
    match, ours = matched(tmp_path / "a.jpg", photo(), tmp_path)
    assert match.exact
    assert np.array_equal(ours, next(read_frames(tmp_path / "a.jpg")))


def test_a_jpeg_that_pillow_cannot_write_is_said_to_be_unmatched(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).convert("CMYK").save(tmp_path / "a.jpg")
    match, _ = matched(tmp_path / "a.jpg", photo(), tmp_path)
    assert not match.exact
    assert [each.kind for each in match.differences] == [FactKind.JPEG_NOT_REPEATED]


@pytest.mark.parametrize("quality", [70, 75, 80, 90, 95, 100])
def test_the_usual_quality_of_a_webp_is_found_and_repeated(tmp_path: Path, quality: int) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.webp", quality=quality)
    match, ours = matched(tmp_path / "a.webp", photo(), tmp_path)
    assert [each.kind for each in match.differences] == [FactKind.WEBP_INFERRED]
    assert match.path[0].values == {"quality": quality}
    assert np.array_equal(ours, next(read_frames(tmp_path / "a.webp")))


@pytest.mark.parametrize("options", [{"quality": 79}, {"quality": 80, "method": 6}])
def test_a_webp_that_is_nearly_of_a_usual_quality_is_not_called_exact(tmp_path: Path, options: dict[str, Any]) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.webp", **options)
    match, ours = matched(tmp_path / "a.webp", photo(), tmp_path)
    assert not match.exact
    assert not np.array_equal(ours, next(read_frames(tmp_path / "a.webp")))


def test_a_webp_of_an_unusual_quality_is_said_to_be_unmatched(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.webp", quality=33)
    match, ours = matched(tmp_path / "a.webp", photo(), tmp_path)
    assert not match.exact
    assert [each.kind for each in match.path] == [FactKind.ENCODING_UNSAID, FactKind.NEAREST_PICTURE]
    assert ours.shape == photo().shape


@pytest.mark.parametrize("suffix", ["avif", "gif"])
def test_formats_that_do_not_say_how_they_were_written_are_unmatched(tmp_path: Path, suffix: str) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / f"a.{suffix}")
    match, ours = matched(tmp_path / f"a.{suffix}", photo(), tmp_path)
    assert not match.exact
    assert ours.shape == photo().shape


def test_lossless_files_lose_nothing(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.png")
    PIL.Image.fromarray(photo()).save(tmp_path / "a.webp", lossless=True)
    for name in ("a.png", "a.webp"):
        found = encoding_of(tmp_path / name)
        assert isinstance(found, StillEncoding)
        assert found.lossless
        match, ours = matched(tmp_path / name, photo(), tmp_path)
        assert match.exact
        assert np.array_equal(ours, photo())


def test_each_picture_of_a_set_is_repeated_as_it_is(tmp_path: Path) -> None:
    contents = []
    for number, quality in enumerate((40, 90)):
        contents.append(by_opencv(tmp_path / f"{number}.jpg", photo(), cv2.IMWRITE_JPEG_QUALITY, quality).read_bytes())
    write_set(contents, tmp_path / "set.zip")
    encoding = encoding_of(tmp_path / "set.zip")
    encode_like(clip_of(photo(), photo()), encoding, tmp_path / "matched.zip")
    assert read_clip(tmp_path / "matched.zip").digest == read_clip(tmp_path / "set.zip").digest
    assert read_clip(tmp_path / "set.zip").medium == "pictures"


def test_a_jpeg_of_a_png_is_recognised_as_encoded_again(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.png")
    PIL.Image.fromarray(photo()).save(tmp_path / "b.jpg", quality=80)
    other = photo().copy()
    other[40:60, 40:60] = 255 - other[40:60, 40:60]
    PIL.Image.fromarray(other).save(tmp_path / "c.jpg", quality=80)
    assert is_re_encoded(tmp_path / "a.png", tmp_path / "b.jpg")
    assert not is_re_encoded(tmp_path / "a.png", tmp_path / "c.jpg")
    assert not is_re_encoded(tmp_path / "b.jpg", tmp_path / "a.png")


def test_what_survives_a_jpeg_is_found_by_planting_it(tmp_path: Path) -> None:
    PIL.Image.fromarray(photo()).save(tmp_path / "a.jpg", quality=60)
    found = planted_resolution(clip_of(photo()), encoding_of(tmp_path / "a.jpg"))
    assert found.seen
    assert found.exact
