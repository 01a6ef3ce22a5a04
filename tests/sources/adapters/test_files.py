"""Files of adapters on the Hub, served by a stand-in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacediff.errors import CheckpointUnavailable
from spacediff.hub import asking
from spacediff.sources.local.adapters.files import adapter_file
from support.hub_stand_in import HubStandIn, Model, hub_stand_in

COMMIT = "2e" * 20
FILES = {"fast.safetensors": b"fast", "slow.safetensors": b"slow", "deep/one.safetensors": b"one", "old.bin": b"pickle"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    models = {"org/loras": Model(FILES), "org/pickled": Model({"weights.bin": b"pickle"})}
    with hub_stand_in({}, models=models) as server:
        for name, text in {"ENDPOINT": server.url, "HUB_CACHE": str(tmp_path / "hub"), "HUB_OFFLINE": "0"}.items():
            monkeypatch.setenv(f"HF_{name}", text)  # for the process that asks
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            server.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield server


@pytest.mark.usefixtures("hub")
def test_a_file_of_the_hub_is_downloaded_and_has_its_commit() -> None:
    found = adapter_file("lora.a", {"id": "org/loras", "weight_name": "fast.safetensors"})
    assert found.path.read_bytes() == b"fast"
    assert found.commit == COMMIT
    deep = adapter_file("lora.a", {"id": "org/loras", "subfolder": "deep"})
    assert (deep.name, deep.path.read_bytes(), deep.root) == ("one.safetensors", b"one", found.root)


@pytest.mark.usefixtures("hub")
def test_several_files_of_the_hub_pickles_and_missing_ones_are_refused() -> None:
    with pytest.raises(CheckpointUnavailable, match=r"several .safetensors files: fast.safetensors, slow.safetensors"):
        adapter_file("lora.a", {"id": "org/loras"})
    with pytest.raises(CheckpointUnavailable, match=r"weights.bin is pickled"):
        adapter_file("lora.a", {"id": "org/pickled"})
    with pytest.raises(CheckpointUnavailable, match=r"no.safetensors of org/loras is not on this machine"):
        adapter_file("lora.a", {"id": "org/loras", "weight_name": "no.safetensors"})


def test_a_hub_that_never_answers_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr(asking, "_SECONDS", 1.0)
        began = time.monotonic()
        with pytest.raises(CheckpointUnavailable, match=r"lora\.a: org/silent .* gave no complete answer within 1 s"):
            adapter_file("lora.a", {"id": "org/silent"})
        assert time.monotonic() - began < 1 + 5
