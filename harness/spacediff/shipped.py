"""Where the scenarios and the report's templates are: next to the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def shipped(name: Literal["scenarios", "reports"]) -> Path:
    """Return the folder of a kind of data that ships with spacediff."""
    inside = _PACKAGE / "_shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parents[1] / name


def copy_scenarios(folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy the scenarios and their pictures into a folder; existing files are kept.

    Returns:
        The files written, and the existing ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copied, kept = [], []
    files = [each for each in shipped("scenarios").iterdir() if each.suffix in {".toml", ".png"}]
    for file in sorted(files, key=lambda each: (each.suffix != ".toml", each.name)):
        target = folder / file.name
        if target.exists():
            kept.append(target)
        else:
            shutil.copyfile(file, target)
            copied.append(target)
    return copied, kept
