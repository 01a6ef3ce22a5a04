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


def required_versions(text: str) -> dict[str, str]:
    """Return library to required versions, such as `torch` to `==2.4.0`, from the text of a requirements file.

    A library that is asked for otherwise, such as by an address, has that line; one without a version, `ANY`.

    Args:
        text: The file; untrusted.
    """
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    lines = requirement_lines(text)
    for line in lines.taken:
        requirement = Requirement(line)
        name = requirement.name.lower()
        if name in LIBRARIES and _applies(requirement.marker):
            found.setdefault(name, str(requirement.specifier) or ANY)
    for refused in lines.refused:
        if refused.name in LIBRARIES:
            found.setdefault(refused.name, refused.line)
    return found


def _applies(marker: Marker | None) -> bool:
    """Return whether a line may hold on a Space; its Python is unknown here, so that a marker about it does."""
    return marker is None or "python" in str(marker) or marker.evaluate(_SYSTEM)
