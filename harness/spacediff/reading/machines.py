"""The machine that a source runs on, as far as its settings depend on it: the accelerator that torch finds there.

The key insight is that a source asks its machine one question in many words: which accelerator is there? So a source is
read without an answer first. Only whoever knows the machine can answer, and only a source that asked is read again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from spacediff.devices import ACCELERATORS

NO_ACCELERATOR = "cpu"
"""In place of a type of accelerator, for a machine without one."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with at most one type of accelerator.

    Attributes:
        device: The type of its accelerator, by torch's name; `cpu` if it has none.
        name: What it is, for people.
        count: How many accelerators it has, if it has any.
    """

    device: str
    name: str
    count: int = 1

    @property
    def description(self) -> str:
        """What it is, with the device that it offers."""
        return f"{self.name} ({self.device})"


def possible_machines(asked: Collection[str]) -> list[Machine]:
    """Return one machine for each answer to what a source asks, that without an accelerator last.

    Args:
        asked: The types of accelerators whose presence the source asks for.
    """
    kinds = [*(kind for kind in ACCELERATORS if kind in asked), NO_ACCELERATOR]
    return [Machine(kind, "a machine") for kind in kinds]
