"""What is measured of a clip that has no partner: its pooled measures, and small pictures of it.

Clips of two groups share neither seed nor content, so nothing of them is compared pixel by pixel. Measures of single
clips give each clip one value; small pictures give each two clips a distance, which shows how alike they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.metric_info import MetricInfo
from spacediff.metrics.motion import MEASURES, Measure, lab, measure, pooled_measure

_MOMENTS = 8
"""Frames of a clip that stand for it in distances, spread evenly."""

_SIDE = 32
"""Pixels of a small picture, across and down."""


GROUP_MEASURES: tuple[Measure, ...] = (
    *MEASURES,
    Measure(
        MetricInfo(
            name="red-green",
            title="Red to green",
            unit="a*",
            higher_is_closer=False,
            about="Mean a* in CIELAB (D65, ISO/CIE 11664-4): above 0 the picture is reddish, below 0 greenish.",
        ),
        lambda picture, _: float(picture.lab_means[0]),
    ),
    Measure(
        MetricInfo(
            name="yellow-blue",
            title="Yellow to blue",
            unit="b*",
            higher_is_closer=False,
            about="Mean b* in CIELAB (D65, ISO/CIE 11664-4): above 0 the picture is yellowish, below 0 bluish.",
        ),
        lambda picture, _: float(picture.lab_means[1]),
    ),
)
"""Measures of a single clip by which groups are compared: those of every comparison, and two of the colour's tint."""

DIVERSITY = MetricInfo(
    name="diversity",
    title="Diversity",
    unit="ΔE*ab",
    higher_is_closer=False,
    about="Mean CIELAB distance (ΔE*ab, CIE 1976) of a clip from the others of its side, on "
    f"{_MOMENTS} of its frames at {_SIDE}x{_SIDE} pixels; a small value means that the side's clips look alike.",
)
"""How far the clips of a side are from one another."""

LIKENESS = MetricInfo(
    name="likeness",
    title="Distance from the reference's clips",
    unit="ΔE*ab",
    higher_is_closer=False,
    about="Mean CIELAB distance (ΔE*ab, CIE 1976) of a clip from those of the reference, on "
    f"{_MOMENTS} of its frames at {_SIDE}x{_SIDE} pixels; tested by the energy distance (Székely & Rizzo 2013, "
    "doi:10.1016/j.jspi.2013.03.018), which is sensitive to any difference.",
)
"""How far the two sides' clips are from each other, compared with how far they are among themselves."""


@dataclass(frozen=True, eq=False)
class ClipFeatures:
    """What is measured of one clip.

    Attributes:
        values: Name of a measure to its value, pooled over the frames; without motion where there is a single frame.
        small: Small pictures in CIELAB, float32 `[8, 32, 32, 3]`.
    """

    values: Mapping[str, float]
    small: NDArray[np.float32]


def features_of(frames: Iterable[Frame], *, size: tuple[int, int] | None = None, still: bool = False) -> ClipFeatures:
    """Measure a clip, two frames in memory at a time.

    Args:
        frames: Each uint8 `[H, W, 3]`, all of one size; at least one.
        size: Width and height in pixels to which each frame is scaled first; None for its own.
        still: Whether the frames are pictures, between which nothing moves.
    """
    small: list[NDArray[np.float32]] = []
    measures = [each for each in GROUP_MEASURES if not (still and each.between)]
    table = measure(_noted((_scaled(frame, size) for frame in frames), small), measures)
    values = {
        each.info.name: pooled_measure(table, each) for each in measures if not (each.between and len(table) == 1)
    }
    moments = np.linspace(0, len(small) - 1, _MOMENTS).round().astype(int)
    return ClipFeatures(values, np.stack([small[n] for n in moments]))


def _noted(frames: Iterable[Frame], small: list[NDArray[np.float32]]) -> Iterator[Frame]:
    for frame in frames:
        small.append(lab(_scaled(frame, (_SIDE, _SIDE))))
        yield frame


def _scaled(frame: Frame, size: tuple[int, int] | None) -> Frame:
    if size is None or size == frame.shape[1::-1]:
        return frame
    scaled: Frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return scaled


def distances(clips: Sequence[ClipFeatures]) -> NDArray[np.float64]:
    """Return how far each clip is from each other, `[N, N]`: the mean ΔE*ab of their small pictures."""
    found = np.zeros((len(clips), len(clips)))
    for n, clip in enumerate(clips):
        for m, other in enumerate(clips[:n]):
            found[n, m] = found[m, n] = np.linalg.norm(clip.small - other.small, axis=-1).mean()
    return found
