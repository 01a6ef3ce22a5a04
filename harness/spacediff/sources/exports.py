"""How a script writes its video: read in its source, since the script ends before it does it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from spacediff import reading
from spacediff.errors import SpacediffError
from spacediff.reading.commands import Command
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Setting, Settings


def exports(script: Path, arguments: Sequence[str], where: str) -> Settings:
    """Return frames per second and quality of the video that a script writes.

    Args:
        script: The script, or a notebook.
        arguments: What it is run with.
        where: File and line of the pipeline call, as a recording has it.

    Returns:
        `output.fps` and `output.quality`, numbers. What the source leaves out is the default of `export_to_video`; what
        it gives and does not say, as by a computed number, is unknown, and so is all of a source that cannot be read.
    """
    usual = Settings.of({"output": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}}, Origin.DEFAULT, "export_to_video")
    for call in (where, ""):  # a call in another module is not found there
        with suppress(SpacediffError):
            read = _read(script, arguments, call).settings
            if read:
                return Settings({path: _known(read[path]) for path in usual if path in read}).filled_from(usual)
    return Settings(dict.fromkeys(usual, Setting(None, Origin.UNKNOWN, script.name)))


def _known(given: Setting) -> Setting:
    return given if _is_rate(given.value) else Setting(None, Origin.UNKNOWN, given.where)


def _is_rate(value: Any) -> bool:
    return type(value) in {int, float} and 0 < value < math.inf


def _read(script: Path, arguments: Sequence[str], call: str) -> reading.Reading:
    if script.suffix != ".py":
        return reading.read_source(script)
    return reading.read_command(script.parent, Command(script.name, tuple(arguments), where="the arguments"), call=call)
