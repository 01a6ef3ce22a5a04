"""Begin to record in the process of a script, before its first line: called by a `sitecustomize` of this program.

Python imports `sitecustomize` before it runs a script, so the script itself is run as ever: its `__main__`, its
arguments, its tracebacks. The environment's own `sitecustomize` is imported afterwards, and the variables that led here
are removed, so that the processes which the script starts know nothing of this.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = "SPACEDIFF_RECORDING"
"""Variable with the folder that the recording is written to."""
OPTIONS = "SPACEDIFF_RECORDING_OPTIONS"
"""Variable with the options of the recording, as JSON."""
PYTHONPATH_BEFORE = "SPACEDIFF_PYTHONPATH"
"""Variable with the `PYTHONPATH` of the script."""


def begin() -> None:
    """Begin to record in this process, if it is the one that is to be recorded."""
    here = str(Path(__file__).parents[2])  # not resolved: as it stands in `sys.path` and in the frames of a traceback
    folder, options = os.environ.pop(FOLDER, ""), os.environ.pop(OPTIONS, "{}")
    _restore_path(here)
    if folder:
        from .writing import Writer

        writer = Writer(Path(folder))
        with writer.noting("the start of the recording"):
            from .recorder import Recorder  # needs numpy, which the environment may lack

            Recorder(writer, options).install(Path(here))
    _import_own_sitecustomize()


def _restore_path(here: str) -> None:
    before = os.environ.pop(PYTHONPATH_BEFORE, None)
    if before is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = before
    sys.path[:] = [each for each in sys.path if each != here]


def _import_own_sitecustomize() -> None:
    """Import the `sitecustomize` that the environment has, as Python would have done."""
    name = "sitecustomize"
    spec: Any = importlib.machinery.PathFinder.find_spec(name, sys.path)
    if spec is None or spec.loader is None:
        sys.modules[name] = ModuleType(name)  # Python asks for it when ours has been executed
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
