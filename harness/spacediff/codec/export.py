"""What `diffusers.utils.export_to_video` writes: the file that a script delivers."""

from __future__ import annotations

from pathlib import Path

from spacediff.clip import Clip


def export_to_video(clip: Clip, path: Path, *, quality: float) -> None:
    """Write an MP4 as `diffusers.utils.export_to_video` does for PIL frames.

    The same writer with the same arguments (imageio, H.264, `macro_block_size=16`: other sizes are scaled up to
    multiples of 16), without importing diffusers.

    Args:
        clip: The frames and their rate.
        path: The file to write; it ends in `.mp4`.
        quality: imageio's 0 (worst) to 10.
    """
    import imageio

    with imageio.get_writer(path, fps=float(clip.fps), quality=quality, macro_block_size=16) as writer:
        for frame in clip.frames:
            writer.append_data(frame)
