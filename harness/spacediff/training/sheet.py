"""Draw clips as one picture with captions; `python -m spacediff.training.sheet FILE.png` draws the tiny world."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.world import MOTIONS, draw_clip, scenes
from spacediff.training.arguments import new_file

_EVERY = 4  # frames
_TEXT_HEIGHT = 14  # pixels
_SEED = 7


def write_sheet(path: Path, clips: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> None:
    """Write every fourth frame of each clip as one PNG, two clips per row.

    Args:
        path: The PNG to write.
        clips: Each uint8 `[T, H, W, 3]`, all of the same size.
        captions: One caption per clip.
    """
    import cv2

    tiles = []
    for clip, caption in zip(clips, captions, strict=True):
        row = np.concatenate([_with_gap(frame) for frame in clip[::_EVERY]], axis=1)
        text = np.full((_TEXT_HEIGHT, row.shape[1], 3), 255, np.uint8)
        cv2.putText(text, caption, (2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(np.pad(np.concatenate([text, row]), ((0, 4), (0, 6), (0, 0)), constant_values=255))
    if len(tiles) % 2:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.concatenate(pair, axis=1) for pair in zip(tiles[::2], tiles[1::2], strict=True)]
    written, data = cv2.imencode(".png", np.concatenate(rows)[..., ::-1])
    assert written  # noqa: S101 - any array of bytes can be encoded as PNG
    path.write_bytes(data.tobytes())


def _with_gap(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add the gap to the next frame."""
    return np.pad(frame, ((0, 0), (0, 2), (0, 0)), constant_values=255)


def main() -> None:
    """Write two clips of each motion, drawn as for the training."""
    parser = argparse.ArgumentParser(prog="python -m spacediff.training.sheet", description=main.__doc__)
    parser.add_argument("picture", type=new_file, help="the PNG to write")
    options = parser.parse_args()
    some = [
        scene
        for motion in MOTIONS
        for scene in itertools.islice((s for s in scenes(_SEED, held_out=False) if s.motion == motion), 2)
    ]
    clips = [draw_clip(scene, np.random.default_rng([_SEED, number])) for number, scene in enumerate(some)]
    write_sheet(options.picture, clips, [scene.caption for scene in some])


if __name__ == "__main__":
    main()
