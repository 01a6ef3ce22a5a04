from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from spacediff.clip import read_clip
from support.gradio_servers import SpaceApp
from support.hub_stand_in import HubStandIn, Space, hub_stand_in
from support.space_requests import TOKEN, request_of

ON_THE_HUB = """
import json, sys
from pathlib import Path
from spacediff.errors import NotMeasuredError
from spacediff.progress import SilentListener
from spacediff.sources.space import SpaceRequest, fetch

answers = []
for request in json.loads(sys.argv[1]):
    try:
        produced = fetch(SpaceRequest(**request), "a lemon", 42, Path(sys.argv[2]), SilentListener())
        answers.append({"digest": produced.clip.digest, "hosted": produced.hosted, "described": produced.described})
    except NotMeasuredError as error:
        answers.append({"code": error.code, "message": error.message, "hint": error.hint})
assert "gradio" not in sys.modules  # takes seconds to import
print(json.dumps(answers))
"""
"""Runs in a separate process, because huggingface_hub reads HF_ENDPOINT when it is imported."""


@pytest.fixture(scope="module")
def hub(app: SpaceApp) -> Iterator[HubStandIn]:
    spaces = {
        "org/running": Space(app.url, requirements="# pins\ntorch==2.4.0 # CUDA 12\nspaces\n-r x\ndiffusers>=0.30\n"),
        "org/private": Space(app.url, private=True),
        "org/crashed": Space(app.url, "RUNTIME_ERROR", error=f"OOM \x1b[31m {TOKEN}"),
        "org/PAUSED": Space(app.url, "PAUSED"),
    }
    with hub_stand_in(spaces, TOKEN) as running:
        yield running


def on_the_hub(app: SpaceApp, endpoint: str, folder: Path, *ids: str, **environment: str) -> list[dict[str, Any]]:
    requests = [asdict(request_of(app, "plain", id=name)) for name in ids]
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_HUB, json.dumps(requests), str(folder)],
        env={**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_TOKEN": "", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert TOKEN not in done.stdout
    return list(json.loads(done.stdout))


def test_a_space_is_found_through_the_hub_and_gets_the_token(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    running, private, crashed, misspelt = on_the_hub(
        app, hub.url, tmp_path, "org/running", "org/private", "org/crashed", "org/runing", HF_TOKEN=TOKEN
    )
    assert running["digest"] == private["digest"] == read_clip(app.folder / "clip.mp4").digest
    assert running["described"] == "Space org/running /plain"
    assert re.fullmatch(r"[0-9a-f]{12}", running["hosted"].pop("api schema"))
    assert running["hosted"] == {
        "space": "org/running",
        "commit": "2e" * 20,
        "running commit": "1f" * 20,
        "last modified": "2024-12-24T18:00:00+00:00",
        "stage": "RUNNING",
        "hardware": "zero-a10g",
        "sdk": "gradio",
        "sdk version": "4.44.1",
        "python": "3.10",
        "gradio": running["hosted"]["gradio"],
        "torch": "==2.4.0",
        "diffusers": ">=0.30",
    }
    assert crashed["code"] == "space-broken"
    assert crashed["message"] == "Space org/crashed has crashed: OOM [31m [redacted]"
    assert misspelt["message"] == "Space org/runing is not on the Hub, or it is private"
    assert f"Bearer {TOKEN}" in app.seen()["tokens"]  # the twin of the test that an address never gets it
    asked = {path for path, _ in hub.asked}
    assert "/api/spaces/org/running" in asked
    assert not any("telemetry" in path for path in asked)


def test_the_state_of_a_space_that_is_not_running_is_reported(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    before = len(app.seen()["calls"])
    ids = ("PAUSED", "private", "nowhere", "a b")
    answers = on_the_hub(app, hub.url, tmp_path, *(f"org/{name}" for name in ids))
    said = dict(zip(ids, answers, strict=True))
    assert {name: answer["message"] for name, answer in said.items()} == {
        "PAUSED": "Space org/PAUSED is paused by its owner",
        "private": "Space org/private is not on the Hub, or it is private",
        "nowhere": "Space org/nowhere is not on the Hub, or it is private",
        "a b": "Space org/a b cannot exist, its id is not ORG/NAME",
    }
    assert {name: answer["code"] for name, answer in said.items()} == {
        "PAUSED": "space-paused",
        "private": "space-not-found",
        "nowhere": "space-not-found",
        "a b": "space-not-found",
    }
    assert "duplicate" in said["PAUSED"]["hint"]
    assert "HF_TOKEN" in said["private"]["hint"]
    assert len(app.seen()["calls"]) == before


def test_an_unknown_token_is_an_error_of_the_hub(app: SpaceApp, hub: HubStandIn, tmp_path: Path) -> None:
    (answer,) = on_the_hub(app, hub.url, tmp_path, "org/running", HF_TOKEN="hf_" + "x" * 30)
    assert "could not be looked up on the Hub: " in answer["message"]
    assert "HF_TOKEN" in answer["hint"]
    assert answer["code"] == "hub-unavailable"


def test_an_unreachable_hub_is_reported(app: SpaceApp, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
    (answer,) = on_the_hub(app, nowhere, tmp_path, "org/running")
    assert "cannot be reached: " in answer["message"]
    assert answer["code"] == "hub-unavailable"
    (answer,) = on_the_hub(app, nowhere, tmp_path, "org/running", HF_HUB_OFFLINE="1")
    assert answer["message"] == "Space org/running cannot be asked: HF_HUB_OFFLINE is set"
