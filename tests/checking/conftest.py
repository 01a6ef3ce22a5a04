from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.checked_app import checked_app
from support.gradio_servers import SpaceApp


@pytest.fixture(scope="session")
def spaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpaceApp]:
    """An app whose endpoints are Spaces of all kinds."""
    with checked_app(tmp_path_factory.mktemp("spaces")) as running:
        yield running
