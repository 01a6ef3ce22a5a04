from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from spacediff.errors import PictureNotReadable
from spacediff.pictures import picture_format, probe_pictures, read_picture, read_pictures


def photo(height: int = 24, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC))


def saved(path: Path, picture: PIL.Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("suffix", "options"), [("png", {}), ("webp", {"lossless": True}), ("gif", {}), ("avif", {"quality": 100})]
)
def test_the_formats_are_found_by_content_and_decoded(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    flat = PIL.Image.fromarray(np.full((24, 32, 3), (200, 200, 200), np.uint8))
    path = saved(tmp_path / f"a.{suffix}", flat, **options).rename(tmp_path / "named-otherwise.jpg")
    pixels, info = read_picture(path)
    assert (info.format, info.width, info.height, info.frames, info.notes) == (suffix, 32, 24, 1, ())
    assert np.abs(pixels.astype(int) - 200).max() <= 1


def test_jpeg_is_decoded_as_opencv_does(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", PIL.Image.fromarray(photo()), quality=90)
    theirs = cv2.imread(str(path))
    assert theirs is not None
    assert np.abs(read_picture(path)[0].astype(int) - theirs[..., ::-1]).max() <= 2  # another libjpeg


def test_a_picture_is_turned_as_exif_says(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    path = saved(tmp_path / "a.png", PIL.Image.fromarray(photo()), exif=exif)
    pixels, info = read_picture(path)
    assert (info.width, info.height) == (24, 32)
    assert np.array_equal(pixels, np.rot90(photo(), -1))


def test_transparent_pixels_keep_their_colours_and_are_named(tmp_path: Path) -> None:
    alpha = np.full((24, 32, 1), 255, np.uint8)
    opaque = saved(tmp_path / "a.png", PIL.Image.fromarray(np.concatenate([photo(), alpha], axis=2)))
    assert read_picture(opaque)[1].notes == ()
    alpha[3, 4] = 0
    path = saved(tmp_path / "b.png", PIL.Image.fromarray(np.concatenate([photo(), alpha], axis=2)))
    pixels, info = read_picture(path)
    assert np.array_equal(pixels, photo())
    assert "b.png has transparent pixels" in info.notes[0]


def test_a_palette_with_transparency_is_decoded(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(photo()).quantize(16)
    path = saved(tmp_path / "a.png", picture, transparency=bytes([0] + [255] * 15))
    pixels, info = read_picture(path)
    assert np.array_equal(pixels, np.asarray(picture.convert("RGB")))
    assert "transparent" in info.notes[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_keep_their_upper_byte(tmp_path: Path, channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 2**16, (8, 9, channels), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values[..., ::-1])
    pixels, info = read_picture(tmp_path / "a.png")
    assert np.array_equal(pixels, np.broadcast_to(values >> 8, (8, 9, 3)))
    assert "16 bits per channel" in info.notes[0]


def test_a_profile_other_than_srgb_is_named(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(photo())
    assert read_picture(saved(tmp_path / "a.png", picture, icc_profile=b"x" * 60 + b"sRGB"))[1].notes == ()
    assert "colour profile" in read_picture(saved(tmp_path / "b.png", picture, icc_profile=b"Display P3"))[1].notes[0]


@pytest.mark.parametrize("suffix", ["webp", "png", "gif", "avif"])
def test_an_animation_has_frames_and_a_rate(tmp_path: Path, suffix: str) -> None:
    first, *others = (PIL.Image.fromarray(np.full((16, 16, 3), level, np.uint8)) for level in (10, 120, 250))
    options: dict[str, dict[str, Any]] = {"webp": {"lossless": True}, "avif": {"quality": 100}}
    path = saved(
        tmp_path / f"a.{suffix}",
        first,
        save_all=True,
        append_images=others,
        duration=[40, 40, 160],
        **options.get(suffix, {}),
    )
    info = probe_pictures(path)
    assert (info.frames, info.fps) == (3, Fraction(1000, 80))
    assert "40 to 160 ms" in info.notes[0]
    assert [int(frame[0, 0, 0]) for frame in read_pictures(path)] == pytest.approx([10, 120, 250], abs=1)
    with pytest.raises(PictureNotReadable, match="animation of 3 frames"):
        read_picture(path)


def _png_of(width: int, height: int, depth: int = 8) -> bytes:
    """A valid PNG of one colour, small however large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeeze = zlib.compressobj(9)
    row = bytes(1 + width * depth // 8)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 9_000), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    rows = min(size[1], 10)  # the claim is what counts; the rest would follow
    content = bytearray(_png_of(min(size[0], 10), rows))
    content[16:24] = struct.pack(">II", *size)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(PictureNotReadable, match=r"bomb\.png claims"):
        read_picture(tmp_path / "bomb.png")


def test_a_compressed_text_of_any_size_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(photo()).save(buffer, "PNG")
    content = buffer.getvalue()
    data = b"Comment\0\0" + zlib.compress(bytes(2**26 + 1), 9)
    text = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    (tmp_path / "a.png").write_bytes(content[:33] + text + content[33:])
    with pytest.raises(PictureNotReadable, match="damaged"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "avif"])
def test_damaged_and_truncated_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", PIL.Image.fromarray(photo(96, 96)))
    content = path.read_bytes()
    for kept in (40, len(content) // 2):
        path.write_bytes(content[:kept])
        with pytest.raises(PictureNotReadable, match=f"a.{suffix} is damaged"):
            read_picture(path)


def test_other_files_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<svg/>")
    with pytest.raises(PictureNotReadable, match="not PNG, JPEG, WebP, AVIF or GIF"):
        read_picture(tmp_path / "a.png")
    assert picture_format(b"%PDF-1.7") == ""
