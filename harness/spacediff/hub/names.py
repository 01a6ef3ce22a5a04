"""Names under which one repository is found: owners that were renamed, and the copies on ModelScope."""

from __future__ import annotations

_RENAMED_OWNERS = {"THUDM": "zai-org", "ZhipuAI": "zai-org"}
"""Former, or ModelScope's, to current name of owners on the Hub; their repositories have the same names there."""
_RENAMED = {
    "runwayml/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "runwayml/stable-diffusion-inpainting": "stable-diffusion-v1-5/stable-diffusion-inpainting",
    "benjamin-paine/stable-diffusion-v1-5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
}
"""Repositories that were given to another owner, or copied when the original was deleted."""
_MIRRORS = frozenset({"AI-ModelScope", "muse", "MusePublic", "Tencent-Hunyuan", "modelscope"})
"""Owners on ModelScope whose repositories are copies of those on the Hub, under the same names."""


def present_name(name: str) -> str:
    """Return a repository's id with the current name of its owner."""
    owner, slash, rest = name.partition("/")
    return _RENAMED.get(name, f"{_RENAMED_OWNERS.get(owner, owner)}{slash}{rest}")


def is_mirror(one: str, other: str) -> bool:
    """Return whether one of two ids is ModelScope's copy of the other."""
    (owner, _, name), (other_owner, _, other_name) = one.partition("/"), other.partition("/")
    return bool(name) and name.lower() == other_name.lower() and bool(_MIRRORS & {owner, other_owner})
