from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from support.heavy_checkpoint import save_heavy_checkpoint
from support.paths import shared_folder
from support.standin import StandIn, StandInUnavailable, build


@pytest.fixture(scope="session")
def standin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """The stand-in accelerator, compiled once: pytest's cache keeps it, and without a cache the session does."""
    cache = getattr(request.config, "cache", None)
    try:
        return build(cache.mkdir("standin") if cache else shared_folder(tmp_path_factory) / "standin")
    except StandInUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def heavy_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 110 MB, saved once in a session."""
    folder = shared_folder(tmp_path_factory) / "heavy-checkpoint"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            save_heavy_checkpoint(folder.with_suffix(".part")).rename(folder)
    return folder
