"""The environment of a program: the Python and the packages of the interpreter that runs it, and the trace's module."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import spacediff.observer
import spacediff.trace
from spacediff.environment import LIBRARIES, OF_SOME_RUNS
from spacediff.errors import ProgramUnusable

IMPORTABLE = "importable"
"""The folder of the trace's module, next to what the program writes."""
_LIST = """
import json, platform, sys
from importlib import metadata
all = reversed(list(metadata.distributions()))  # the first on the path is the one that is imported
found = {each.metadata["Name"]: each.version for each in all if each.metadata["Name"]}
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"python": platform.python_version(), "packages": found}, file)
"""
_GIVES_WAY = """
import importlib.util, os, sys
_folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_copy, _path = sys.modules.pop(__name__), list(sys.path)
sys.path[:] = [each for each in sys.path if os.path.abspath(each) != _folder]
try:
    _installed = importlib.util.find_spec(__name__ + ".trace")
except ModuleNotFoundError:
    _installed = None
if _installed is None:
    sys.path[:] = _path
    sys.modules[__name__] = _copy
"""
"""The copy's own module: it is replaced by the installed package, where that has the trace's module."""
_NAMED = frozenset({*LIBRARIES, *OF_SOME_RUNS, "safetensors"})


def versions_of(
    python: str, folder: Path, run: Callable[[Sequence[str]], None]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Ask an interpreter for its version and those of the packages that can change a clip.

    Args:
        python: The interpreter.
        folder: A folder without modules of the program, which the question would import.
        run: Runs a command line in that folder to its end; raises `ProgramUnusable`.

    Returns:
        Name to version, and warnings where it does not answer.
    """
    try:
        said = folder / "packages.json"
        run([python, "-c", _LIST, str(said)])
        found = json.loads(said.read_text("utf-8"))
        packages = {str(name).lower().replace("_", "-"): str(each) for name, each in found["packages"].items()}
        wanted = {name: packages[name] for name in sorted(_NAMED & packages.keys())}
        return {"python": str(found["python"]), **wanted}, ()
    except (ProgramUnusable, OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}, ("the interpreter of the program did not list its packages, so its environment is unknown",)


def with_trace_module(search: str, scratch: Path) -> str:
    """Return a `PYTHONPATH` on which `spacediff.trace` is found, where spacediff itself is not installed.

    Installing it would change the environment of the program, so that a folder has a copy of what the module needs.
    Python looks there before it looks among the installed packages, so the copy gives way to an installed spacediff.

    Args:
        search: The `PYTHONPATH` as it is.
        scratch: The folder of the run.
    """
    package = scratch / IMPORTABLE / "spacediff"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(str(spacediff.observer.__file__)).parent, package / "observer", ignore=ignored)
    shutil.copyfile(Path(str(spacediff.trace.__file__)), package / "trace.py")
    (package / "__init__.py").write_text(_GIVES_WAY, encoding="utf-8")
    return os.pathsep.join(filter(None, (search, str(package.parent))))
