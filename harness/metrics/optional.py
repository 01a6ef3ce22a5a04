"""Metrics whose package spacediff does not require: measured where it is installed, never missed where it is not."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from harness.clip import Frame
from harness.errors import NotMeasuredError
from harness.metrics import Metric
from harness.record import MetricInfo

FLIP = MetricInfo(
    name="flip",
    title="FLIP",
    unit="",
    higher_is_closer=False,
    about="Mean LDR-FLIP (Andersson et al. 2020, doi:10.1145/3406183), the difference seen when flipping between two "
    "pictures at 67 pixels per degree; 0 is equal, 1 the largest. Needs the package flip-evaluator.",
)

_PACKAGE = "flip_evaluator"


def prepare_flip(reference: Frame) -> Callable[[Frame], float]:
    """Return the mean FLIP error as a function of the candidate frame.

    Raises:
        NotMeasuredError: The package is not installed, or does not work here.
    """
    try:
        evaluate = import_module(_PACKAGE).evaluate
    except ImportError as error:
        raise NotMeasuredError(
            f"FLIP needs the package flip-evaluator: {error}", hint="pip install flip-evaluator"
        ) from error
    ours = _unit(reference)

    def distance(candidate: Frame) -> float:
        _, mean, _ = evaluate(ours, _unit(candidate), "LDR", inputsRGB=True, applyMagma=False)
        return float(mean)

    return distance


def _unit(frame: Frame) -> NDArray[np.float32]:
    return np.ascontiguousarray(frame, dtype=np.float32) / np.float32(255)


def _same(value: float) -> float:
    return value


def optional_metrics() -> tuple[Metric, ...]:
    """Return the metrics whose packages are installed."""
    return (Metric(FLIP, prepare_flip, _same, _same),) if find_spec(_PACKAGE) else ()
