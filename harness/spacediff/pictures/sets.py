"""Several pictures as one file: what a gallery shows, or a pipeline returns for one prompt, in order.

The files are kept as they are, side by side in a ZIP that compresses nothing, so that one file stands for the clip as
an MP4 does for a video. A set is never cut: pictures of different sizes are an error.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.errors import PictureNotReadable
from spacediff.pictures.decoding import PictureInfo, probe_pictures, read_picture, read_pictures
from spacediff.pictures.opening import MAX_BYTES, PictureFile, picture_format

MAX_PICTURES = 1000
"""Most pictures of a set."""

MAX_SHEET_HEIGHT = 16_000
"""Pixels down a sheet that every browser decodes."""

_MEMBER = re.compile(r"\d{1,4}\.(png|jpeg|webp|gif|avif)")
_ZIP = b"PK\3\4"


@dataclass(frozen=True)
class PictureSet:
    """The pictures of a file.

    Attributes:
        files: One for each picture, in order; one for an animation.
        infos: What each says about itself.
    """

    files: tuple[PictureFile, ...]
    infos: tuple[PictureInfo, ...]

    @property
    def animated(self) -> bool:
        """Whether it is one file with several frames, which are shown one after the other."""
        return self.infos[0].frames > 1

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Decode the pictures one by one, each uint8 `[H, W, 3]` RGB.

        Raises:
            PictureNotReadable: A file is damaged.
        """
        for file in self.files:
            yield from read_pictures(file)


def picture_set(path: Path) -> PictureSet | None:
    """Read what a file of pictures holds: one picture, an animation, or a set that `write_set` wrote.

    Returns:
        None for a file of another kind, and for an animated GIF, which is decoded as a video.

    Raises:
        PictureNotReadable: It is damaged, too large, or holds pictures of different sizes.
    """
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError:
        return None
    if head.startswith(_ZIP):
        files = tuple(_members(path))
        infos = tuple(read_picture(each)[1] for each in files)
        _refuse_other_sizes(infos)
        return PictureSet(files, infos)
    if not picture_format(head):
        return None
    only = PictureSet((PictureFile.at(path),), (probe_pictures(path),))
    return None if only.animated and only.infos[0].format == "gif" else only


def is_set(path: Path) -> bool:
    """Whether a file is a ZIP with the names that `write_set` gives; its pictures are not looked at."""
    try:
        with _opened(path) as archive:
            names = archive.namelist()
    except PictureNotReadable:
        return False
    return bool(names) and all(map(_MEMBER.fullmatch, names))


def write_set(pictures: Iterable[bytes], path: Path) -> None:
    """Write picture files as one file, unchanged and in order, with one of them in memory at a time.

    Raises:
        PictureNotReadable: There are too many of them, or one is no picture.
    """
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, content in enumerate(pictures):
            if number == MAX_PICTURES:
                raise PictureNotReadable(f"there are more than {MAX_PICTURES} pictures, which a set has at most")
            found = picture_format(content[:32])
            if not found:
                raise PictureNotReadable(f"number {number} of the files is not a picture")
            archive.writestr(zipfile.ZipInfo(f"{number}.{found}"), content)  # without a time: equal sets, equal files
            written += 1
    if not written:
        raise PictureNotReadable("there are no pictures, and a set has at least 1")


def write_png(pictures: NDArray[np.uint8], folder: Path, stem: str) -> Path:
    """Write pictures without loss: one as a PNG, several as a set of them.

    Args:
        pictures: uint8 `[T, H, W, 3]` RGB.
        folder: Where to write.
        stem: Name of the file, without its ending.
    """
    import PIL.Image

    contents = []
    for picture in pictures:
        written = io.BytesIO()
        PIL.Image.fromarray(picture).save(written, "PNG")
        contents.append(written.getvalue())
    if len(contents) == 1:
        path = folder / f"{stem}.png"
        path.write_bytes(contents[0])
        return path
    path = folder / f"{stem}.zip"
    write_set(contents, path)
    return path


def write_sheet(pictures: NDArray[np.uint8], path: Path) -> None:
    """Write pictures as one PNG, one below the other.

    Args:
        pictures: uint8 `[T, H, W, 3]` RGB.
        path: The file to write.
    """
    import PIL.Image

    PIL.Image.fromarray(np.concatenate(list(pictures))).save(path, "PNG")


def _members(path: Path) -> Iterator[PictureFile]:
    """Yield the pictures of a set; nothing of an untrusted ZIP is unpacked onto the disk."""
    with _opened(path) as archive:
        members = archive.infolist()
        if not 0 < len(members) <= MAX_PICTURES:
            raise PictureNotReadable(
                f"{path.name} holds {len(members)} files; a set of pictures has 1 to {MAX_PICTURES}"
            )
        for member in members:
            if not _MEMBER.fullmatch(member.filename) or member.compress_type != zipfile.ZIP_STORED:
                raise PictureNotReadable(f"{path.name} is a ZIP, but not a set of pictures that spacediff wrote")
            if member.file_size > MAX_BYTES or member.compress_size != member.file_size:
                raise PictureNotReadable(f"{path.name} holds a picture of more than {MAX_BYTES >> 20} MiB")
            yield PictureFile(
                f"{path.name}/{member.filename}", member.file_size, partial(_member, path, member.filename)
            )


def _member(path: Path, name: str) -> io.BytesIO:
    """Open a member of a ZIP in memory, because a picture is read here and there."""
    with _opened(path) as archive:
        return io.BytesIO(archive.read(name))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():  # a device may have no end, and a pipe may never be written to
        raise PictureNotReadable(f"{path.name} is not a regular file")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise PictureNotReadable(f"{path.name} is a damaged ZIP: {error}") from error


def _refuse_other_sizes(infos: Sequence[PictureInfo]) -> None:
    first = infos[0]
    for number, info in enumerate(infos):
        if (info.width, info.height) != (first.width, first.height):
            raise PictureNotReadable(
                f"picture {number} is {info.width}x{info.height} pixels, and picture 0 is {first.width}x{first.height}",
                hint="the pictures of one prompt need one size: choose one of them by its index",
            )
