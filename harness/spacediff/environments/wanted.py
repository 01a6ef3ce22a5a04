"""What a run asks of its environment, from its settings: pinned packages, and how new their contemporaries may be.

The key insight: the metadata of a release give the lower limits of what it needs and hardly ever the upper ones, so an
old diffusers would be resolved with a transformers under which it cannot be imported. What a package is built upon
therefore stays at what was there when that package was released; everything else stays as it is here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from packaging.version import Version

from spacediff.environments.hosted import HostedEnvironment, chosen_of, hosted_environment
from spacediff.environments.pythons import (
    Interpreter,
    has_python,
    is_too_old,
    minor_of,
    python_named,
    this_python,
)
from spacediff.environments.shared import TORCH, installed_here
from spacediff.errors import EnvironmentUnavailable
from spacediff.hub.requirement_lines import LeftOut, name_of, requirement_lines
from spacediff.settings import Settings
from spacediff.wording import refusal_text

TABLE = "env"
"""The table of settings that say in which environment a run happens."""
SPACE = "space"
"""The key of the Space whose environment is asked for."""
PYTHON = "python"
"""The key of the version of Python."""
PACKAGES = ("diffusers", "transformers", "torch")
"""Packages whose version is a setting."""
BUILT_UPON: Mapping[str, tuple[str, ...]] = {
    "diffusers": ("transformers", "huggingface-hub", "tokenizers", "safetensors", "accelerate", "peft"),
    "transformers": ("huggingface-hub", "tokenizers", "safetensors"),
    "torch": (),
}
"""Package to those that it is written for, which have to be its contemporaries."""
NEEDED = ("diffusers", "transformers", "accelerate", "safetensors", "numpy", "pillow", "psutil")
"""What a script that generates needs, in whatever version."""
OPTIONAL = ("peft", "ftfy", "sentencepiece", "protobuf", "scipy", "beautifulsoup4", "imageio-ffmpeg")
"""What some pipelines need, which is there where it is installed here."""


class PythonKept(StrEnum):
    """Why a run as in a Space has the Python of this process and not the Space's."""

    TOO_OLD = "too-old"
    TORCH = "torch"
    MISSING = "missing"


@dataclass(frozen=True)
class Wanted:
    """What a run asks of its environment.

    Attributes:
        pins: Package to version.
        lines: Lines of a file of requirements; empty without one.
        named: What the settings say, for people: `diffusers 0.36.0`, or the file's name.
        hosted: The environment of a Space, whose requirements are asked for; None for others.
        beside: Lines that are resolved with the others, and not installed.
        left_out: What the Space asks for and is not installed.
        python: The whole version of Python; empty for the one of this process.
        python_kept: Why it is not the Python of the Space, one of `PythonKept`; empty where it is, or a setting names
            it, or nothing says which one the Space has.
    """

    pins: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    named: str = ""
    hosted: HostedEnvironment | None = None
    beside: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    python: str = ""
    python_kept: str = ""

    @property
    def packages(self) -> frozenset[str]:
        """Normalised names of all packages that are asked for."""
        return frozenset({name for name, _ in self.pins} | {name_of(line) for line in self.lines})

    @property
    def has_own_torch(self) -> bool:
        """Whether torch is asked for, and not shared from here."""
        return TORCH in self.packages

    @property
    def newest(self) -> str:
        """The moment of which everything that is no setting may be the newest, RFC 3339; empty for any."""
        return "" if self.hosted is None else self.hosted.moment

    @property
    def contemporaries(self) -> Mapping[str, tuple[str, str]]:
        """Package that may be no newer than the release of another one, to that one and its version."""
        found: dict[str, tuple[str, str]] = {}
        for anchor, version in self.pins:  # a later one is nearer to what both are built upon
            for name in BUILT_UPON.get(anchor, ()):
                if name not in self.packages:
                    found[name] = anchor, version
        return found

    @property
    def requirements(self) -> tuple[str, ...]:
        """What is resolved: what is asked for, and what any script that generates needs."""
        asked = [f"{name}=={version}" for name, version in self.pins]
        return (*self.lines, *asked, *(name for name in NEEDED if name not in self.packages))

    def identity(self, here: Mapping[str, str], python: str) -> str:
        """Return a hash of what determines how this is resolved.

        Args:
            here: The packages that are installed here, name to version, which are kept where they fit.
            python: The version and platform of Python.
        """
        content = json.dumps([asdict(self), dict(here), python, BUILT_UPON, NEEDED], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]


def wanted_of(settings: Settings) -> Wanted | None:
    """Return what settings ask of the environment; None where the run happens in this one.

    Raises:
        EnvironmentUnavailable: The file of requirements cannot be read, a line names no package of an index, the
            environment of the Space is unknown, or there is no such Python.
        NotMeasuredError: The Hub does not give the Space.
    """
    if not is_elsewhere(settings):
        return None
    pins = tuple((name, str(version)) for name in PACKAGES if (version := settings.value(f"{TABLE}.{name}")))
    pinned = {name for name, _ in pins}
    names = [f"{name} {version}" for name, version in pins]
    asked = settings.value(f"{TABLE}.{PYTHON}")
    python = python_named(str(asked)) if asked else None
    file, space = (settings.value(f"{TABLE}.{key}") for key in ("requirements", SPACE))
    if file and space:
        raise EnvironmentUnavailable(
            f"{TABLE}.requirements and {TABLE}.{SPACE} both say what is installed", hint="leave one of them out"
        )
    if space:
        return of_space(hosted_environment(str(space)), pins, python)
    lines = lines_of(Path(str(file)), pinned) if file else ()
    if python is not None:
        names.append(f"Python {python.version}")
    if file:
        names.append(Path(str(file)).name)
    return _in_python(python or this_python(), Wanted(pins, lines, ", ".join(names)))


def of_space(
    hosted: HostedEnvironment, pins: tuple[tuple[str, str], ...] = (), python: Interpreter | None = None
) -> Wanted:
    """Return what the environment of a Space asks for.

    Args:
        hosted: What the Space installs.
        pins: Package to version, in place of the Space's.
        python: The interpreter, in place of the Space's.
    """
    pinned = {name for name, _ in pins}
    names = [f"the environment of {hosted.space}", *(f"{name} {version}" for name, version in pins)]
    used, kept = (python, "") if python else _python_of(hosted, has_own_torch=TORCH in pinned)
    if python:
        names.append(f"Python {python.version}")
    chosen = chosen_of(hosted, pinned, has_own_torch=TORCH in pinned or not used.shares_torch)
    wanted = Wanted(pins, chosen.lines, " with ".join(names), hosted, chosen.beside, chosen.left_out)
    return replace(_in_python(used, wanted), python_kept=kept)


def _python_of(hosted: HostedEnvironment, *, has_own_torch: bool) -> tuple[Interpreter, str]:
    """Return the interpreter for the Python that a Space has, and why it is another one where it is."""
    this, version = this_python(), hosted.python
    if not version or minor_of(version) == this.minor:
        return this, ""
    if is_too_old(version):
        return this, PythonKept.TOO_OLD
    if not has_own_torch:
        return this, PythonKept.TORCH
    # a Space names a minor version, or else any release of it has the same wheels
    return (python_named(minor_of(version)), "") if has_python(minor_of(version)) else (this, PythonKept.MISSING)


def _in_python(python: Interpreter, wanted: Wanted) -> Wanted:
    """Return what is wanted for an interpreter: its torch has to be installed, where it is not the one that is here."""
    if python.is_this:
        return wanted
    here = installed_here().get(TORCH, "")
    missing = not (python.shares_torch or wanted.has_own_torch) and here
    lines = (*wanted.lines, f"{TORCH}=={Version(here).public}") if missing else wanted.lines
    return replace(wanted, lines=lines, python=python.version)


def is_elsewhere(settings: Settings) -> bool:
    """Whether a run with these settings happens in another environment than this one."""
    return any(path.partition(".")[0] == TABLE for path in settings)


def lines_of(file: Path, pinned: set[str]) -> tuple[str, ...]:
    """Return the requirements of a file that are packages of an index, without those that a setting pins.

    Raises:
        EnvironmentUnavailable: It cannot be read, or a line is an address, a path, an option or no requirement.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise EnvironmentUnavailable(f"{file} of env.requirements cannot be read: {error}") from error
    found = requirement_lines(text)
    if found.refused:
        first = found.refused[0]
        raise EnvironmentUnavailable(
            f"{file.name} of env.requirements has a line that names no package of an index: {first.line!r} "
            f"({refusal_text(first.reason)})",
            hint="name packages with their versions: nothing else is installed, since it could run code",
        )
    return tuple(line for line in found.taken if name_of(line) not in pinned)
