"""A check of a Space by its id: what the Hub says of it, and a server that does not say whether it has a cache."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import spacediff
from spacediff.checking import check as check_module
from spacediff.checking.check import SilentCheck
from spacediff.checking.result import Question
from spacediff.errors import DeadlineExceeded, Exit, InvalidArgument, SpaceApiMismatch
from spacediff.record import FactKind
from spacediff.sources.space import asking
from support.faults_table import space_that_fails
from support.faulty_space import FaultySpace, completed, dripped


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


@pytest.mark.parametrize("place", ["config", "hub"])
def test_a_space_that_does_not_describe_itself_ends_the_check_with_the_deadline(space: FaultySpace, place: str) -> None:
    space.fails(place, dripped)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"Space org/faulty did not describe itself within \d s"):
        spacediff.check_space("org/faulty", deadline=4)
    assert space.asked[place], "it was asked, and not only the process started"
    assert time.monotonic() - began < 9


def test_a_space_that_says_nothing_for_long_is_not_waited_for_until_the_deadline(
    space: FaultySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SILENCE_SECONDS", 4.0)
    space.fails("config", dripped)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not describe itself within \d s"):
        spacediff.check_space(space.url)
    assert space.asked["config"]
    assert time.monotonic() - began < 9


def test_the_hub_is_asked_for_source_and_quota_until_the_deadline_only(
    space: FaultySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a" * 30)
    space.fails()
    space.hardware = "zero-a10g"
    ends = time.monotonic() + 30
    found = asking.listed("org/faulty", 30, SilentCheck())
    monkeypatch.setattr(check_module, "listed", lambda *_: found)
    space.fails("hub", dripped)
    began = time.monotonic()
    check = spacediff.check_space("org/faulty", deadline=2, calls=1)
    assert began < ends
    assert "the Hub gave no complete answer within 2 s" in check.unreadable
    assert time.monotonic() - began < 20, "the first call took its deadline, and the Hub was asked once more"


def test_the_deadline_of_a_scenario_holds_for_its_check(space: FaultySpace, tmp_path: Path) -> None:
    space.fails("config", dripped)
    file = tmp_path / "mine.toml"
    file.write_text(f"""
title = "Mine"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random" }}
[reference.space]
id = "{space.url}"
endpoint = "/generate"
inputs = {{ prompt = "{{prompt}}" }}
deadline = 1
""")
    with pytest.raises(DeadlineExceeded, match=r"did not describe itself within \d s"):
        spacediff.check_space(file)


@pytest.mark.parametrize("address", ["http://", "http://[::1", "https:///app", "http://here:port", "http://here:70000"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument, match="is not the address of an app"):
        spacediff.check_space(address)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), float("inf")])
def test_a_deadline_is_a_number_above_0(deadline: float) -> None:
    with pytest.raises(InvalidArgument, match="seconds above 0"):
        spacediff.check_space("org/faulty", deadline=deadline)


def test_an_endpoint_that_is_not_there_costs_no_call(space: FaultySpace) -> None:
    space.fails()
    with pytest.raises(SpaceApiMismatch, match="did you mean '/generate'"):
        spacediff.check_space("org/faulty", endpoint="/genrate")
    assert space.asked["join"] == 0
