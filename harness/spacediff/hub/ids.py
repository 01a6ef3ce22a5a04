"""Repository ids of the Hub, ORG/NAME, checked by the Hub client's own rules, and the addresses that people paste."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from spacediff.errors import InvalidArgument

_ADDRESS_OF_SPACE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/spaces/([\w.-]+/[\w.-]+)(?:[/?#]|$)", re.IGNORECASE
)


def is_repository_id(text: str) -> bool:
    """Whether a text is the id of a repository with an owner; a name without one, such as `gpt2`, is not."""
    if text.count("/") != 1:
        return False
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, without `__all__`

    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return True


def server_of(text: str) -> SplitResult | None:
    """Return the parts of the http address of a server; None for any other text."""
    try:
        parts = urlsplit(text)
        valid = text.startswith(("http://", "https://")) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if valid and text.isprintable() and " " not in text else None


def space_of(text: str) -> str:
    """Return the id of the Space whose address a text is, such as that of its page; any other text as it is."""
    found = _ADDRESS_OF_SPACE.match(text.strip())
    return found[1] if found else text


def no_space(text: str) -> InvalidArgument:
    """Return the error of a text that names no Space of the Hub."""
    return InvalidArgument(f"{text[:200]!r} is not a Space of the Hub", hint="give ORG/NAME")
