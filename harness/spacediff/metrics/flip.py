"""FLIP: the difference that a person sees when flipping between two pictures.

A pair of 480x720 frames takes about a quarter of a second, more than all other metrics together, so FLIP is measured
only on request.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.metric_info import MetricInfo
from spacediff.metrics.metric import Metric, same


def prepare_flip(reference: Frame) -> Callable[[Frame], float]:
    """Prepare the mean FLIP error, 0 to 1, as a function of the candidate frame."""
    from flip_evaluator import evaluate

    ours = _unit(reference)

    def distance(candidate: Frame) -> float:
        _, mean, _ = evaluate(ours, _unit(candidate), "LDR", inputsRGB=True, applyMagma=False)
        return float(mean)

    return distance


def _unit(frame: Frame) -> NDArray[np.float32]:
    return np.ascontiguousarray(frame, dtype=np.float32) / np.float32(255)


FLIP = Metric(
    MetricInfo(
        name="flip",
        title="FLIP",
        unit="",
        higher_is_closer=False,
        about="Mean LDR-FLIP (Andersson et al. 2020, doi:10.1145/3406183), the difference seen when flipping between "
        "two pictures at 67 pixels per degree; 0 is equal, 1 the largest.",
    ),
    prepare=prepare_flip,
    error=same,
    value=same,
    package="flip-evaluator",
)
