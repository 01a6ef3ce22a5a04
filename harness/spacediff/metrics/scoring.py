"""Score many candidates against one reference, frame by frame, each reference frame prepared once.

The key insight is that decoding, OpenCV and PyTorch all let go of the interpreter while they work, so plain threads
keep every processor busy: streams are read a few frames ahead, each by one thread at a time, while others score.
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

_MOST_THREADS = 8  # every further thread holds frames, and reading the streams is what takes the time by then


def score(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
) -> dict[str, pd.DataFrame]:
    """Return what `measure` returns as tables with a row per frame and a column per metric."""
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

    Frames are held against each other in the order given, as far as both go; aligning them is the caller's decision.
    Memory is bounded by a few frames of each clip.

    Args:
        reference: Frames, each uint8 `[H, W, 3]`. Like the candidates they are asked for in another thread.
        candidates: Name to frames of the same size.
        metrics: What to measure.
        on_frame: Called with the number of reference frames done.

    Returns:
        For each candidate and metric the value per frame, NaN where frames are too small for a metric.

    Raises:
        NotMeasuredError: A stream breaks off, or something that a metric needs is missing.
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
"""What is being measured on one reference frame: candidate to its values."""


def _steps(
    pool: ThreadPoolExecutor,
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: Sequence[Metric],
) -> Iterator[_Step]:
    """Start measuring frame after frame; the next step's frames are being read meanwhile."""
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
    return prepared.result()(candidate)  # submitted earlier, so it is done or under way


def _delayed(steps: Iterator[_Step], count: int) -> Iterator[_Step]:
    """Yield each step once `count` further ones are under way."""
    under_way: deque[_Step] = deque()
    for step in steps:
        under_way.append(step)
        if len(under_way) > count:
            yield under_way.popleft()
    yield from under_way


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pooled(table: pd.DataFrame | Mapping[str, NDArray[np.float64]], metric: Metric) -> float:
    """Return a metric over all frames: the mean, except PSNR, which is that of the mean squared error."""
    values = np.asarray(table[metric.name], dtype=float)
    if metric.name == "psnr":
        return psnr_of_mse(float(np.mean([rmse_of_psnr(value) ** 2 for value in values])))
    return float(values.mean())


def worst_frame(table: pd.DataFrame | Mapping[str, NDArray[np.float64]], metric: Metric) -> int:
    """Return the row in which a metric shows the greatest distance; the first of equals."""
    values = np.asarray(table[metric.name], dtype=float)
    return int(np.argmin(values) if metric.described.higher_is_closer else np.argmax(values))
