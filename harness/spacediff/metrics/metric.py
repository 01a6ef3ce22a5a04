"""Metric: what the files of this package define, free of heavy imports so that scoring two clips starts at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from spacediff.clip import Frame

if TYPE_CHECKING:
    from spacediff.record import MetricInfo

Comparer = Callable[[Frame], float]
"""A prepared reference frame: takes a candidate frame of the same size, returns the metric's value.

It may be called from several threads at once.
"""


class About(NamedTuple):
    """What a reader needs to know of a metric; the audit record says the same with its `MetricInfo`.

    Attributes:
        name: Short name, such as `psnr`.
        title: `PSNR`.
        unit: `dB`, `levels`, or empty.
        higher_is_closer: Whether a higher value means closer clips.
        about: One sentence with its source.
    """

    name: str
    title: str
    unit: str
    higher_is_closer: bool
    about: str


def nothing() -> None:
    """Prepare no thread."""


@dataclass(frozen=True)
class Metric:
    """One registered metric.

    Attributes:
        described: Name, unit, direction and source.
        prepare: Takes the reference frame, returns what compares candidates with it; raises NotMeasuredError where
            the frame is too small, or something that the metric needs is missing.
        error: Turns a pooled value into an error that is 0 for equal clips and grows as they part; drift is
            measured on this scale.
        value: The inverse of `error`.
        enter_thread: Called first in each of the threads that share the frames out among them.
        package: What has to be installed for it; empty when spacediff brings it along.
        smallest_side: Pixels that frames need in width and height; of smaller ones the metric has no value.
    """

    described: About | MetricInfo
    prepare: Callable[[Frame], Comparer]
    error: Callable[[float], float]
    value: Callable[[float], float]
    enter_thread: Callable[[], None] = nothing
    package: str = ""
    smallest_side: int = 1

    def defined_for(self, frame: Frame) -> bool:
        """Return whether a frame is large enough for it."""
        return all(side >= self.smallest_side for side in frame.shape[:2])

    @property
    def need(self) -> str:
        """What frames it needs, in words."""
        return f"{self.described.title} needs frames of at least {self.smallest_side}x{self.smallest_side} pixels"

    @property
    def name(self) -> str:
        """Short name, such as `psnr`."""
        return self.described.name

    @cached_property
    def info(self) -> MetricInfo:
        """What the audit record says of it."""
        from spacediff.record import MetricInfo

        return MetricInfo(**self.described._asdict()) if isinstance(self.described, About) else self.described


def same(value: float) -> float:
    """The error scale of a metric that is an error itself."""
    return value


def complement(value: float) -> float:
    """The error scale of a metric that is 1 for equal clips; it is its own inverse."""
    return 1 - value
