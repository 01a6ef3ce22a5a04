"""Semantic measures: how well each frame of a clip matches a text, so that "the hand is missing" is a number.

The key insight: what a picture shows is judged by itself, not against another picture. So a clip without a reference
still has a curve for "hand", and two clips whose pixels have nothing in common can be compared by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.record import Fact


@dataclass(frozen=True, eq=False)
class Agreement:
    """How well a clip matches some texts.

    Attributes:
        scores: float64 `[T, N]`, one row per frame, one column per text; higher is a better match.
        remarks: Notes for the reader, such as a text that was truncated.
    """

    scores: NDArray[np.float64]
    remarks: tuple[Fact, ...] = ()


class Semantic(Protocol):
    """A measure of what frames show."""

    @property
    def identity(self) -> str:
        """Everything except frames and texts that determines its values; available before anything large is loaded."""

    @property
    def version(self) -> str:
        """Version of the model, for the reader: a commit, or the SHA-256 of the files in a folder."""

    @property
    def about(self) -> str:
        """One sentence that describes the measure and names its source."""

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip.

        Args:
            frames: Frames, each uint8 `[H, W, 3]`, RGB; read once, a few in memory at a time.
            texts: The texts to score, exactly as given to the model.
            on_frame: Called with the number of finished frames.

        Raises:
            NotMeasuredError: The measure is unavailable on this machine.
        """

    def close(self) -> None:
        """Free what was loaded."""
