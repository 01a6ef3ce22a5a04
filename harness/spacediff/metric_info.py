"""The description of a metric for readers, in the metric itself and in the audit's record.

It is a plain dataclass in a separate module, so that metrics need no pydantic and a report needs no metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

OptionalMetric: TypeAlias = Literal["flip"]
"""Names of the metrics that are measured on request."""


@dataclass(frozen=True)
class MetricInfo:
    """The description of a metric for readers.

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
