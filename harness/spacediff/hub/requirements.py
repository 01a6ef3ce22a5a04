"""What a Space installs, read from its `requirements.txt`."""

from __future__ import annotations

from spacediff.hub.space_errors import plain

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "ftfy")
"""The libraries that determine a clip; others are ignored."""

FILE = "requirements.txt"

MOST_BYTES = 64 * 1024
"""Larger files are not read."""


def required_versions(text: str) -> dict[str, str]:
    """Return library to required versions, such as `torch` to `==2.4.0`, from the text of a requirements file."""
    from packaging.requirements import InvalidRequirement, Requirement

    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            requirement = Requirement(line.split("#", 1)[0].strip())
        except InvalidRequirement:
            continue  # a comment, an option, an address
        name = requirement.name.lower()
        if name in LIBRARIES and name not in found and requirement.url is None and requirement.marker is None:
            found[name] = plain(requirement.specifier or "any version", 60)
    return found
