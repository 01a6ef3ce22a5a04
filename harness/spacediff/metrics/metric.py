"""Metric: the interface of the modules in this package, without heavy imports, so that scoring starts at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spacediff.clip import Frame
from spacediff.metric_info import MetricInfo

Comparer = Callable[[Frame], float]
"""Compares a candidate frame with a prepared reference frame of the same size, and returns the metric's value.

It may be called from several threads at once.
"""


@dataclass(frozen=True)
class Metric:
    """One registered metric.

    Attributes:
        info: Name, unit, direction and source.
        prepare: Takes the reference frame and returns a function that compares candidates with it. Raises
            NotMeasuredError if the frame is too small, or something that the metric needs is missing.
        error: Converts a pooled value to an error that is 0 for equal clips and grows with their difference; drift is
            measured on this scale.
        value: The inverse of `error`.
        package: The package that has to be installed for it; empty if every installation of spacediff has it.
        smallest_side: Smallest width and height of a frame, in pixels; the metric has no value for smaller frames.
    """

    info: MetricInfo
    prepare: Callable[[Frame], Comparer]
    error: Callable[[float], float]
    value: Callable[[float], float]
    package: str = ""
    smallest_side: int = 1

    def defined_for(self, frame: Frame) -> bool:
        """Whether a frame is large enough for this metric."""
        return all(side >= self.smallest_side for side in frame.shape[:2])

    @property
    def need(self) -> str:
        """A sentence that states the frame size that the metric needs."""
        return f"{self.info.title} needs at least {self.smallest_side}x{self.smallest_side} pixels"

    @property
    def name(self) -> str:
        """Short name, such as `psnr`."""
        return self.info.name


def same(value: float) -> float:
    """The error scale of a metric that is an error itself; it is its own inverse."""
    return value


def complement(value: float) -> float:
    """The error scale of a metric that is 1 for equal clips; it is its own inverse."""
    return 1 - value
