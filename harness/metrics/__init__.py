"""Metrics: what is measured between two frames. A metric is one `Metric` and its line in `METRICS`.

The key insight is that one reference is held against many candidates: what a metric needs of the reference frame is
prepared once and shared by all of them, frame after frame, so memory does not grow with the clip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.clip import Frame
from harness.metrics import perceptual, pixel
from harness.record import MetricInfo

Comparer = Callable[[Frame], float]
"""A prepared reference frame: takes a candidate frame of the same size, returns the metric's value."""


@dataclass(frozen=True)
class Metric:
    """One registered metric.

    Attributes:
        info: Name, unit, direction and source.
        prepare: Takes the reference frame, returns what compares candidates with it; raises NotMeasuredError where
            the metric is not defined for such a frame.
        error: Turns a pooled value into an error that is 0 for equal clips and grows as they part; drift is
            measured on this scale.
        value: The inverse of `error`.
    """

    info: MetricInfo
    prepare: Callable[[Frame], Comparer]
    error: Callable[[float], float]
    value: Callable[[float], float]


def _same(value: float) -> float:
    return value


def _complement(value: float) -> float:
    return 1 - value


METRICS: tuple[Metric, ...] = (
    Metric(pixel.MAE, pixel.prepare_mae, _same, _same),
    Metric(pixel.PSNR, pixel.prepare_psnr, pixel.rmse_of_psnr, pixel.psnr_of_rmse),
    Metric(pixel.SSIM, pixel.prepare_ssim, _complement, _complement),
    Metric(perceptual.LPIPS, perceptual.prepare_lpips, _same, _same),
)
"""All metrics, in order of display."""
