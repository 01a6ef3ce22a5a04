"""Score many candidates against one reference, frame by frame; each reference frame is prepared once.

The key insight is that decoding, OpenCV and numpy release the interpreter lock while they work, so threads keep every
processor busy: streams are read a few frames ahead, each by one thread at a time, while other threads score.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.clip.bands import is_large
from spacediff.freed_memory import return_freed_memory
from spacediff.metrics import METRICS, Comparer, Metric
from spacediff.metrics.callers_threads import computing_in_callers
from spacediff.metrics.pixel import SSIM, psnr_of_mse, rmse_of_psnr
from spacediff.metrics.tiles import Tile, worst_tile

if TYPE_CHECKING:
    import pandas as pd

    from spacediff.metrics.ssim_map import MapTile

Values = dict[str, float]
"""Metric name to value."""

_MOST_THREADS = 8  # each thread keeps frames in memory, and with more of them reading the streams is the bottleneck
_MOST_PIXELS = 4_000_000
"""Pixels of the pairs of frames that are compared at once, of which at least one is: LPIPS takes more than 100 bytes
for each. Eleven pairs of 480x720 pixels are below it."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of a candidate.

    Attributes:
        per_frame: Metric name to one value per frame; NaN if frames are too small for a metric.
        map_tiles: One tile of the SSIM map per frame; empty where no maps were asked for, or frames are too small.
        worst: The tile that differs most, in the first of equal frames; None where none was asked for or no pixel
            differs.
    """

    per_frame: dict[str, NDArray[np.float64]]
    map_tiles: tuple[MapTile, ...] = ()
    worst: Tile | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The values, with a row per frame and a column per metric."""
        import pandas as pd

        return pd.DataFrame(self.per_frame).rename_axis("frame")


def score(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
) -> dict[str, pd.DataFrame]:
    """Measure as `measure` does, and return tables with a row per frame and a column per metric."""
    measured = measure_clips(reference, candidates, metrics)
    return {name: each.table for name, each in measured.items()}


def measure(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Measure candidates against a reference; see `measure_clips`.

    Returns:
        For each candidate and metric one value per frame; NaN if frames are too small for a metric.
    """
    measured = measure_clips(reference, candidates, metrics, on_frame)
    return {name: each.per_frame for name, each in measured.items()}


def measure_clips(
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    metrics: tuple[Metric, ...] = METRICS,
    on_frame: Callable[[int], None] = lambda _: None,
    *,
    mapped: bool = False,
    tiled: bool = False,
    large: bool = False,
) -> dict[str, Measured]:
    """Measure candidates against a reference, and where they differ.

    Frames are compared in the given order, up to the end of the shorter clip; the caller aligns them. Memory is bounded
    by a few frames of each clip. Frames that are equal, byte for byte, have no error by the definition of every metric,
    so nothing is computed for them.

    Args:
        reference: Frames, each uint8 `[H, W, 3]`. Like the candidates they are read in another thread.
        candidates: Name to frames of the same size.
        metrics: What to measure.
        on_frame: Called with the number of finished reference frames.
        mapped: Whether to make SSIM maps.
        tiled: Whether to find the tile that differs most.
        large: Whether frames are so large that one thing after the other is done with them.

    Raises:
        NotMeasuredError: A stream ends with an error, or something that a metric needs is missing.
    """
    rows: dict[str, list[_Compared]] = {name: [] for name in candidates}
    threads = 1 if large else min(processors(), _MOST_THREADS)
    with computing_in_callers(), ThreadPoolExecutor(threads, "scoring") as pool:
        steps = _steps(
            pool, reference, candidates, lambda frame: _ReferenceFrame(frame, metrics, mapped=mapped, tiled=tiled)
        )
        for number, step in enumerate(_delayed(steps, 1 + threads // max(len(candidates), 1))):
            for name, compared in step.items():
                rows[name].append(compared.result())
            on_frame(number + 1)
    return {
        name: Measured(
            {metric.name: np.array([pair.scores[metric.name] for pair in pairs], float) for metric in metrics},
            tuple(pair.map_tile for pair in pairs if pair.map_tile is not None),
            _worst_of(pairs),
        )
        for name, pairs in rows.items()
    }


@dataclass(frozen=True, eq=False)
class _Compared:
    """What was measured of a pair of frames: its scores, its tile of the map, and the tile that differs most."""

    scores: Values
    map_tile: MapTile | None = None
    worst: Tile | None = None


def _worst_of(pairs: Sequence[_Compared]) -> Tile | None:
    """Return the worst tile of all pairs with the number of its pair; None where there is none that differs."""
    found = [replace(pair.worst, frame=number) for number, pair in enumerate(pairs) if pair.worst is not None]
    return max(found, key=lambda tile: tile.error, default=None)


_Step = dict[str, Future[_Compared]]
"""Measurements in progress for one reference frame: candidate to what is measured."""


def _steps(
    pool: ThreadPoolExecutor,
    reference: Iterable[Frame],
    candidates: Mapping[str, Iterable[Frame]],
    prepared: Callable[[Frame], _ReferenceFrame],
) -> Iterator[_Step]:
    """Start the measurements frame by frame; the frames of the next step are read at the same time."""
    stream, streams = iter(reference), {name: iter(frames) for name, frames in candidates.items()}

    def read() -> tuple[Future[Frame | None], dict[str, Future[Frame | None]]]:
        return pool.submit(next, stream, None), {name: pool.submit(next, s, None) for name, s in streams.items()}

    running: list[Future[_Compared]] = []
    reading, theirs = read()
    while streams and (ours := reading.result()) is not None:
        found = {name: frame for name, future in theirs.items() if (frame := future.result()) is not None}
        streams = {name: streams[name] for name in found}
        compare = prepared(ours).compare
        most = max(_MOST_PIXELS // (ours.shape[0] * ours.shape[1]), 1)
        reading, theirs = read()
        step: _Step = {}
        for name, frame in found.items():
            running = [each for each in running if not each.done()]
            if len(running) >= most:
                wait(running, return_when=FIRST_COMPLETED)
            step[name] = pool.submit(compare, frame)
            running.append(step[name])
        yield step


class _ReferenceFrame:
    """A frame of the reference; what the metrics need of it is computed for the first candidate that differs.

    Args:
        frame: The frame, uint8 `[H, W, 3]`.
        metrics: What to measure.
        mapped: Whether to make maps.
        tiled: Whether to find the tile that differs most.
    """

    def __init__(self, frame: Frame, metrics: Sequence[Metric], *, mapped: bool, tiled: bool) -> None:
        self._frame = frame
        self._metrics = metrics
        self._mapped = mapped and SSIM in metrics and SSIM.defined_for(frame)
        self._tiled = tiled
        self._lock = threading.Lock()
        self._comparer: Callable[[Frame], tuple[Values, MapTile | None]] | None = None

    def compare(self, candidate: Frame) -> _Compared:
        """Compare a frame of a candidate; called from several threads."""
        if np.array_equal(self._frame, candidate):
            return self._equal()
        with self._lock:
            if self._comparer is None:
                self._comparer = self._prepared()
        values, map_tile = self._comparer(candidate)
        if is_large(*candidate.shape[:2]):
            return_freed_memory()
        return _Compared(values, map_tile, worst_tile(self._frame, candidate) if self._tiled else None)

    def _equal(self) -> _Compared:
        values = {m.name: m.value(0.0) if m.defined_for(self._frame) else math.nan for m in self._metrics}
        if not self._mapped:
            return _Compared(values)
        from spacediff.metrics.ssim_map import tile_of_equal_frames

        return _Compared(values, tile_of_equal_frames(self._frame))

    def _prepared(self) -> Callable[[Frame], tuple[Values, MapTile | None]]:
        comparers = {metric.name: _prepare(metric, self._frame) for metric in self._metrics if not self._maps(metric)}
        if not self._mapped:
            return lambda candidate: ({name: compare(candidate) for name, compare in comparers.items()}, None)
        from spacediff.metrics.ssim_map import prepare_tile

        with_tile = prepare_tile(self._frame)

        def compared(candidate: Frame) -> tuple[Values, MapTile | None]:
            ssim, tile = with_tile(candidate)
            return {SSIM.name: ssim} | {name: compare(candidate) for name, compare in comparers.items()}, tile

        return compared

    def _maps(self, metric: Metric) -> bool:
        return self._mapped and metric is SSIM


def _prepare(metric: Metric, frame: Frame) -> Comparer:
    return metric.prepare(frame) if metric.defined_for(frame) else lambda _: math.nan


def _delayed(steps: Iterator[_Step], count: int) -> Iterator[_Step]:
    """Yield each step once `count` later ones have been started."""
    started: deque[_Step] = deque()
    for step in steps:
        started.append(step)
        if len(started) > count:
            yield started.popleft()
    yield from started


def processors() -> int:
    """Return how many processors this process may use."""
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
