"""A listener that remembers what a source reports."""

from __future__ import annotations

from spacediff.progress import SilentListener


class RememberingListener(SilentListener):
    """Remembers texts and steps."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def on_status(self, text: str) -> None:
        self.texts.append(text)

    def on_step(self, done: int, total: int) -> None:
        self.steps.append((done, total))
