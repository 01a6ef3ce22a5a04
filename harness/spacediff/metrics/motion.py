"""Measures of a single clip (brightness, contrast, saturation, sharpness, motion), and where two clips diverge.

The key insight: a distance says that two clips differ, never how. "Washed out", "softer" or "it hardly moves" are
measures of each clip by itself, and their ratio gives the direction of the change. To add a measure, add a `Measure` to
`MEASURES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.clip.bands import bands
from spacediff.metric_info import MetricInfo

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = (
    6  # OpenCV is not repeatable to the last bit: the same frame, measured twice, may differ after the ninth digit
)
_BT709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
_DIS_SMALLEST = 32  # pixels; on some smaller pictures OpenCV's DIS crashes the process (opencv issue 14554)


class Picture:
    """A frame with the derived pictures that several measures need, each computed once.

    Before Python 3.12 a `cached_property` has one lock for all pictures, so that clips would wait for each other.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._luma: NDArray[np.float32] | None = None
        self._lab_means: NDArray[np.float64] | None = None
        self._for_flow: NDArray[np.uint8] | None = None

    @property
    def luma(self) -> NDArray[np.float32]:
        """BT.709 luma of the gamma-coded values, 0..255."""
        if self._luma is None:
            self._luma = np.empty(self.frame.shape[:2], np.float32)
            for rows in bands(self.frame):
                self._luma[rows] = cv2.transform(self.frame[rows].astype(np.float32), _BT709)
        return self._luma

    @property
    def lab_means(self) -> NDArray[np.float64]:
        """The means of a* (green to red), b* (blue to yellow) and chroma in CIELAB (D65), `[3]`."""
        if self._lab_means is None:
            sums = sum(_lab_sums(self.frame[rows]) for rows in bands(self.frame))
            self._lab_means = np.asarray(sums) / (self.frame.shape[0] * self.frame.shape[1])
        return self._lab_means

    @property
    def for_flow(self) -> NDArray[np.uint8]:
        """Luma in whole levels, uint8; padded by repeating the border if the picture is too small for the flow."""
        if self._for_flow is None:
            height, width = self.luma.shape
            below, right = max(0, _DIS_SMALLEST - height), max(0, _DIS_SMALLEST - width)
            whole = np.rint(self.luma).astype(np.uint8)
            self._for_flow = cv2.copyMakeBorder(whole, 0, below, 0, right, cv2.BORDER_REPLICATE)
        return self._for_flow

    def for_the_next(self) -> Picture:
        """Return the picture with no more than the one after it needs: what the flow is computed from."""
        kept = Picture(self.frame)
        kept._for_flow = self.for_flow
        return kept


def lab(frame: Frame) -> NDArray[np.float32]:
    """Convert a frame to CIELAB (D65), `[H, W, 3]`: lightness 0..100, a* from green to red, b* from blue to yellow."""
    converted: NDArray[np.float32] = cv2.cvtColor(frame.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)
    return converted


def _lab_sums(pixels: Frame) -> NDArray[np.float64]:
    """Sum a*, b* and chroma of pixels."""
    _, a, b = cv2.split(lab(pixels))
    return np.array([cv2.sumElems(each)[0] for each in (a, b, cv2.magnitude(a, b))])


@dataclass(frozen=True)
class Measure:
    """One registered measure of a clip.

    Attributes:
        info: Name, unit and source. No value is better than another.
        of: Takes a picture and the previous one (None for the first frame), returns the value of the measure.
        between: Whether the measure is defined between two frames, so that the first frame has no value and shows 0.
    """

    info: MetricInfo
    of: Callable[[Picture, Picture | None], float]
    between: bool = False


def _brightness(picture: Picture, _: Picture | None) -> float:
    return float(cv2.mean(picture.luma)[0])


def _contrast(picture: Picture, _: Picture | None) -> float:
    return _deviation(picture.luma)


def _deviation(image: NDArray[np.float32]) -> float:
    return float(cv2.meanStdDev(image)[1][0, 0])


def _saturation(picture: Picture, _: Picture | None) -> float:
    return float(picture.lab_means[2])


def _sharpness(picture: Picture, _: Picture | None) -> float:
    return _deviation(cv2.Laplacian(picture.luma, cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT)) ** 2


def _motion(picture: Picture, previous: Picture | None) -> float:
    if previous is None:
        return 0.0
    height, width = picture.luma.shape
    flow = _flow(previous.for_flow, picture.for_flow)[:height, :width]
    share = float(cv2.mean(cv2.magnitude(flow[..., 0], flow[..., 1]))[0]) / math.hypot(height, width)
    return 100 * share


def _flow(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the displacement of each pixel in pixels, x and y, float32 `[H, W, 2]`."""
    if np.array_equal(before, after):
        return np.zeros((*before.shape, 2), np.float32)
    dis: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow: NDArray[np.float32] = dis.calc(before, after, None)
    return flow


MEASURES: tuple[Measure, ...] = (
    Measure(
        MetricInfo(
            name="brightness",
            title="Brightness",
            unit="levels",
            higher_is_closer=False,
            about="Mean luma, with the weights of ITU-R BT.709 on the gamma-coded RGB values; 0 is black, 255 white.",
        ),
        _brightness,
    ),
    Measure(
        MetricInfo(
            name="contrast",
            title="Contrast",
            unit="levels",
            higher_is_closer=False,
            about="Standard deviation of luma (RMS contrast, Peli 1990, doi:10.1364/JOSAA.7.002032), in levels of 255.",
        ),
        _contrast,
    ),
    Measure(
        MetricInfo(
            name="saturation",
            title="Saturation",
            unit="C*ab",
            higher_is_closer=False,
            about="Mean chroma in CIELAB (D65, ISO/CIE 11664-4), the pixels' distance from grey; 0 is a grey picture.",
        ),
        _saturation,
    ),
    Measure(
        MetricInfo(
            name="sharpness",
            title="Sharpness",
            unit="levels²",
            higher_is_closer=False,
            about="Variance of the Laplacian of luma (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548); noise "
            "counts as sharpness, and a larger picture of the same thing is less sharp.",
        ),
        _sharpness,
    ),
    Measure(
        MetricInfo(
            name="motion",
            title="Motion",
            unit="% of the diagonal per frame",
            higher_is_closer=False,
            about="Mean length of the optical flow from the frame before (DIS, Kroeger et al. 2016, arXiv:1603.03590, "
            "OpenCV's ultrafast preset); the first frame has no previous one, shows 0 and is not counted.",
        ),
        _motion,
        between=True,
    ),
)
"""All measures, in order of display."""


class MeasuredFrames:
    """The frames of a clip, measured as they are read; they can be read once.

    Args:
        frames: Each uint8 `[H, W, 3]`, all of one size; two are in memory at a time.
        measures: What to measure.
    """

    def __init__(self, frames: Iterable[Frame], measures: Sequence[Measure] = MEASURES) -> None:
        self._frames = frames
        self._measures = measures
        self._rows: list[dict[str, float]] = []

    def __iter__(self) -> Iterator[Frame]:
        previous = None
        for frame in self._frames:
            picture = Picture(frame)
            self._rows.append({each.info.name: round(each.of(picture, previous), _DIGITS) for each in self._measures})
            previous = picture.for_the_next()
            yield frame

    @property
    def table(self) -> pd.DataFrame:
        """What has been read, with one row per frame and one column per measure."""
        import pandas as pd

        names = [each.info.name for each in self._measures]
        return pd.DataFrame(self._rows, columns=names, dtype=float).rename_axis("frame")


def measure(frames: Iterable[Frame], measures: Sequence[Measure] = MEASURES) -> pd.DataFrame:
    """Measure a clip; see `MeasuredFrames`.

    Args:
        frames: Each uint8 `[H, W, 3]`, all of one size.
        measures: What to measure.

    Returns:
        A table with one row per frame and one column per measure.
    """
    measured = MeasuredFrames(frames, measures)
    for _ in measured:
        pass
    return measured.table


def pooled_measure(table: pd.DataFrame, measure: Measure) -> float:
    """Average a measure over all frames where it is defined; 0 if there are none."""
    values = table[measure.info.name].to_numpy(dtype=float)[1 if measure.between else 0 :]
    return float(values.mean()) if len(values) else 0.0


def ratio(candidate: pd.DataFrame, reference: pd.DataFrame, measure: Measure) -> float | None:
    """Return candidate / reference of a pooled measure; None if it is 0 in the reference."""
    whole = pooled_measure(reference, measure)
    return pooled_measure(candidate, measure) / whole if whole else None


@dataclass(frozen=True)
class FirstDivergence:
    """When two clips diverge.

    Attributes:
        beyond_floor: First row whose error is larger than that of every frame of a re-run; None if there is none.
        half_way: First row whose error is at least half-way from there to the closest different seed; None if there is
            none, or if the closest different seed is no farther away than a re-run.
    """

    beyond_floor: int | None
    half_way: int | None


def first_divergence(errors: Sequence[float], floor: float, nearest_seed: float) -> FirstDivergence:
    """Find when two clips diverge: they may start equal and drift, or differ from the first frame on.

    Args:
        errors: One per compared frame, on a metric's error scale (0 for equal frames); NaN is never above a limit.
        floor: The largest error of any single frame of a re-run.
        nearest_seed: The smallest pooled error of the different seeds.
    """
    half = (floor + nearest_seed) / 2 if nearest_seed > floor else math.inf
    return FirstDivergence(
        beyond_floor=next((row for row, error in enumerate(errors) if error > floor), None),
        half_way=next((row for row, error in enumerate(errors) if error >= half), None),
    )
