"""Semantic measures: how far each frame of a clip agrees with a text, so that "the hand is missing" is a number.

The key insight: what a picture shows is judged by itself, not against another picture. So a clip without a reference
still has a curve for "hand", and two clips whose pixels have nothing in common can be held against each other by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far a clip agrees with some texts.

    Attributes:
        scores: float64 `[T, N]`, one row per frame, one column per text; higher agrees more.
        remarks: What the reader should know of them, such as a text that was cut.
    """

    scores: NDArray[np.float64]
    remarks: tuple[str, ...] = ()


class Semantic(Protocol):
    """A measure of what frames show."""

    @property
    def identity(self) -> str:
        """All that determines its values beside frames and texts; known before anything large is loaded."""

    @property
    def version(self) -> str:
        """Which version of the model it is, for the reader: a commit, or the SHA-256 of a folder's files."""

    @property
    def about(self) -> str:
        """One sentence with its source."""

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip.

        Args:
            frames: Frames, each uint8 `[H, W, 3]`, RGB; read once, a few in memory at a time.
            texts: What is asked for, as the measure is to read it.
            on_frame: Called with the number of frames done.

        Raises:
            NotMeasuredError: It cannot be had here.
        """

    def close(self) -> None:
        """Free what was loaded."""
