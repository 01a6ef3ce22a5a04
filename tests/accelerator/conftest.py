from __future__ import annotations

import pytest

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
