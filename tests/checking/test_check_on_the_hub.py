"""A check of a Space by its id: what the Hub says of it, and a server that does not say whether it has a cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import spacediff
from spacediff.checking.result import Question
from spacediff.errors import Exit, SpaceApiMismatch
from spacediff.record import FactKind
from support.faults_table import space_that_fails
from support.faulty_space import FaultySpace, completed


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySpace]:
    with space_that_fails(tmp_path_factory.mktemp("space")) as running:
        yield running


def test_the_hub_says_hardware_and_quota_and_why_the_source_was_not_read(
    space: FaultySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a" * 30)
    space.fails()
    space.hardware, space.quota = "zero-a10g", {"base": 1500, "current": 600, "resetsAt": None}
    check = spacediff.check_space("org/faulty", calls=3)
    assert check.hosted["hardware"] == "zero-a10g"
    assert "has no Python app file" in check.unreadable
    found = {each.fact.kind: each for each in check.answers}
    assert found[FactKind.SPACE_REPEATS].fact.values == {"uncached": False}
    assert found[FactKind.SPACE_CACHE_UNSAID].fact.values == {"gradio": "5.49.1"}
    assert found[FactKind.SPACE_SEED_BLIND].calls == 2
    assert found[FactKind.SPACE_SEED_ECHOED].fact.values == {"sent": 43, "used": 42}
    assert found[FactKind.SPACE_QUOTA_USED].fact.values == {"each": 0.0, "left": 600.0, "of": 1500.0}
    assert space.asked["join"] == len(check.calls) == 3
    assert check.exit_code is Exit.GATE_FAILED


def test_an_answer_from_the_cache_is_seen_in_the_last_message_of_the_queue(space: FaultySpace) -> None:
    space.fails()
    clip = {"path": "clip.mp4", "url": f"{space.url}/gradio_api/file=clip.mp4"}
    space.messages = [completed({"data": [clip, 42]}) | {"used_cache": "full"}]
    check = spacediff.check_space("org/faulty", calls=2)
    kinds = {each.question: each.fact.kind for each in check.answers}
    assert kinds[Question.REPEATS] is FactKind.SPACE_REPEAT_CACHED
    assert kinds[Question.CACHE] is FactKind.SPACE_CACHE_USED


def test_an_endpoint_that_is_not_there_costs_no_call(space: FaultySpace) -> None:
    space.fails()
    with pytest.raises(SpaceApiMismatch, match="did you mean '/generate'"):
        spacediff.check_space("org/faulty", endpoint="/genrate")
    assert space.asked["join"] == 0
