"""Say a file with the weights of one component in a scenario's words: a path, or a name in a repository of the Hub."""

from __future__ import annotations

import re

from spacediff.hub.ids import is_repository_id
from spacediff.scenario.paths import is_path

_KINDS = (".safetensors", ".gguf")
_ADDRESS = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([^/]+/[^/]+)/(?:blob|resolve)/([^/]+)/([^?#]+)(?:[?#].*)?"
)
_IN_REPOSITORY = re.compile(r"([^/:]+/[^/:]+)/([^:]+)")


def file_words(file: str) -> dict[str, str] | None:
    """Return `file`, and `id` and `revision` if it is on the Hub; None if a scenario does not take the file.

    diffusers reads `org/name/x.gguf` as a file on the Hub, unless there is such a file here.

    Args:
        file: What `from_single_file` is given: a path, an address of the Hub, or an id with a path.
    """
    address, inside = _ADDRESS.fullmatch(file), _IN_REPOSITORY.fullmatch(file)
    if is_path(file):
        found = {"file": file}
    elif address is not None:
        found = {"id": address[1], "file": address[3]}
        if address[2] != "main":
            found["revision"] = address[2]
    elif inside is not None:
        found = {"id": inside[1], "file": inside[2]}
    elif ":" not in file:
        found = {"file": f"./{file}"}
    else:
        return None
    is_taken = found["file"].endswith(_KINDS) and ("id" not in found or is_repository_id(found["id"]))
    return found if is_taken else None
