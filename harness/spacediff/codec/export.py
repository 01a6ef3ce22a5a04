"""What `diffusers.utils.export_to_video` writes: the file that a script delivers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spacediff.clip import Clip, LongClip


def export_to_video(clip: Clip | LongClip, path: Path, *, quality: float) -> None:
    """Write an MP4 as `diffusers.utils.export_to_video` does for PIL frames.

    The same writer with the same arguments (imageio, H.264, `macro_block_size=16`: other sizes are scaled up to
    multiples of 16), without importing diffusers. That it scales is not logged: the user's script did, where it does.

    Args:
        clip: The frames and their rate.
        path: The file to write; it ends in `.mp4`.
        quality: imageio's 0 (worst) to 10.
    """
    import imageio

    with (
        _only_errors(logging.getLogger("imageio_ffmpeg")),
        imageio.get_writer(path, fps=float(clip.fps), quality=quality, macro_block_size=16) as writer,
    ):
        for frame in clip.frames:
            writer.append_data(frame)


@contextmanager
def _only_errors(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
