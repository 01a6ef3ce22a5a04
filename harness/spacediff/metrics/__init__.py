"""Metrics: what is measured between two frames. A metric is one `Metric` and its place in `METRICS` or `OPTIONAL`.

The key insight is that one reference is held against many candidates: what a metric needs of the reference frame is
prepared once and shared by all of them, frame after frame, so memory does not grow with the clip.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from spacediff.errors import MissingPackage
from spacediff.metrics.flip import FLIP
from spacediff.metrics.metric import About, Comparer, Metric
from spacediff.metrics.perceptual import LPIPS
from spacediff.metrics.pixel import MAE, PSNR, SSIM

__all__ = ["METRICS", "OPTIONAL", "About", "Comparer", "Metric", "chosen", "metrics_named"]

METRICS: tuple[Metric, ...] = (MAE, PSNR, SSIM, LPIPS)
"""What is always measured, in order of display."""

OPTIONAL: tuple[Metric, ...] = (FLIP,)
"""What is measured when it is asked for."""


def chosen(further: Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics that are always measured and those asked for, in order of display.

    Raises:
        SpacediffError: One of them needs a package that is not installed.
    """
    found = metrics_named([*(metric.name for metric in METRICS), *further])
    for metric in found:
        if metric.package and find_spec(metric.package.replace("-", "_")) is None:
            raise MissingPackage(
                f"{metric.described.title} needs the package {metric.package}", hint=f"pip install {metric.package}"
            )
    return found


def metrics_named(names: Iterable[object]) -> tuple[Metric, ...]:
    """Return the metrics of these names, such as the columns of a table of scores, in order of display."""
    wanted = set(names)
    return tuple(metric for metric in (*METRICS, *OPTIONAL) if metric.name in wanted)
