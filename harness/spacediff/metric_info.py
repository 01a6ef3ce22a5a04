"""What a reader needs to know of a metric: part of the metric, and part of the audit record.

A plain dataclass in a module of its own, so that metrics need no pydantic and a report needs no metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class MetricInfo:
    """What a reader needs to know of a metric.

    Attributes:
        name: Short name, such as `psnr`.
        title: `PSNR`.
        unit: `dB`, `levels`, or empty.
        higher_is_closer: Whether a higher value means closer clips.
        about: One sentence with its source.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # as in every record

    name: str
    title: str
    unit: str
    higher_is_closer: bool
    about: str
