"""What an environment shares with this one: torch and what torch needs, linked and not installed again.

A build of torch has gigabytes, and the one that fits the drivers of this machine is the one that is here.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Collection, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TORCH = "torch"
_LINKS = "here"
"""Folder of the links, in the environment."""
_NO_PACKAGES = frozenset({"", "..", "__pycache__"})
_PTH = "zz_spacediff_shared.pth"
"""Read last, so that the environment's own packages come first."""


def share_torch(environment: Path, packages: Path, installed: Collection[str]) -> tuple[str, ...]:
    """Link torch and what it needs into an environment, and return their names.

    Args:
        environment: The folder of the environment.
        packages: Its `site-packages`.
        installed: Normalised names of the packages that it has itself.
    """
    links = environment / _LINKS
    links.mkdir(exist_ok=True)
    names = sorted(needed_by(TORCH) - set(installed))
    for name in names:
        for entry in _entries(name):
            link = links / entry.name
            if entry.exists() and not link.is_symlink():
                link.symlink_to(entry, target_is_directory=entry.is_dir())
    (packages / _PTH).write_text(f"{links}\n", encoding="utf-8")
    return tuple(names)


def needed_by(package: str) -> set[str]:
    """Return a package that is installed here and all that it needs, as far as that is installed too."""
    found: set[str] = set()
    waiting: list[str] = [canonicalize_name(package)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += _named(needs)
    return found


def installed_here() -> dict[str, str]:
    """Return the packages that can be imported here, normalised name to version; the first on the path counts."""
    found: dict[str, str] = {}
    for each in importlib.metadata.distributions():
        if name := each.metadata["Name"]:
            found.setdefault(canonicalize_name(name), each.version)
    return found


def _named(needs: Collection[str]) -> Iterator[str]:
    for need in needs:
        try:
            requirement = Requirement(need)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _entries(name: str) -> set[Path]:
    """Return the files and folders of a package at the top of its `site-packages`."""
    distribution = importlib.metadata.distribution(name)
    lines = (distribution.read_text("RECORD") or "").splitlines()  # its files, which are too many to look at each
    tops = {line.strip('"').partition(",")[0].partition("/")[0] for line in lines}
    names = (top for top in tops if top not in _NO_PACKAGES and not top.endswith(".pth"))
    return {Path(str(distribution.locate_file(top))) for top in names}
