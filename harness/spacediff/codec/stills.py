"""Picture files: how each was encoded, and the same done to local pictures before both are compared.

The key insight: a JPEG file holds its quantisation tables and its chroma subsampling, which are all that decides how it
loses; other formats say less, so that the usual encoders are tried.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.clip import Clip, Frame
from spacediff.codec.webp import read_webp_header, usual_quality
from spacediff.errors import EncodingFailed, failure
from spacediff.pictures import PictureFile, picture_set, read_picture, write_set
from spacediff.record import Fact, FactKind, fact

_SUBSAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
"""Pillow's numbers of the chroma subsamplings that it can write."""
_DEFAULT_QUALITIES = {"avif": 75, "jpeg": 75, "webp": 80}
"""Pillow's."""


@dataclass(frozen=True)
class StillEncoder:
    """Encodes a picture as a file was encoded.

    Attributes:
        format: `png`, `jpeg`, `webp`, `gif` or `avif`.
        options: Options of Pillow's encoder.
        path: What a picture goes through.
        differences: What is not the same as in the file; empty if nothing is known to differ.
    """

    format: str
    options: Mapping[str, Any]
    path: tuple[Fact, ...] = ()
    differences: tuple[Fact, ...] = ()

    @property
    def lossless(self) -> bool:
        """Whether nothing is lost."""
        return self.format == "png"

    def encode(self, picture: Frame) -> bytes:
        """Encode a picture.

        Raises:
            EncodingFailed: Pillow refuses it.
        """
        import PIL.Image

        written = io.BytesIO()
        grey = len(self.options.get("qtables", (0, 0))) == 1  # a JPEG with one table has no colours
        try:
            PIL.Image.fromarray(picture).convert("L" if grey else "RGB").save(written, self.format, **self.options)
        except (OSError, ValueError, RuntimeError) as error:
            raise EncodingFailed(f"Pillow cannot encode a picture as {self.format}: {failure(error)}") from error
        return written.getvalue()


_LOSSLESS = StillEncoder("png", {"compress_level": 1})


@dataclass(frozen=True)
class StillEncoding:
    """How the pictures of a file were encoded.

    Attributes:
        encoders: One for each picture, in order; one for all frames of an animation.
        codec: The formats, such as `jpeg`.
        suffix: The name's ending of a file like it.
    """

    encoders: tuple[StillEncoder, ...]
    codec: str
    suffix: str

    def of(self, number: int) -> StillEncoder:
        """Return the encoder of a picture; that of the last one for further pictures."""
        return self.encoders[min(number, len(self.encoders) - 1)]

    @property
    def lossless(self) -> bool:
        """Whether no picture loses anything."""
        return all(encoder.lossless for encoder in self.encoders)

    @property
    def path(self) -> tuple[Fact, ...]:
        """What local pictures go through."""
        return _each_once(each for encoder in self.encoders for each in encoder.path)

    @property
    def differences(self) -> tuple[Fact, ...]:
        """What is not the same as in the file."""
        return _each_once(each for encoder in self.encoders for each in encoder.differences)

    def write(self, clip: Clip, path: Path) -> None:
        """Encode the pictures of a clip into a file.

        Raises:
            EncodingFailed: Pillow refuses one.
        """
        encoded = [self.of(number).encode(picture) for number, picture in enumerate(clip.frames)]
        if len(encoded) == 1:
            path.write_bytes(encoded[0])
        else:
            write_set(encoded, path)


def read_still_encoding(path: Path) -> StillEncoding | None:
    """Read how a file of pictures was encoded; None for a file of another kind.

    Raises:
        PictureNotReadable: It is damaged or too large.
    """
    pictures = picture_set(path)
    if pictures is None:
        return None
    formats = ", ".join(dict.fromkeys(info.format for info in pictures.infos))
    encoders = tuple(_encoder(file, animated=pictures.animated) for file in pictures.files)
    several = len(pictures.files) > 1 or pictures.animated
    return StillEncoding(encoders, formats, ".zip" if several else f".{pictures.infos[0].format}")


def _encoder(file: PictureFile, *, animated: bool) -> StillEncoder:
    found = file.format
    if found == "png":
        return _LOSSLESS
    if found == "jpeg":
        return _as_jpeg(file)
    if found == "webp":
        return _as_webp(file, animated=animated)
    return _similar(found)


def _similar(found: str) -> StillEncoder:
    """Return the nearest encoder for a format that does not say how it was encoded."""
    unsaid = fact(FactKind.ENCODING_UNSAID, codec=found)
    if found == "gif":
        return StillEncoder(found, {}, (unsaid, fact(FactKind.NEAREST_GIF)), (unsaid,))
    return _nearest(found, unsaid)


def _nearest(found: str, because: Fact) -> StillEncoder:
    quality = _DEFAULT_QUALITIES[found]
    nearest = fact(FactKind.NEAREST_PICTURE, format=found, quality=quality)
    return StillEncoder(found, {"quality": quality}, (because, nearest), (because,))


def _as_jpeg(file: PictureFile) -> StillEncoder:
    import PIL.Image
    from PIL.JpegImagePlugin import get_sampling

    with file.open() as content, PIL.Image.open(content, formats=["JPEG"]) as image:
        tables = dict(getattr(image, "quantization", {}))
        colours = len(image.getbands())
        sampling = get_sampling(image)
    in_order = [list(tables[number]) for number in sorted(tables)]
    if colours == 1:
        options: dict[str, Any] = {"qtables": in_order[:1]}
        said = "none"
    else:
        options, said = {"qtables": in_order, "subsampling": sampling}, _SUBSAMPLINGS.get(sampling, "")
    if not in_order or not said or colours not in {1, 3}:
        return _similar_jpeg()
    return StillEncoder("jpeg", options, (fact(FactKind.JPEG_AS_HOSTED, subsampling=said),))


def _similar_jpeg() -> StillEncoder:
    """Return the nearest encoder for a JPEG whose subsampling or colours Pillow cannot write."""
    unsaid = fact(FactKind.JPEG_NOT_REPEATED)
    return _nearest("jpeg", unsaid)


def _as_webp(file: PictureFile, *, animated: bool) -> StillEncoder:
    if animated:  # libwebp chooses for each frame whether to lose
        return _similar("webp")
    with file.open() as content:
        header = read_webp_header(content.read())
    if header.lossless:
        return _LOSSLESS
    quality = usual_quality(header, read_picture(file)[0], lambda picture, tried: _webp(tried).encode(picture))
    if quality is None:
        return _similar("webp")
    found = fact(FactKind.WEBP_AS_HOSTED, quality=quality)
    return StillEncoder("webp", {"quality": quality}, (found,), (fact(FactKind.WEBP_INFERRED, quality=quality),))


def _webp(quality: int) -> StillEncoder:
    return StillEncoder("webp", {"quality": quality})


def _each_once(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    found: list[Fact] = []
    for each in facts:
        if each not in found:
            found.append(each)
    return tuple(found)
