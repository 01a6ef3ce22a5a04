"""Repository ids of the Hub, ORG/NAME, checked by the Hub client's own rules."""

from __future__ import annotations


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
