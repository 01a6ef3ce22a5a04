"""What a Space installs, read from its `requirements.txt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacediff.hub.requirement_lines import requirement_lines

if TYPE_CHECKING:
    from packaging.markers import Marker

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "ftfy")
"""The libraries that determine a clip; others are ignored."""

FILE = "requirements.txt"
FILE_BEFORE = "pre-requirements.txt"
"""Installed before that file. Source: huggingface.co/docs/hub/spaces-dependencies."""

MOST_BYTES = 64 * 1024
"""Larger files are not read."""

ANY = "any version"

_SYSTEM = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "extra": "",
}
"""What every Space runs on."""
_PYTHONS = range(8, 16)
"""Minor versions of Python that a Space may have."""


def required_versions(text: str) -> dict[str, str]:
    """Return library to required versions, such as `torch` to `==2.4.0`, from the text of a requirements file.

    A library that is asked for otherwise, such as by an address, has that line; one without a version, `ANY`. Where it
    depends on the Python which line holds, all are named, as in `==2.4.0 or ==2.8.0`.

    Args:
        text: The file; untrusted.
    """
    from packaging.requirements import Requirement

    asked: dict[str, list[str]] = {}
    lines = requirement_lines(text)
    for line in lines.taken:
        requirement = Requirement(line)
        name = requirement.name.lower()
        if name in LIBRARIES and _may_hold(requirement.marker):
            asked.setdefault(name, []).append(str(requirement.specifier) or ANY)
    for refused in lines.refused:
        if refused.name in LIBRARIES:
            asked.setdefault(refused.name, []).append(refused.line)
    return {name: " or ".join(dict.fromkeys(each)) for name, each in asked.items()}


def _may_hold(marker: Marker | None) -> bool:
    """Return whether a line holds on a Space with some Python, since which one it has is not known here."""
    if marker is None:
        return True
    try:
        return any(marker.evaluate(_SYSTEM | _python(minor)) for minor in _PYTHONS)
    except ValueError:  # what cannot be evaluated, such as a version that is none
        return True


def _python(minor: int) -> dict[str, str]:
    return {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0", "implementation_name": "cpython"}
