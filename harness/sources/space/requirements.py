"""What a Space asks to have installed, read from its `requirements.txt` on the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.sources.space.explaining import plain

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate")
"""What determines a clip; the rest is of no interest."""

_MOST_BYTES = 64 * 1024


def required_libraries(space: str, commit: str | None) -> dict[str, str]:
    """Return library to the versions that a Space asks for, such as `torch` to `==2.4.0`; empty when it does not say.

    Nothing is raised: a Space without the file, or a Hub that does not give it, tells nothing.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    where: dict[str, Any] = {"filename": "requirements.txt", "repo_type": "space", "revision": commit}
    try:
        size = get_hf_file_metadata(hf_hub_url(space, **where)).size
        if size is None or size > _MOST_BYTES:
            return {}
        text = Path(hf_hub_download(space, **where)).read_bytes()[:_MOST_BYTES].decode("utf-8", "replace")
    except Exception:  # noqa: BLE001 - what the Hub refuses here costs a line of the environment, not the clip
        return {}
    return parsed(text)


def parsed(text: str) -> dict[str, str]:
    """Return library to version specifier, from the lines of a requirements file."""
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
