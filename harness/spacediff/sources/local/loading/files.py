"""Where the files of a checkpoint are: a folder, or a snapshot of a repository on the Hub."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from spacediff.errors import CheckpointUnavailable, failure
from spacediff.scenario.paths import is_path
from spacediff.tiny.checkpoint import BUILTIN, ensure_checkpoint


def files_of(
    model_id: str, choice: Mapping[str, str], pipeline_class: Any, apart: Collection[str] = ()
) -> tuple[Path, str | None]:
    """Return the folder of a checkpoint and, if it is from the Hub, its commit; missing files are downloaded.

    Args:
        model_id: Hub id, folder, or one of spacediff's own checkpoints.
        choice: Revision and variant, where they are given.
        pipeline_class: The pipeline class, which knows the files that it needs.
        apart: Names of components that are loaded from elsewhere, whose files are not needed.

    Raises:
        CheckpointUnavailable: There is no such folder, or the download failed.
    """
    if model_id in BUILTIN:
        return ensure_checkpoint(BUILTIN[model_id]), None
    folder = Path(model_id)
    if folder.is_dir():
        return folder, None
    if is_path(model_id):
        raise CheckpointUnavailable(
            f"there is no folder {model_id}", hint="give a checkpoint's folder or Hub id as model.id"
        )
    import diffusers

    knowing = pipeline_class if hasattr(pipeline_class, "download") else diffusers.DiffusionPipeline
    try:
        snapshot = Path(knowing.download(model_id, **choice, **dict.fromkeys(apart)))
    except Exception as error:
        raise CheckpointUnavailable(
            f"the checkpoint {model_id} is not on this machine, and the download from the Hub failed: {failure(error)}",
            hint="check the id, the network and, for gated models, HF_TOKEN; or give a folder as model.id",
        ) from error
    return snapshot, snapshot.name


def fetch_config(repository: str, component: str, commit: str) -> None:
    """Download the configuration of a component whose weights are elsewhere, if the repository has one.

    Args:
        repository: Hub id.
        component: Its folder there.
        commit: Hub commit, in whose snapshot it is put.

    Raises:
        CheckpointUnavailable: The download failed.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        hf_hub_download(repository, f"{component}/config.json", revision=commit)
    except Exception as error:
        if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
            return  # the repository has none
        raise CheckpointUnavailable(
            f"{component}/config.json of {repository} is not on this machine, and the download failed: {failure(error)}"
        ) from error
