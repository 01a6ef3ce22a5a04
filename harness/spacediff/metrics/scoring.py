"""Score many candidates against one reference, frame by frame; each reference frame is prepared once.

The key insight is that decoding, OpenCV and PyTorch release the interpreter lock while they work, so threads keep every
processor busy: streams are read a few frames ahead, each by one thread at a time, while other threads score.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.metrics import METRICS, Comparer, Metric
from spacediff.metrics.pixel import psnr_of_mse, rmse_of_psnr

if TYPE_CHECKING:
    import pandas as pd

Values = dict[str, float]
"""Metric name to value."""

_MOST_THREADS = 8  # each thread keeps frames in memory, and with more of them reading the streams is the bottleneck


def score(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
) -> dict[str, pd.DataFrame]:
    """Measure as `measure` does, and return tables with a row per frame and a column per metric."""
    import pandas as pd

    measured = measure(reference, candidates, metrics, on_frame)
    return {name: pd.DataFrame(values).rename_axis("frame") for name, values in measured.items()}


def measure(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Measure candidates against a reference.

    Frames are compared in the given order, up to the end of the shorter clip; the caller aligns them. Memory is bounded
    by a few frames of each clip.

    Args:
        reference: Frames, each uint8 `[H, W, 3]`. Like the candidates they are read in another thread.
        candidates: Name to frames of the same size.
        metrics: What to measure.
        on_frame: Called with the number of finished reference frames.

    Returns:
        For each candidate and metric one value per frame; NaN if frames are too small for a metric.

    Raises:
        NotMeasuredError: A stream ends with an error, or something that a metric needs is missing.
    """

    def enter_thread() -> None:
        for metric in metrics:
            metric.enter_thread()

    rows: dict[str, list[Values]] = {name: [] for name in candidates}
    threads = min(_processors(), _MOST_THREADS)
    with ThreadPoolExecutor(threads, "scoring", enter_thread) as pool:
        steps = _steps(pool, reference, candidates, metrics)
        for number, step in enumerate(_delayed(steps, 1 + threads // max(len(candidates), 1))):
            for name, values in step.items():
                rows[name].append(values.result())
            on_frame(number + 1)
    return {
        name: {metric.name: np.array([values[metric.name] for values in table], float) for metric in metrics}
        for name, table in rows.items()
    }


_Step = dict[str, Future[Values]]
"""Measurements in progress for one reference frame: candidate to its values."""


def _steps(
    pool: ThreadPoolExecutor,
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: Sequence[Metric],
) -> Iterator[_Step]:
    """Start the measurements frame by frame; the frames of the next step are read at the same time."""
    stream, streams = iter(reference), {name: iter(frames) for name, frames in candidates.items()}

    def read() -> tuple[Future[Frame | None], dict[str, Future[Frame | None]]]:
        return pool.submit(next, stream, None), {name: pool.submit(next, s, None) for name, s in streams.items()}

    reading, theirs = read()
    while streams and (ours := reading.result()) is not None:
        found = {name: frame for name, future in theirs.items() if (frame := future.result()) is not None}
        streams = {name: streams[name] for name in found}
        prepared = pool.submit(_prepared, metrics, ours)
        reading, theirs = read()
        yield {name: pool.submit(_compared, prepared, frame) for name, frame in found.items()}


def _prepared(metrics: Sequence[Metric], reference: Frame) -> Callable[[Frame], Values]:
    comparers = {metric.name: _prepare(metric, reference) for metric in metrics}
    return lambda candidate: {name: compare(candidate) for name, compare in comparers.items()}


def _prepare(metric: Metric, frame: Frame) -> Comparer:
    return metric.prepare(frame) if metric.defined_for(frame) else lambda _: float("nan")


def _compared(prepared: Future[Callable[[Frame], Values]], candidate: Frame) -> Values:
    return prepared.result()(candidate)  # submitted earlier, so it is finished or running


def _delayed(steps: Iterator[_Step], count: int) -> Iterator[_Step]:
    """Yield each step once `count` later ones have been started."""
    started: deque[_Step] = deque()
    for step in steps:
        started.append(step)
        if len(started) > count:
            yield started.popleft()
    yield from started


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pooled(table: pd.DataFrame | Mapping[str, NDArray[np.float64]], metric: Metric) -> float:
    """Pool a metric over all frames: the mean; for PSNR, the PSNR of the mean squared error."""
    values = np.asarray(table[metric.name], dtype=float)
    if metric.name == "psnr":
        return psnr_of_mse(float(np.mean([rmse_of_psnr(value) ** 2 for value in values])))
    return float(values.mean())


def worst_frame(table: pd.DataFrame | Mapping[str, NDArray[np.float64]], metric: Metric) -> int:
    """Return the row with the largest difference by a metric; the first of equal rows."""
    values = np.asarray(table[metric.name], dtype=float)
    return int(np.argmin(values) if metric.info.higher_is_closer else np.argmax(values))
