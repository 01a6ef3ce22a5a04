"""Metrics: what is measured between two frames. A metric is one `Metric` and its place in `METRICS`.

The key insight is that one reference is held against many candidates: what a metric needs of the reference frame is
prepared once and shared by all of them, frame after frame, so memory does not grow with the clip.
"""

from __future__ import annotations

from harness.metrics.metric import About, Comparer, Metric
from harness.metrics.perceptual import LPIPS
from harness.metrics.pixel import MAE, PSNR, SSIM

__all__ = ["METRICS", "About", "Comparer", "Metric"]

METRICS: tuple[Metric, ...] = (MAE, PSNR, SSIM, LPIPS)
"""All metrics, in order of display."""
