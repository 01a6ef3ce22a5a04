"""Decode an input: a picture, a list of pictures, or a video as a list of its frames, all as Pillow's images."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.clip import probe, read_frames
from spacediff.errors import InputUnusable, VideoNotReadable
from spacediff.inputs.files import Input
from spacediff.inputs.pictures import (
    MAX_BYTES,
    is_picture,
    notes_on,
    read_animation,
    read_picture,
)
from spacediff.inputs.preparing import Preparation, prepared
from spacediff.pictures import INPUT_FORMATS, PICTURE_FORMATS

if TYPE_CHECKING:
    from PIL import Image


def decoded(given: Input, how: Preparation) -> Image.Image | list[Any]:
    """Decode what an argument of a pipeline gets.

    A list in the scenario becomes a list of pictures, a video a list of its frames. A picture for an argument that
    takes a video, such as `video` or `pose_video`, becomes a list of its frames too.

    Args:
        given: The input.
        how: How each picture and frame is prepared.

    Raises:
        InputUnusable: A file is not a picture or video, is damaged, or is too large.
    """
    try:
        decodings = [_decoded(Path(file.path), how, is_video="video" in given.name) for file in given.files]
    except InputUnusable as error:
        raise InputUnusable(f"the input {given.name!r} cannot be decoded: {error.message}", hint=error.hint) from error
    if not given.listed:
        return decodings[0]
    if "video" in given.name and all(len(each) == 1 for each in decodings if isinstance(each, list)):
        return [frame for each in decodings if isinstance(each, list) for frame in each]  # one video, a file per frame
    return decodings


def _decoded(path: Path, how: Preparation, *, is_video: bool) -> Image.Image | list[Image.Image]:
    if is_picture(path):
        return read_animation(path, how) if is_video else read_picture(path, how)
    return _video(path, how)


def _video(path: Path, how: Preparation) -> list[Image.Image]:
    """Decode a video as `load_video` does, which converts without accurate rounding."""
    from PIL import Image

    frames: list[Image.Image] = []
    try:
        for frame in islice(read_frames(path, accurate=False), how.frames):
            frames.append(prepared(Image.fromarray(frame), how))
            if len(frames) * frame.nbytes > MAX_BYTES:
                raise InputUnusable(f"it has more than {MAX_BYTES / 2**30:.0f} GiB of decoded frames")
    except VideoNotReadable as error:
        raise InputUnusable(_without(path, error.message)) from error
    return frames


def check_file(path: Path) -> None:
    """Check that a file is a picture or video that can be decoded; of a video, only the beginning is read.

    Raises:
        InputUnusable: It is not; the message does not repeat its name.
    """
    if is_picture(path):
        read_picture(path, Preparation())
        return
    try:
        probe(path)
        next(read_frames(path), None)
    except VideoNotReadable as error:
        raise InputUnusable(_without(path, error.message)) from error


def warnings_about(given: Input, how: Preparation) -> list[str]:
    """Say what the decoding loses that people may not expect, one sentence per input and loss."""
    found = {
        note: None for file in given.files if is_picture(Path(file.path)) for note in notes_on(Path(file.path), how)
    }
    return [f"the input {given.name!r} {note}" for note in found]


def _without(path: Path, message: str) -> str:
    """Return a decoder's message of an input: without the file's name, which must not reach a record."""
    return message.replace(path.name, "the file").replace(PICTURE_FORMATS, INPUT_FORMATS)
