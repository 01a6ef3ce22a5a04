"""What a comparison of two sources finds, as data: the settings that differ, and how much of each side was read."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.catalogue.lookup import Cause
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.effects import Effect

SCRIPT, SPACE = "the script", "the Space"
UNSET = Setting("not set", Origin.DEFAULT, "the checkpoint or the library decides")
"""The value of a setting that neither a source nor a known default sets."""


@dataclass(frozen=True)
class SideRead:
    """How much of one side was read.

    Attributes:
        name: `the script` or `the Space`.
        read: Number of settings that it gives and whose values are known.
        not_read: Paths of the settings whose values are not known there.
        undecided: Why what was read is not enough to say that nothing differs, one sentence each.
        call_is_unknown: Whether it gives its pipeline arguments, and none of them is known.
    """

    name: str
    read: int
    not_read: tuple[str, ...]
    undecided: tuple[str, ...]
    call_is_unknown: bool

    @property
    def total(self) -> int:
        """Number of settings, known or not."""
        return self.read + len(self.not_read)


@dataclass(frozen=True)
class SourceDifference:
    """A setting that differs between the two sources, or may differ.

    Attributes:
        path: Dotted path.
        left: Its value in the script, defaults included.
        right: Its value in the Space, defaults included.
        known: What is known about such a difference; None if nothing is.
        unread: The side that does not give it and whose checkpoint or class, which then decides, could not be read;
            empty otherwise. The other side's value may be the same.
    """

    path: str
    left: Setting
    right: Setting
    known: Cause | None
    unread: str = ""

    @property
    def certain(self) -> bool:
        """Whether both values are known."""
        return Origin.UNKNOWN not in (self.left.origin, self.right.origin)

    @property
    def is_of_one_side(self) -> bool:
        """Whether only one side gives it, and the other has no default for it."""
        return UNSET in (self.left, self.right)

    @property
    def changes_the_clip(self) -> bool:
        """Whether such a difference can change a clip, as far as is known."""
        return self.known is None or self.known.size != "none"


@dataclass(frozen=True)
class ComparedSettings:
    """What two sources set differently.

    Attributes:
        differences: The settings that certainly differ, the most likely cause first.
        effects: What the sources do besides their settings and do not certainly do alike.
        unknown: The settings that are unknown on a side, so that they may differ.
        questions: One question for each of them, and for what else reading cannot show.
        conditions: What holds only for other inputs than the default ones, one sentence for each condition.
        ignored: Arguments that a side gives and the library ignores, one sentence each.
        notes: What else changes the clip on either side.
        equal: Number of settings that agree.
        by_default: How many of them neither source gives, so that they have the defaults of library and checkpoint.
        comparable: Whether any setting that a source gives is known on both sides.
        sides: How much of the script and of the Space was read.
        script: What the script sets, defaults included.
        other_task: If the pipelines work from different things, such as a text and a picture, a sentence that says so.
    """

    differences: list[SourceDifference]
    effects: list[Effect]
    unknown: list[SourceDifference]
    questions: list[str]
    conditions: list[str]
    ignored: list[str]
    notes: list[str]
    equal: int
    by_default: int
    comparable: bool
    sides: tuple[SideRead, SideRead]
    script: Settings
    other_task: str = ""

    @property
    def decided(self) -> bool:
        """Whether enough was read of both sides to say what differs."""
        return self.comparable and self.calls_are_known and not any(side.undecided for side in self.sides)

    @property
    def calls_are_known(self) -> bool:
        """Whether an argument of each side's call is known, if it has any."""
        return not any(side.call_is_unknown for side in self.sides)
