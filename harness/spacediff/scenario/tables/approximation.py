"""What a script does and its scenario does not say."""

from __future__ import annotations

from spacediff.scenario.tables.base import Table
from spacediff.scenario.tables.types import LongText


class Approximation(Table):
    """What the script does and the scenario does not say; `spacediff why` writes it, and an audit stops at it."""

    setting: LongText
    """Dotted path of the setting, or what it is in words."""
    value: LongText
    """What the script has there."""
    where: LongText
    """File and line of the script."""
    reason: LongText | None = None
    """Why the scenario does not say it."""
