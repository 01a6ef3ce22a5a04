"""Re-encoding: whether one file is another one that was encoded once more.

The key insight: encoders are deterministic, so this can be tried instead of guessed from how similar two files are. Two
files usually differ in their first frame, so the frames are compared while the encoder writes, and it ends with the
first that differs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np

from spacediff.clip import Frame, decode_stream, open_video, read_clip, read_frames
from spacediff.codec.encoding import Encoding
from spacediff.codec.ffmpeg import while_it_writes
from spacediff.codec.matching import as_pictures, encode_like, encoding_command, encoding_of
from spacediff.codec.pictures import Pictures
from spacediff.codec.stills import StillEncoding
from spacediff.codec.x264 import X264
from spacediff.errors import EncodingFailed, NotMeasuredError

MAX_PIXELS = 64_000_000
"""Largest clip that is encoded to try this, in pixels over all frames, which are in memory: 185 frames of 480x720."""

_PLANAR = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv444p": "yuv444p", "yuvj444p": "yuv444p"}


def is_re_encoded(source: Path, result: Path) -> bool:
    """Whether a file's frames are those of another file, encoded with the options that the file itself names.

    A picture is encoded as the file says. For x264, two ways are tried: the source's stored pictures, as the program
    `ffmpeg` passes them on, and a conversion through RGB, as a script does. Both files must have equally many frames of
    one size.

    Args:
        source: The file that may have been re-encoded.
        result: The file that may be the result.

    Returns:
        False also where a video was not written by x264, or where the encoding cannot be reproduced here.
    """
    try:
        before, encoding = encoding_of(source), encoding_of(result)
        if isinstance(encoding, StillEncoding):
            return not encoding.lossless and _is_encoded_picture(source, encoding, result)
        note = encoding.x264
        return note is not None and any(
            _is_encoded(pictures, encoding, note, fps, result) for pictures, fps in _ways(source, before, encoding)
        )
    except NotMeasuredError:
        return False


def _is_encoded_picture(source: Path, encoding: StillEncoding, result: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"re-encoded{encoding.suffix}"
        encode_like(read_clip(source), encoding, path)
        return _equal_frames(read_frames(path), result)


def _ways(source: Path, before: Encoding | StillEncoding, encoding: Encoding) -> Iterator[tuple[Pictures, Fraction]]:
    """Yield what the encoder may have been given, with the frames per second."""
    if isinstance(before, Encoding) and _PLANAR.get(before.pixel_format, "?") == _PLANAR.get(encoding.pixel_format):
        yield _stored(source, before), encoding.fps or before.fps
    clip = read_clip(source)
    yield as_pictures(clip, encoding), encoding.fps or clip.fps


def _is_encoded(pictures: Pictures, encoding: Encoding, note: X264, fps: Fraction, result: Path) -> bool:
    """Whether an encoder makes a file's frames of pictures."""
    command, _ = encoding_command(pictures, encoding, note, fps, None)
    with while_it_writes(command, pictures.data) as stream:
        return _equal_frames(decode_stream(stream), result)


def _equal_frames(frames: Iterable[Frame], result: Path) -> bool:
    """Whether frames are those of a file; read up to the first that differs."""
    pairs = zip_longest(frames, read_frames(result))
    return all(ours is not None and theirs is not None and np.array_equal(ours, theirs) for ours, theirs in pairs)


def _stored(file: Path, encoding: Encoding) -> Pictures:
    """Return a file's pictures without any conversion."""
    import av

    with open_video(file) as container:
        try:
            data = [picture.to_ndarray().tobytes() for picture in container.decode(video=0)]
        except (av.FFmpegError, ValueError) as error:
            raise EncodingFailed(f"{file.name} cannot be read without a conversion") from error
    return Pictures(
        b"".join(data), len(data), encoding.width, encoding.height, _PLANAR[encoding.pixel_format], remarks=()
    )
