"""Repeat a call in the process of its script, with other settings put in, as long as they are asked for.

The key insight: what a script does before its call is the same for all settings that are put in at its entry, and often
takes longer than the call. So the process stays where it is, and the call is made again from the state that was there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .effective import settings_of
from .pipeline_call import PipelineCall
from .state import State
from .writing import Writer

ASKED = "asked"
"""Name of the folder, in that of the first recording, with what is asked for next: `1.json`, `2.json`."""
_LOOKED_EVERY = 0.05
"""Seconds between two looks at what is asked for."""


class Repeating:
    """The state from which a call is repeated.

    Args:
        call: The call, before anything is put in.
        writer: Writes the first recording.
        parent: The process that asks, as it was when this one began.
    """

    def __init__(self, call: PipelineCall, writer: Writer, parent: int) -> None:
        self._call = call
        self._folder = writer.folder / ASKED
        self._parent = parent
        self._before = _in_force(call, writer)
        self._state = State(call)
        self._folder.mkdir()  # says that more can be asked for

    def asked(self) -> Iterator[tuple[Writer, Mapping[str, Any]]]:
        """Yield what is asked for, each with what writes its recording; ends when the asking process is gone."""
        number = 0
        while True:
            number += 1
            file = self._folder / f"{number}.json"
            while not file.is_file():
                if os.getppid() != self._parent:
                    return
                time.sleep(_LOOKED_EVERY)
            content = json.loads(file.read_text("utf-8"))
            writer = Writer(Path(content["folder"]))
            writer.write("process", {"python": sys.version, "argv": sys.argv[1:]})
            yield writer, content

    def restore(self, writer: Writer) -> str:
        """Put everything back, and return the path of a setting that is not as it was; empty if all are.

        Args:
            writer: Notes what cannot be read.
        """
        self._state.restore()
        now = _in_force(self._call, writer)
        return next((path for path in sorted({*self._before, *now}) if self._before.get(path) != now.get(path)), "")


def _in_force(call: PipelineCall, writer: Writer) -> dict[str, Any]:
    """Return all settings in force before a call, by table."""
    found = settings_of(call.pipeline, call.given, writer)
    return {"prompt": found["prompt"], **found["settings"]}
