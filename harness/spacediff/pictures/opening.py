"""How an untrusted picture file is opened, for every purpose: what is refused, and with which error.

The key insight: a small file may claim any size and any number of frames, and Pillow may read an archive or start a
program for a format. So bytes, pixels, frames and formats are limited before anything is decoded, and all that Pillow
raises for damaged files becomes one error.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from spacediff.errors import PictureNotReadable

if TYPE_CHECKING:
    import PIL.Image

MAX_BYTES = 512 * 2**20
"""A larger picture file is not opened."""
MAX_FRAMES = 20_000
"""Most frames of an animation."""


@dataclass(frozen=True)
class Use:
    """What is opened for a purpose.

    Attributes:
        formats: Pillow's names of the formats.
        pixels: Most pixels of a frame.
    """

    formats: tuple[str, ...]
    pixels: int


COMPARED = Use(("PNG", "JPEG", "WEBP", "GIF", "AVIF"), 7680 * 4320)
"""Pictures that are compared: they are clips, whose frames are no larger."""
PICTURE_FORMATS = "PNG, JPEG, WebP, AVIF or GIF"
"""The formats of pictures that are compared, in a sentence."""
INPUT = Use((*COMPARED.formats, "BMP", "TIFF"), 8192 * 8192)
"""Pictures that a pipeline gets."""
INPUT_FORMATS = "PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF"
"""The formats of pictures that a pipeline gets, in a sentence."""

_ONE_FRAME = {"JPEG", "MPO"}  # a phone's JPEG may hold further pictures for other purposes, such as a gain map
_AVIF_BRANDS = (b"avif", b"avis")

DAMAGE = (
    *(OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, IndexError, TypeError, OverflowError),
    *(RuntimeError, MemoryError),  # of AVIF, and of sizes that a damaged file claims
)
"""What Pillow raises for damaged files."""


@dataclass(frozen=True)
class PictureFile:
    """A file with a picture, on disk or inside another file.

    Attributes:
        name: Its name, for messages.
        size: Bytes.
        open: Opens it for reading bytes.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    @classmethod
    def at(cls, path: Path) -> PictureFile:
        """Describe a file on disk; one that is missing has no bytes.

        Raises:
            PictureNotReadable: It cannot be read.
        """
        try:
            return cls(path.name, path.stat().st_size, lambda: path.open("rb"))
        except OSError as error:
            raise PictureNotReadable(f"{path.name} cannot be read: {error.strerror}") from error

    @property
    def format(self) -> str:
        """The format by content; empty for a file that is no picture."""
        return picture_format(self.head())

    def head(self, size: int = 32) -> bytes:
        """Return its first bytes."""
        with self.open() as file:
            return file.read(size)


def picture_format(head: bytes) -> str:
    """Return the format of a file by its first 32 bytes: `png`, `jpeg`, `webp`, `gif`, `avif`; empty for others."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    brands = (head[8:12], *(head[at : at + 4] for at in range(16, len(head), 4)))
    return "avif" if head[4:8] == b"ftyp" and any(brand in _AVIF_BRANDS for brand in brands) else ""


def is_picture(file: PictureFile, use: Use) -> bool:
    """Whether a file is in one of the formats, by its content; it may be damaged or too large."""
    import PIL.Image

    try:
        with file.open() as content:
            _open(content, use.formats).close()
    except PIL.UnidentifiedImageError:
        return False
    except (*DAMAGE, PIL.Image.DecompressionBombError):
        return True
    return True


@contextmanager
def opened(file: PictureFile, use: Use, formats: Sequence[str] = ()) -> Iterator[PIL.Image.Image]:
    """Open a picture without decoding it, and refuse what claims to be larger than is decoded.

    Args:
        file: The file.
        use: What it is for.
        formats: Pillow's names of the formats that it may be in; by default all of the use.

    Raises:
        PictureNotReadable: The file is too large, is in none of the formats, or is damaged.
    """
    if file.size > MAX_BYTES:
        raise PictureNotReadable(f"{file.name} is larger than {MAX_BYTES >> 20} MiB")
    with damage_reported(file, use):
        content = file.open()
    with content:
        with damage_reported(file, use):
            image = _open(content, formats or use.formats)
        with image:
            refuse_size(image, file, use)
            yield image


@contextmanager
def damage_reported(file: PictureFile, use: Use) -> Iterator[None]:
    """Turn what Pillow raises in the block into one error.

    Raises:
        PictureNotReadable: Pillow cannot read the file.
    """
    import PIL.Image

    try:
        yield
    except PIL.Image.DecompressionBombError as error:
        raise PictureNotReadable(f"{file.name} claims more than {use.pixels:,} pixels") from error
    except PIL.UnidentifiedImageError as error:
        raise PictureNotReadable(f"{file.name} is damaged: none of {', '.join(use.formats)} can be opened") from error
    except OSError as error:  # without the path that the system's message has
        raise PictureNotReadable(f"{file.name} is damaged: {error.strerror or error}") from error
    except DAMAGE as error:
        raise PictureNotReadable(f"{file.name} is damaged: {error}") from error


def refuse_size(image: PIL.Image.Image, file: PictureFile, use: Use) -> None:
    """Raise PictureNotReadable for a frame without pixels or with too many."""
    if not 0 < image.width * image.height <= use.pixels:
        raise PictureNotReadable(
            f"{file.name} claims {image.width}x{image.height} pixels; at most {use.pixels:,} are decoded"
        )


def frame_count(image: PIL.Image.Image, file: PictureFile) -> int:
    """Return the number of frames; raises PictureNotReadable for too many."""
    if image.format in _ONE_FRAME:
        return 1
    count = int(getattr(image, "n_frames", 1))
    if count > MAX_FRAMES:
        raise PictureNotReadable(f"{file.name} has more than {MAX_FRAMES} frames")
    return count


def _open(content: IO[bytes], formats: Sequence[str]) -> PIL.Image.Image:
    import PIL.Image

    with warnings.catch_warnings(action="ignore"):  # Pillow warns of sizes that are refused next
        return PIL.Image.open(content, formats=list(formats))
