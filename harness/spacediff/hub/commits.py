"""The commit of a repository that would be loaded now: once a branch has moved on, a run is another one.

huggingface_hub is imported inside the functions, so that reading a source stays fast.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from spacediff.errors import NotMeasuredError
from spacediff.hub.asking import model_on_hub

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAIN = "main"


@cache  # one question for all runs of an audit, also where there is no answer
def commit_of(repository: str, revision: str | None = None) -> str:
    """Return the commit of a model's repository that would be loaded now; empty where nobody knows it.

    The Hub is asked. Where it does not answer, diffusers loads what an earlier download left, and so the commit is that
    one's.

    Args:
        repository: `ORG/NAME`.
        revision: Branch, tag or commit; None for `main`.
    """
    if revision and _COMMIT.fullmatch(revision):
        return revision
    try:
        return model_on_hub(repository, revision).commit
    except NotMeasuredError:  # offline, no access, no such repository
        return kept_commit(repository, revision)


def kept_commit(repository: str, revision: str | None = None) -> str:
    """Return the commit of a model's repository whose files are in the cache of this machine; empty if there is none.

    After a download this is what was downloaded. Source: huggingface.co/docs/huggingface_hub/guides/manage-cache.

    Args:
        repository: `ORG/NAME`.
        revision: Branch, tag or commit; None for `main`.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if revision and _COMMIT.fullmatch(revision):
        return revision
    folder = repo_folder_name(repo_id=repository, repo_type="model")
    try:
        found = Path(constants.HF_HUB_CACHE, folder, "refs", revision or _MAIN).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return found if _COMMIT.fullmatch(found) else ""
