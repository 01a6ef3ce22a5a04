"""Report the steps of a pipeline as progress, and stop between two steps on an interrupt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from spacediff.interrupts import raise_if_interrupted
from spacediff.progress import Progress


class _Steps:
    """Replaces the progress bar of diffusers, so that every pipeline reports its steps."""

    def __init__(self, progress: Progress, total: int, items: Any = None) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._items = items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def update(self, count: int = 1) -> None:
        raise_if_interrupted()
        self._done += count
        self._progress.on_step(self._done, self._total)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None  # set_postfix and the like


def steps_to(progress: Progress) -> Callable[..., _Steps]:
    """Return a replacement for a pipeline's `progress_bar` that reports every step.

    Some pipelines have a `progress_bar` of their own, which also takes how the bar looks: Marigold's `desc`, `leave`.
    """

    def progress_bar(iterable: Any = None, total: int | None = None, **_look: object) -> _Steps:
        return _Steps(progress, total if total is not None else len(iterable), iterable)

    return progress_bar
