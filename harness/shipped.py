"""Where the scenarios and the report's templates lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def shipped(name: Literal["scenarios", "reports"]) -> Path:
    """Return the folder of a kind of data that ships with spacediff."""
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
