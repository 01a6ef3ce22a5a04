"""The pictures that a decoder yields, as one digest, however the decoding was cut into pieces.

The key insight: pipelines decode some frames at a time, or a clip along its time, to save memory. So the digest is
computed over the frames in their order, and its count and shape are added at the end. A decoded clip may fill
gigabytes while the decoder still holds its own, so a frame at a time is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .digest_length import DIGITS

if TYPE_CHECKING:
    import torch

_VIDEO = 5  # dimensions: [B, C, T, H, W], or [B, T, C, H, W]
_COLOURS = 3


class Decoded:
    """Adds up the pieces that a decoder yields.

    Attributes:
        nonfinite: Number of values so far that are infinite or not a number.
    """

    def __init__(self) -> None:
        self.nonfinite = 0
        self._bytes = hashlib.sha256()
        self._kinds: list[str] = []
        self._frames = 0

    def add(self, piece: torch.Tensor) -> None:
        """Add a piece: frames `[N, C, H, W]`, or a video `[B, C, T, H, W]`, of any float dtype.

        Besides the piece, some copies of one of its frames are in memory.
        """
        import torch

        for view in _frames(piece.detach()):
            frame = view.cpu().contiguous()
            self.nonfinite += int((~torch.isfinite(frame)).sum())
            self._bytes.update(frame.reshape(-1).view(torch.uint8).numpy().data)
            kind = f"{frame.dtype} {tuple(frame.shape)}"
            if kind not in self._kinds:
                self._kinds.append(kind)
            self._frames += 1

    @property
    def digest(self) -> str:
        """The digest of all frames so far, with their dtype, shape and count."""
        whole = self._bytes.copy()
        whole.update(f"{self._frames} {' '.join(self._kinds)}".encode())
        return whole.hexdigest()[:DIGITS]


def _frames(piece: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the frames of a piece, of each video the time before the colours."""
    if piece.ndim != _VIDEO:
        yield from piece if piece.ndim > 1 else piece.reshape(1, -1)
        return
    time_first = piece.shape[2] == _COLOURS and piece.shape[1] != _COLOURS
    for video in piece if time_first else piece.transpose(1, 2):
        yield from video
