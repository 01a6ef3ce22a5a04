"""The lines of a file of requirements: those that name a package of an index, and all others with a reason each.

The key insight: pip's format is a small language, in which a line can fetch an address, run a build, or choose another
index. So a line is taken only where it is a name with versions and a marker. The file is untrusted, and bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from spacediff.hub.space_errors import plain

MOST_LINES = 400
"""Lines that are read; a Space has a dozen."""
LONGEST = 400
"""Characters of a line that is read."""
_SHOWN = 120


class Refusal(StrEnum):
    """Why a line of requirements is not installed."""

    OPTION = "option"
    INDEX = "index"
    INCLUDE = "include"
    EDITABLE = "editable"
    VERSION_CONTROL = "version-control"
    ADDRESS = "address"
    PATH = "path"
    VARIABLE = "variable"
    UNREADABLE = "unreadable"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"
    # of what names a package
    INSTALLER = "installer"
    APP = "app"
    OF_TORCH = "of-torch"
    NO_WHEEL = "no-wheel"
    MARKER = "marker"
    SYSTEM = "system"


@dataclass(frozen=True)
class LeftOut:
    """What is not installed.

    Attributes:
        line: The line, shortened and printable.
        reason: Why.
        name: The normalised name of the package that it most likely means; empty where none is seen.
    """

    line: str
    reason: Refusal
    name: str = ""


@dataclass(frozen=True)
class RequirementLines:
    """The lines of a file without its comments.

    Attributes:
        taken: Those that name a package of an index, as they are.
        refused: The others.
    """

    taken: tuple[str, ...] = ()
    refused: tuple[LeftOut, ...] = ()


_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[\w\s,.-]*\])?\s*(\(?[=<>!~][^/@;]*)?\s*(;[^@]*)?", re.ASCII
)
"""A line that names a package of an index, with its versions and marker."""
_OPTIONS = {
    "-r": Refusal.INCLUDE,
    "--requirement": Refusal.INCLUDE,
    "-c": Refusal.INCLUDE,
    "--constraint": Refusal.INCLUDE,
    "-e": Refusal.EDITABLE,
    "--editable": Refusal.EDITABLE,
    "-i": Refusal.INDEX,
    "--index-url": Refusal.INDEX,
    "--extra-index-url": Refusal.INDEX,
    "--no-index": Refusal.INDEX,
    "-f": Refusal.INDEX,
    "--find-links": Refusal.INDEX,
    "--trusted-host": Refusal.INDEX,
}
_VERSION_CONTROL = re.compile(r"\b(git|hg|svn|bzr)\+", re.IGNORECASE)
_SIGNS = (
    (re.compile(r"\$\{"), Refusal.VARIABLE),
    (_VERSION_CONTROL, Refusal.VERSION_CONTROL),
    (re.compile(r"://|@\s*\w+:|^file:", re.IGNORECASE), Refusal.ADDRESS),
    (re.compile(r"\s--?\w"), Refusal.OPTION),
    (re.compile(r"\.(whl|zip|tar\.\w+|tgz)$|^[.~]|^[^;]*[/\\]", re.IGNORECASE), Refusal.PATH),
)
"""Signs of what is no package of an index, the first of which counts."""
_REPOSITORY = re.compile(r"[/#&=]([A-Za-z0-9][A-Za-z0-9._-]*?)(?:\.git)?(?:@[^/]*)?$", re.ASCII)
"""The last name in the address of a repository, or what `#egg=` says."""


def requirement_lines(text: str) -> RequirementLines:
    """Read the lines of a file of requirements.

    Args:
        text: The file; untrusted.
    """
    taken: list[str] = []
    refused: list[LeftOut] = []
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = [line for each in joined.splitlines() if (line := re.sub(r"(^|\s)#.*", "", each).strip())]
    for line in lines[:MOST_LINES]:
        bare = re.sub(r"[ \t]+", " ", re.sub(r"\s--hash=\S+", "", line)).strip()
        reason = _refusal(bare)
        if reason is None:
            taken.append(bare)
        else:
            refused.append(LeftOut(plain(bare, _SHOWN), reason, _meant(bare)))
    if more := len(lines[MOST_LINES:]):
        refused.append(LeftOut(f"{more} more lines", Refusal.TOO_MANY))
    return RequirementLines(tuple(taken), tuple(refused))


def name_of(line: str) -> str:
    """Return the normalised name of the package that a line of requirements names."""
    from packaging.utils import canonicalize_name

    found = _LINE.fullmatch(line)
    return canonicalize_name(found["name"] if found else line)


def _refusal(line: str) -> Refusal | None:
    """Return why a line is not taken; None where it names a package of an index."""
    if len(line) > LONGEST:
        return Refusal.TOO_LONG
    if line.startswith("-"):
        option = re.match(r"--[\w-]+|-\w", line)
        return _OPTIONS.get(option[0], Refusal.OPTION) if option else Refusal.OPTION
    looked_for = next((reason for pattern, reason in _SIGNS if pattern.search(line)), None)
    return looked_for or (None if _is_package(line) else Refusal.UNREADABLE)


def _is_package(line: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    if not (_LINE.fullmatch(line) and line.isascii() and line.isprintable()):
        return False
    try:
        found = Requirement(line)
        if found.marker is not None:
            found.marker.evaluate()
    except (InvalidRequirement, ValueError):  # ValueError: a marker that compares what cannot be compared
        return False
    return found.url is None


def _meant(line: str) -> str:
    """Return the name of the package that a refused line most likely means; empty where none is seen."""
    from packaging.utils import canonicalize_name

    before, at, _ = line[:LONGEST].partition("@")
    if at and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[\w\s,.-]*\])?\s*", before, re.ASCII):
        return canonicalize_name(re.split(r"[\s\[]", before)[0])
    found = _REPOSITORY.search(line[:LONGEST]) if _VERSION_CONTROL.search(line) else None
    return canonicalize_name(found[1]) if found else ""
