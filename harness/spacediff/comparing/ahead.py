"""Score in a thread while the next clips are generated: on an accelerator, that leaves the processors idle."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from spacediff.collecting import without_collecting
from spacediff.comparing.scores import Scores
from spacediff.metrics import Metric
from spacediff.metrics.scoring import measure
from spacediff.record import UNPAIRED, RunRecord

_BLACK, _WHITE = (np.full((64, 64, 3), level, np.uint8) for level in (0, 255))


class ScoringAhead:
    """Scores finished runs in a thread.

    Args:
        reference: Name of the reference's run.
        folder: The audit folder.
        metrics: What to measure.
    """

    def __init__(self, reference: str, folder: Path, metrics: tuple[Metric, ...]) -> None:
        self._reference = reference
        self._folder = folder
        self._metrics = metrics
        self._finished: queue.SimpleQueue[RunRecord | None] = queue.SimpleQueue()
        self._waiting: dict[str, list[RunRecord]] = {}
        self._scores: dict[str, Scores] = {}
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the thread, which first imports and loads what scoring needs."""
        work = contextvars.copy_context().run  # with the private texts of the audit
        self._thread = threading.Thread(target=work, args=(self._work,), name="scoring ahead", daemon=True)
        self._thread.start()

    def add(self, run: RunRecord) -> None:
        """Score a finished run as soon as there is time."""
        self._finished.put(run)

    def finish(self) -> Mapping[str, Scores]:
        """Wait for the pass in progress; return prompt to what was scored. What is missing is scored by the caller."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()
        return self._scores

    def cancel(self) -> None:
        """Begin no further pass."""
        self._finished.put(None)

    def _work(self) -> None:
        with suppress(Exception), without_collecting():  # whoever scores meets it again, and reports it
            measure([_BLACK], {"": [_WHITE]}, self._metrics)
        while (run := self._finished.get()) is not None:
            batch = [run]
            while not self._finished.empty():
                further = self._finished.get()
                if further is None:
                    return  # the rest is scored in one pass
                batch.append(further)
            for each in batch:
                self._waiting.setdefault(each.prompt, []).append(each)
            for prompt in self._waiting:
                self._score(prompt)

    def _score(self, prompt: str) -> None:
        runs = self._waiting[prompt]
        reference = next((run for run in runs if run.name == self._reference), None)
        candidates = [run for run in runs if run.name != self._reference and run.role not in UNPAIRED]
        with suppress(Exception):  # the comparison scores what is missing here, and reports what fails
            if prompt not in self._scores:
                if reference is None or reference.clip is None:
                    return
                self._scores[prompt] = Scores(reference, reference.clip, self._folder, self._metrics)
            self._waiting[prompt] = []
            if candidates:
                self._scores[prompt].add(candidates)
