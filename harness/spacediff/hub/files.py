"""Read facts about a Space from the Hub, and small files of a repository, which are never executed.

huggingface_hub is imported inside the functions, so that reading a source stays fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spacediff.hub.requirements import FILE, FILE_BEFORE, MOST_BYTES, required_versions
from spacediff.hub.space_errors import plain

PATIENCE_SECONDS = 30.0


def facts_of(info: Any) -> dict[str, str]:
    """Return what the Hub reports about a Space, name to text, with the libraries that the Space requires.

    Args:
        info: The answer of `HfApi.space_info`.
    """
    card: Any = info.card_data or {}
    runtime: Mapping[str, Any] = info.runtime.raw if info.runtime else {}
    there = [FILE, *(each.rfilename for each in info.siblings or ())]
    files = (
        small_file(info.id, name, kind="space", revision=info.sha, most_bytes=MOST_BYTES)
        for name in (FILE, FILE_BEFORE)
        if name in there
    )
    requirements = b"\n".join(file or b"" for file in files).decode("utf-8", "replace")
    facts = {
        "space": info.id,
        "commit": info.sha,
        "running commit": runtime.get("sha"),
        "last modified": info.last_modified and info.last_modified.isoformat(),
        "stage": runtime.get("stage"),
        "hardware": (runtime.get("hardware") or {}).get("current"),
        "sdk": info.sdk,
        "sdk version": card.get("sdk_version"),
        "python": card.get("python_version"),
        **required_versions(requirements),
    }
    return {name: plain(fact, 200) for name, fact in facts.items() if fact}


def small_file(repository: str, path: str, *, kind: str, revision: str | None, most_bytes: int) -> bytes | None:
    """Return a file of a repository; None if it is missing, too large, or refused.

    No error is raised: without such a file, one line of the report is missing, but not the clip.

    Args:
        repository: `ORG/NAME`.
        path: The file inside it.
        kind: `space` or `model`.
        revision: Branch, tag or commit; None for the newest.
        most_bytes: Larger files are not downloaded.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    where: dict[str, Any] = {"repo_id": repository, "filename": path, "repo_type": kind, "revision": revision}
    try:
        size = get_hf_file_metadata(hf_hub_url(**where), timeout=PATIENCE_SECONDS).size
        if size is None or size > most_bytes:
            return None
        content = Path(hf_hub_download(**where)).read_bytes()
    except Exception:  # noqa: BLE001 - whatever the reason, the file is unavailable
        return None
    return content if len(content) <= most_bytes else None
