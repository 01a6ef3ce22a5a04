"""Versions of libraries that a Space asks for and this machine does not have: suspects that a scenario can test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from spacediff.hub.requirements import ANY
from spacediff.reading import Reading
from spacediff.settings import Origin, Setting, Settings
from spacediff.watch.machine import installed_version

_TABLE = "env"
_LIBRARIES = ("diffusers", "transformers", "torch")
"""Libraries whose version is a setting."""
_LARGE = "torch"
"""Its builds are gigabytes, so that only the user writes it into a scenario."""
_WHERE = "requirements.txt"


@dataclass(frozen=True)
class VersionDifference:
    """A library of which the Space asks for another version than this machine has.

    Attributes:
        library: Its name.
        hosted: What the Space asks for, such as `==0.31.0`.
        here: The version of this machine; empty where it is not installed.
        pinned: The one version that the Space asks for; empty where several would do.
        on_hub: Whether it is a Space of the Hub, and not a folder with its source.
    """

    library: str
    hosted: str
    here: str
    pinned: str
    on_hub: bool

    @property
    def path(self) -> str:
        """The setting that tests it."""
        return f"{_TABLE}.{self.library}"

    @property
    def question(self) -> str:
        """What is open, and the line that would answer it."""
        whole = f'{_TABLE} = "space"' if self.on_hub else f"{_TABLE}.requirements with the path of that file"
        line = f'{self.path} = "{self.pinned}"' if self.pinned else whole
        cost = ", and downloads gigabytes" if self.pinned and self.library == _LARGE else ""
        return (
            f"does the version of {self.library} matter? The Space asks for {self.hosted} ({_WHERE}), and this machine "
            f"has {self.here or 'none'}; {line} in a variant tests it{cost}"
        )


def differing_versions(space: Reading) -> list[VersionDifference]:
    """Return the libraries of which a Space asks for another version than this machine has.

    Args:
        space: What was read of it, with its facts, which are not trusted.
    """
    return list(_differing(space))


def version_settings(space: Reading) -> Settings:
    """Return the versions that a Space pins and this machine does not have, as settings; torch is not among them."""
    pinned = (each for each in _differing(space) if each.pinned and each.library != _LARGE)
    return Settings({each.path: Setting(each.pinned, Origin.READ, _WHERE) for each in pinned})


def _differing(space: Reading) -> Iterator[VersionDifference]:
    for library in _LIBRARIES:
        hosted, here = space.facts.get(library, ""), installed_version(library)
        if hosted not in {"", ANY} and not (here and _contains(hosted, here)):
            yield VersionDifference(library, hosted, here, _pinned(hosted), on_hub="space" in space.facts)


def _contains(hosted: str, here: str) -> bool:
    """Return whether what a Space asks for allows a version; what is no version, such as an address, does not."""
    try:
        return SpecifierSet(hosted).contains(here, prereleases=True)
    except InvalidSpecifier:
        return False


def _pinned(hosted: str) -> str:
    """Return the one version that a Space asks for; empty where several would do, or none is named."""
    try:
        asked = list(SpecifierSet(hosted))
    except InvalidSpecifier:
        return ""
    is_pin = len(asked) == 1 and asked[0].operator == "==" and "*" not in asked[0].version
    return asked[0].version.partition("+")[0] if is_pin else ""
