"""What the clips of groups show, by the model that the scenario names for it; without one, nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spacediff.comparing.failures import Failed, attempt
from spacediff.comparing.semantics import Look, Opened, open_measure
from spacediff.errors import MetricUnavailable, NotMeasuredError
from spacediff.metric_info import MetricInfo
from spacediff.plan import Plan
from spacediff.progress import Progress
from spacediff.record import Fact, FactKind, fact, quoted
from spacediff.run import Prompt


class Shown:
    """Measures what clips show; a context manager, which frees the model.

    Args:
        plan: Which model, and what it looks for.
        folder: The audit folder; what was measured is kept in it.
        progress: Receives the progress.
        opened: Opens the measure.
    """

    def __init__(self, plan: Plan, folder: Path, progress: Progress, *, opened: Opened = open_measure) -> None:
        self._asked = plan.semantics
        self._folder, self._progress, self._opened = folder, progress, opened
        self._open = ExitStack()
        self._look: Look | None = None
        self.notes: tuple[Fact, ...] = ()

    def __enter__(self) -> Self:
        if self._asked is not None:
            try:
                measure = self._open.enter_context(closing(self._opened(self._asked.model, self._asked.revision)))
                self._look = Look(measure, self._folder, self._progress)
            except NotMeasuredError as error:
                self.notes = (fact(FactKind.SAMPLES_CONTENTS_UNKNOWN, quoted(error.message)),)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def infos(self, prompt: Prompt) -> list[MetricInfo]:
        """Return a measure for each text that is asked of a prompt's clips."""
        if self._asked is None or self._look is None:
            return []
        about = self._look.measure.about
        return [
            MetricInfo(f"shows:{part}", f"Shows {part or 'the prompt'}", "", higher_is_closer=False, about=about)
            for part in self._asked.texts(prompt)
        ]

    def of(self, prompt: Prompt, name: str, file: Path) -> Mapping[str, float]:
        """Return how well a file's clip agrees with each text, its mean over the frames, by the measure's name.

        After a failure, which is a note, nothing more is asked.
        """
        if self._asked is None or self._look is None:
            return {}
        look, texts = self._look, self._asked.texts(prompt)
        found = attempt(lambda: _mean(look.at(file, list(texts.values()), name).scores))
        if isinstance(found, Failed):
            self._look, self.notes = None, (fact(FactKind.SAMPLES_CONTENTS_UNKNOWN, found.reason),)
            return {}
        return {f"shows:{part}": float(score) for part, score in zip(texts, found, strict=True)}


def _mean(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the frames of `[frames, texts]`; one that is no finite number is a failure."""
    means: NDArray[np.float64] = scores.mean(axis=0)
    if not np.isfinite(means).all():
        raise MetricUnavailable("the model gives a value that is no finite number")
    return means
