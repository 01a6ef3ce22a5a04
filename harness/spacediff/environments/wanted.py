"""What a run asks of its environment, from its settings: pinned packages, and how new their contemporaries may be.

The key insight: the metadata of a release give the lower limits of what it needs and hardly ever the upper ones, so an
old diffusers would be resolved with a transformers under which it cannot be imported. What a package is built upon
therefore stays at what was there when that package was released; everything else stays as it is here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from spacediff.errors import EnvironmentUnavailable
from spacediff.settings import Settings

TABLE = "env"
"""The table of settings that say in which environment a run happens."""
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
TORCH = "torch"
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[\w\s,.-]*\])?\s*(\(?[=<>!~][^/@;]*)?\s*(;[^@]*)?", re.ASCII
)
"""A line of requirements that names a package of an index, with its versions and marker."""


@dataclass(frozen=True)
class Wanted:
    """What a run asks of its environment.

    Attributes:
        pins: Package to version.
        lines: Lines of a file of requirements; empty without one.
        named: What the settings say, for people: `diffusers 0.36.0`, or the file's name.
    """

    pins: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    named: str = ""

    @property
    def packages(self) -> frozenset[str]:
        """Normalised names of all packages that are asked for."""
        return frozenset({name for name, _ in self.pins} | {name_of(line) for line in self.lines})

    @property
    def has_own_torch(self) -> bool:
        """Whether torch is asked for, and not shared from here."""
        return TORCH in self.packages

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
        EnvironmentUnavailable: The file of requirements cannot be read, or a line names no package of an index.
    """
    if not is_elsewhere(settings):
        return None
    pins = tuple((name, str(version)) for name in PACKAGES if (version := settings.value(f"{TABLE}.{name}")))
    lines: tuple[str, ...] = ()
    names = [f"{name} {version}" for name, version in pins]
    if file := settings.value(f"{TABLE}.requirements"):
        lines = lines_of(Path(str(file)), {name for name, _ in pins})
        names.append(Path(str(file)).name)
    return Wanted(pins, lines, ", ".join(names))


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
    taken, refused = split_lines(text)
    if refused:
        raise EnvironmentUnavailable(
            f"{file.name} of env.requirements has a line that names no package of an index: {refused[0]!r}",
            hint="name packages with their versions: nothing else is installed, since it could run code",
        )
    return tuple(line for line in taken if name_of(line) not in pinned)


def split_lines(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines of requirements that name a package of an index, and those that do not; none are comments."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()]
    without_hashes = [re.sub(r"\s--hash=\S+", "", line).strip() for line in lines if line]
    taken = tuple(line for line in without_hashes if _LINE.fullmatch(line))
    return taken, tuple(line for line in without_hashes if not _LINE.fullmatch(line))


def name_of(line: str) -> str:
    """Return the normalised name of the package that a line of requirements names."""
    found = _LINE.fullmatch(line)
    return canonicalize_name(found["name"] if found else line)
