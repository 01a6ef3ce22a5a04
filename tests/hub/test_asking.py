"""Nothing of an answer of the Hub is taken on trust."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from spacediff.errors import HubUnavailable
from spacediff.hub import asking
from spacediff.hub.asking import reach_hub, space_on_hub
from support.dripping_server import dripping_server
from support.faults_table import space_that_fails
from support.faulty_space import FaultySpace, sending


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySpace]:
    with space_that_fails(tmp_path_factory.mktemp("hub")) as running:
        yield running


def answering(hub: FaultySpace, **changes: Any) -> None:
    hub.fails()
    honest = json.loads(hub.honest("hub"))
    hub.fails("hub", sending(json.dumps(honest | changes).encode()))


def test_a_space_is_described_as_the_hub_says(hub: FaultySpace) -> None:
    answering(hub, siblings=[{"rfilename": "app.py"}])
    found = space_on_hub("org/faulty")
    assert (found.id, found.commit, found.app_file, sorted(found.files)) == (
        "org/faulty",
        "2e" * 20,
        "app.py",
        ["app.py"],
    )
    assert found.facts["hardware"] == "cpu-basic"


@pytest.mark.parametrize("changes", [{"sha": 7}, {"id": ["org/faulty"]}, {"siblings": [{"rfilename": {}}]}])
def test_an_answer_of_another_form_is_an_error_of_the_hub(hub: FaultySpace, changes: dict[str, Any]) -> None:
    answering(hub, **changes)
    with pytest.raises(HubUnavailable, match=r"not understood|not usable"):
        space_on_hub("org/faulty")


def test_a_hub_is_reached_whatever_it_says(hub: FaultySpace) -> None:
    hub.fails()
    assert reach_hub() == hub.url.replace("127.0.0.1", "localhost")


def test_a_hub_without_a_server_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(HubUnavailable, match=r"http://127\.0\.0\.1:1 cannot be reached \(ConnectError\)"):
        reach_hub()


def test_a_hub_that_drips_its_headers_does_not_outlive_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_SECONDS", 1.0)
    with dripping_server() as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        began = time.monotonic()
        with pytest.raises(HubUnavailable, match="no complete answer within 1 s"):
            reach_hub()
    assert time.monotonic() - began < 6
