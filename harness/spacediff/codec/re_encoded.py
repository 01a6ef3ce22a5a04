"""Re-encoding: whether one file is another one that was encoded once more.

The key insight: encoders are deterministic, so this can be tried instead of guessed from how similar two files are.
"""

from __future__ import annotations

import tempfile
from itertools import zip_longest
from pathlib import Path

import numpy as np

from spacediff.clip import open_video, read_clip, read_frames
from spacediff.codec.encoding import Encoding
from spacediff.codec.matching import encode_like, encode_pictures, encoding_of
from spacediff.codec.pictures import Pictures
from spacediff.codec.stills import StillEncoding
from spacediff.errors import EncodingFailed, NotMeasuredError

MAX_PIXELS = 300_000_000
"""Largest clip that is encoded to try this, in pixels over all frames."""

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
        if encoding.lossless if isinstance(encoding, StillEncoding) else encoding.x264 is None:
            return False
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"re-encoded{encoding.suffix}"
            if _encode_stored(source, before, encoding, path) and _equal_frames(path, result):
                return True
            encode_like(read_clip(source), encoding, path)
            return _equal_frames(path, result)
    except NotMeasuredError:
        return False


def _equal_frames(left: Path, right: Path) -> bool:
    """Whether two files have the same frames; read up to the first that differs."""
    pairs = zip_longest(read_frames(left), read_frames(right))
    return all(ours is not None and theirs is not None and np.array_equal(ours, theirs) for ours, theirs in pairs)


def _encode_stored(
    source: Path, before: Encoding | StillEncoding, encoding: Encoding | StillEncoding, path: Path
) -> bool:
    """Encode a video's stored pictures without a conversion; return whether that is possible."""
    if isinstance(before, StillEncoding) or isinstance(encoding, StillEncoding) or encoding.x264 is None:
        return False
    if _PLANAR.get(before.pixel_format, "?") != _PLANAR.get(encoding.pixel_format):
        return False
    encode_pictures(_stored(source, before), encoding, encoding.x264, encoding.fps or before.fps, path)
    return True


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
