"""A Hub on loopback that has models, asked by this process and by those that it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from spacediff.fitting import on_hub
from support.hub_stand_in import HubStandIn, Model, hub_stand_in


@contextmanager
def hub_of(folders: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """Serve folders as models, with an empty cache in `tmp_path / "hub"`."""
    models = {
        name: Model(
            {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        )
        for name, root in folders.items()
    }
    with hub_stand_in({}, models=models) as server:
        for name, text in {"ENDPOINT": server.url, "HUB_CACHE": str(tmp_path / "hub"), "HUB_OFFLINE": "0"}.items():
            monkeypatch.setenv(f"HF_{name}", text)  # for the process that asks
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        _forget()
        yield server
        _forget()


def _forget() -> None:
    on_hub._Remembered.answers.clear()
    on_hub._Remembered.silent_until = 0.0
