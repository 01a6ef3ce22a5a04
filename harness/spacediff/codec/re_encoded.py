"""Re-encoding: whether one video file is another one that was encoded once more.

The key insight: x264 is deterministic, so this can be tried instead of guessed from how similar two files are.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from spacediff.clip import frames_digest, open_video, read_clip, read_frames
from spacediff.codec.encoding import Encoding, read_encoding
from spacediff.codec.matching import encode_like, encode_pictures
from spacediff.codec.pictures import Pictures
from spacediff.errors import EncodingFailed, NotMeasuredError

MAX_PIXELS = 300_000_000
"""Largest clip that is encoded to try this, in pixels over all frames."""

_PLANAR = {"yuv420p": "yuv420p", "yuvj420p": "yuv420p", "yuv444p": "yuv444p", "yuvj444p": "yuv444p"}


def is_re_encoded(source: Path, result: Path) -> bool:
    """Whether a file's frames are those of another file, encoded with the options that the file itself names.

    Two ways are tried: the source's stored pictures, as the program `ffmpeg` passes them on, and a conversion through
    RGB, as a script does. Both files must have equally many frames of one size.

    Args:
        source: The file that may have been re-encoded.
        result: The file that may be the result.

    Returns:
        False also where x264 did not write the result, or where its encoding cannot be reproduced here.
    """
    try:
        before, encoding = read_encoding(source), read_encoding(result)
        if encoding.x264 is None:
            return False
        digest = frames_digest(read_frames(result))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "re-encoded.mp4"
            if _PLANAR.get(before.pixel_format, "?") == _PLANAR.get(encoding.pixel_format):
                encode_pictures(_stored(source, before), encoding, encoding.x264, encoding.fps or before.fps, path)
                if frames_digest(read_frames(path)) == digest:
                    return True
            encode_like(read_clip(source), encoding, path)
            return frames_digest(read_frames(path)) == digest
    except NotMeasuredError:
        return False


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
