"""Encode raw pictures from standard input with PyAV's x264, in a fresh process; `ffmpeg.py` says why.

Run as a script with these arguments: path, width, height, pixel format, frames per second, preset, x264 parameters.
"""

from __future__ import annotations

import sys
from fractions import Fraction

import av
import numpy as np


def main(path: str, *settings: str) -> None:
    """Read the planes of 8-bit 4:2:0 pictures until the input ends; write an MP4, or Matroska into a pipe."""
    width, height, pixel_format, fps, preset, parameters = settings
    planes = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
    piped = path.startswith("pipe:")
    options = {"cluster_time_limit": "1"} if piped else {}  # a picture waits for no later one
    with av.open(path, "w", format="matroska" if piped else "mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.height, stream.width = int(height), int(width)
        stream.pix_fmt = pixel_format
        stream.codec_context.options = {"preset": preset, "x264-params": parameters}
        for picture in planes.reshape(-1, int(height) * 3 // 2, int(width)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=pixel_format)))
        container.mux(stream.encode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (av.FFmpegError, OSError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
