from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from spacediff.sources.space.overhearing import Overheard, overhear

STARTS = {"msg": "process_starts", "event_id": "e"}


def completed(**said: Any) -> dict[str, Any]:
    return {"msg": "process_completed", "event_id": "e", "success": True, "output": {}, **said}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (completed(used_cache="full"), "full"),
        (completed(used_cache="partial"), "partial"),
        (completed(used_cache=None), "no"),
        (completed(), "unknown"),
        (completed(used_cache=["full"]), "unknown"),
        (completed(used_cache=None, success=False), "unknown"),
        ({"msg": "process_completed"}, "unknown"),
    ],
)
def test_only_a_server_that_says_so_has_used_no_cache(message: dict[str, Any], found: str) -> None:
    overheard = Overheard()
    overheard.hear(message)
    assert overheard.used_cache == found
    assert overheard.work_seconds is None


def test_the_time_of_the_work_begins_when_the_space_begins() -> None:
    overheard = Overheard()
    for message in (STARTS, "noise", None, completed(used_cache=None)):
        overheard.hear(message)
    assert overheard.work_seconds is not None
    assert 0 <= overheard.work_seconds < 5


def test_the_clients_messages_are_read_along_and_reach_it() -> None:
    client = SimpleNamespace(pending_messages_per_event={})
    overheard = overhear(client)
    waiting, found = client.pending_messages_per_event, []
    waiting.setdefault("e", deque()).append(completed(used_cache="full"))
    found.append(overheard.used_cache)
    assert waiting["e"].popleft()["msg"] == "process_completed"
    waiting["f"] = deque()
    waiting["f"].append(completed(used_cache=None))
    found.append(overheard.used_cache)
    assert found == ["full", "no"]


def test_of_a_client_that_keeps_its_messages_otherwise_nothing_is_known() -> None:
    client = SimpleNamespace()
    assert overhear(client).used_cache == "unknown"
