"""Metrics: the difference between two frames. To add one, write a `Metric` and add it to `METRICS` or `OPTIONAL`.

The key insight is that one reference is compared with many candidates: what a metric needs from the reference frame is
computed once and shared by all candidates, frame by frame, so memory does not grow with the length of the clip.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from spacediff.errors import MissingPackage
from spacediff.metrics.flip import FLIP
from spacediff.metrics.metric import Comparer, Metric
from spacediff.metrics.perceptual import LPIPS
from spacediff.metrics.pixel import MAE, PSNR, SSIM

__all__ = ["METRICS", "OPTIONAL", "Comparer", "Metric", "metrics_named", "select_metrics"]

METRICS: tuple[Metric, ...] = (MAE, PSNR, SSIM, LPIPS)
"""Metrics that are always measured, in order of display."""

OPTIONAL: tuple[Metric, ...] = (FLIP,)
"""Metrics that are measured on request."""


def select_metrics(further: Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics that are always measured and the requested ones, in order of display.

    Raises:
        SpacediffError: A requested metric needs a package that is not installed.
    """
    found = metrics_named({*(metric.name for metric in METRICS), *further})
    for metric in found:
        if metric.package and find_spec(metric.package.replace("-", "_")) is None:
            raise MissingPackage(
                f"{metric.info.title} needs the package {metric.package}", hint=f"pip install {metric.package}"
            )
    return found


def metrics_named(names: Iterable[object]) -> tuple[Metric, ...]:
    """Return the metrics with these names, in order of display; unknown names, such as other columns, are ignored."""
    known = set(names)
    return tuple(metric for metric in (*METRICS, *OPTIONAL) if metric.name in known)
