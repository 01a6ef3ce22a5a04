"""Score many candidates against one reference, frame by frame, each reference frame prepared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from harness.clip import Frame
from harness.errors import NotMeasuredError
from harness.metrics import METRICS, Comparer, Metric
from harness.metrics.pixel import psnr_of_mse, rmse_of_psnr


def score(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
) -> dict[str, pd.DataFrame]:
    """Score candidates against a reference.

    Frames are held against each other in the order given, as far as both go; aligning them is the caller's decision.
    Memory is bounded by one frame of each clip.

    Args:
        reference: Frames, each uint8 `[H, W, 3]`.
        candidates: Name to frames of the same size.
        metrics: What to measure.
        on_frame: Called with the number of reference frames done.

    Returns:
        For each candidate a table with a row per frame and a column per metric, NaN where a metric is not defined
        for such frames.
    """
    streams = {name: iter(frames) for name, frames in candidates.items()}
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in streams}
    for number, frame in enumerate(reference):
        prepared = {metric.info.name: _prepare(metric, frame) for metric in metrics}
        for name, stream in list(streams.items()):
            candidate = next(stream, None)
            if candidate is None:
                del streams[name]
                continue
            rows[name].append({metric: compare(candidate) for metric, compare in prepared.items()})
        on_frame(number + 1)
        if not streams:
            break
    columns = [metric.info.name for metric in metrics]
    return {name: pd.DataFrame(table, columns=columns).rename_axis("frame") for name, table in rows.items()}


def pooled(table: pd.DataFrame, metric: Metric) -> float:
    """Return a metric over all frames: the mean, except PSNR, which is that of the mean squared error."""
    values = table[metric.info.name].to_numpy(dtype=float)
    if metric.info.name == "psnr":
        return psnr_of_mse(float(np.mean([rmse_of_psnr(value) ** 2 for value in values])))
    return float(values.mean())


def worst_frame(table: pd.DataFrame, metric: Metric) -> int:
    """Return the row in which a metric shows the greatest distance; the first of equals."""
    values = table[metric.info.name].to_numpy(dtype=float)
    return int(np.argmin(values) if metric.info.higher_is_closer else np.argmax(values))


def _prepare(metric: Metric, frame: Frame) -> Comparer:
    try:
        return metric.prepare(frame)
    except NotMeasuredError:
        return lambda _: float("nan")
