"""The Python of an environment: that of this process, or another one of this machine, which uv finds.

The key insight: a build of torch is for one minor version of Python, so an environment with another one cannot have the
torch that is here.
"""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from spacediff.environments.uv import run_uv
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import Progress, SilentListener

OLDEST = (3, 10)
"""The oldest Python in which a run can be watched."""
_DEADLINE = 60.0
_DOWNLOADS = "UV_PYTHON_DOWNLOADS"
"""The variable by which a user lets uv download interpreters, which are no wheels of an index."""
_ALLOWED = frozenset({"automatic", "manual"})


@dataclass(frozen=True)
class Interpreter:
    """An interpreter of Python.

    Attributes:
        path: Where it is.
        version: Its whole version, such as `3.10.13`.
    """

    path: str
    version: str

    @property
    def minor(self) -> str:
        """Its version to the second number."""
        return minor_of(self.version)

    @property
    def is_this(self) -> bool:
        """Whether it is the one that runs this program."""
        return self.path == sys.executable

    @property
    def shares_torch(self) -> bool:
        """Whether the torch that is installed here can be imported by it."""
        return self.minor == minor_of(platform.python_version())


def this_python() -> Interpreter:
    """Return the interpreter of this process."""
    return Interpreter(sys.executable, platform.python_version())


def python_named(version: str, progress: Progress | None = None) -> Interpreter:
    """Return the interpreter of a version.

    Args:
        version: Such as `3.10` or `3.10.13`; empty for the one of this process.
        progress: Receives what is downloaded, where the user lets uv do so.

    Raises:
        EnvironmentUnavailable: It is too old, or not on this machine.
    """
    try:
        Version(version or "3")
    except InvalidVersion as error:
        raise EnvironmentUnavailable(f"{version} is no version of Python", hint="name one such as 3.12") from error
    this = this_python()
    if not version or f"{this.version}.".startswith(f"{version}."):
        return this
    found = _looked_up(version) or _downloaded(version, progress or SilentListener())
    if found is not None:
        return found
    if is_too_old(version):
        raise EnvironmentUnavailable(
            f"a run cannot be watched in Python {version}", hint=f"name Python {'.'.join(map(str, OLDEST))} or newer"
        )
    raise EnvironmentUnavailable(
        f"there is no Python {version} on this machine",
        hint=f"install it so that `uv python find {version}` finds it, or set {_DOWNLOADS}=automatic to let uv do so",
    )


def has_python(version: str) -> bool:
    """Whether `python_named` would return an interpreter."""
    try:
        python_named(version)
    except EnvironmentUnavailable:
        return False
    return True


def minor_of(version: str) -> str:
    """Return the first two numbers of a version."""
    return ".".join(version.split(".")[:2])


def is_too_old(version: str) -> bool:
    """Whether a version is older than those in which a run can be watched."""
    return Version(version).release[:2] < OLDEST


@functools.cache
def _looked_up(version: str) -> Interpreter | None:
    if is_too_old(version):
        return None
    words = ["python", "find", "--no-project", "--system", "--no-python-downloads"]
    variables = {"PATH": _search_path()}
    try:
        path = run_uv([*words, version], _DEADLINE, SilentListener(), variables)
    except EnvironmentUnavailable:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - an interpreter of this machine, as uv found it
            [path, "-I", "-c", "import platform; print(platform.python_version())"],
            capture_output=True, text=True, check=True, timeout=_DEADLINE,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):  # it does not start, fails, or never ends
        return None
    return Interpreter(path, said.stdout.strip())


def _downloaded(version: str, progress: Progress) -> Interpreter | None:
    """Let uv download an interpreter where the user's variable allows it."""
    if is_too_old(version) or os.environ.get(_DOWNLOADS) not in _ALLOWED:
        return None
    run_uv(["python", "install", version], _DEADLINE, progress)
    _looked_up.cache_clear()
    return _looked_up(version)


def _search_path() -> str:
    """Return where uv looks: the user's path, with what pyenv has installed in place of its wrappers.

    A wrapper of a version that is not chosen exists and fails, at which uv stops looking.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept = [each for each in named if Path(each) != root / "shims"]
    return os.pathsep.join([*kept, *map(str, sorted(root.glob("versions/*/bin"), reverse=True))])
