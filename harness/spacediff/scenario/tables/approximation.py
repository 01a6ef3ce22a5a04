"""What a script does and its scenario does not say, or what a Space does and the variant in its place does not."""

from __future__ import annotations

from typing import Literal

from spacediff.scenario.tables.base import Table
from spacediff.scenario.tables.types import LongText


class Approximation(Table):
    """What one side does and the scenario does not say; `spacediff why` writes it, and an audit stops at it."""

    of: Literal["script", "space"] = "script"
    """Which side: the script that the baseline stands for, or the Space that a variant stands for."""
    setting: LongText
    """Dotted path of the setting, or what it is in words."""
    value: LongText
    """What that side has there."""
    where: LongText
    """File and line."""
    reason: LongText | None = None
    """Why the scenario does not say it."""
