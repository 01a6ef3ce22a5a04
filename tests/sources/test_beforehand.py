"""What is known of a Space before the first run: nothing is generated for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacediff.record import FactKind, Role
from spacediff.run import Prompt, Run
from spacediff.sources.space import SpaceRequest, beforehand, known_before
from spacediff.sources.space.messages import Answered
from spacediff.wording import sentences
from support.faults_table import space_that_fails
from support.faulty_space import FaultySpace
from support.hub_stand_in import Space, hub_stand_in

INPUTS = {"prompt": "{prompt}", "seed": "{seed}"}
RUN = Run(
    "reference",
    Role.REFERENCE,
    Prompt("p", "a lemon", 42),
    "space",
    request={"id": "org/faulty", "endpoint": "/generate", "outputs": {"video": 0}, "inputs": INPUTS},
)


def run(**inputs: Any) -> Run:
    return replace(RUN, request={**RUN.request, "inputs": INPUTS | inputs})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySpace]:
    with space_that_fails(tmp_path_factory.mktemp("space")) as found:
        yield found


@pytest.fixture
def space(running: FaultySpace, monkeypatch: pytest.MonkeyPatch) -> FaultySpace:
    running.fails()
    running.hardware, running.quota = "cpu-basic", None
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a" * 30)
    return running


def test_of_a_space_that_fits_the_request_nothing_is_said_and_no_job_is_sent(space: FaultySpace) -> None:
    assert known_before([RUN, RUN]) == []
    assert (space.asked["info"], space.asked["join"]) == (1, 0)


def test_a_renamed_parameter_is_said_before_with_the_nearest_name(space: FaultySpace) -> None:
    (said,) = sentences(known_before([run(promt="x")]))
    assert "The reference may be unavailable: Space org/faulty has no parameter 'promt' at /generate" in said
    assert "did you mean 'prompt'?" in said
    (said,) = sentences(known_before([run(seed_value=7)]))
    assert "did you mean 'seed'?" in said
    assert space.asked["join"] == 0


def test_a_space_that_sleeps_is_waited_for_and_one_that_is_paused_is_not(space: FaultySpace) -> None:
    space.stages = ["SLEEPING"]
    assert sentences(known_before([RUN])) == ["Space org/faulty is asleep; it is waited for until the deadline."]
    space.stages = ["PAUSED"]
    (said,) = sentences(known_before([RUN]))
    assert said.startswith("The reference may be unavailable: Space org/faulty is paused by its owner (ask its owner")


def test_a_switch_is_said_also_of_a_space_that_sleeps(space: FaultySpace) -> None:
    space.stages = ["SLEEPING"]
    kinds = [each.kind for each in known_before([run(randomize_seed=True)])]
    assert kinds == [FactKind.SEED_RANDOMISED, FactKind.SPACE_NOT_READY]


@pytest.mark.parametrize(
    ("quota", "left"),
    [
        ({"base": 1500, "current": 260.5, "resetsAt": "2026-11-30T05:00:00Z"}, 260.5),
        ({"base": 1500, "current": 260.5, "resetsAt": None}, 260.5),
        ({"base": 1500, "current": -1, "resetsAt": None}, None),
        ({"base": True, "current": False, "resetsAt": None}, None),
        ({"base": "many", "current": []}, None),
        ([], None),
    ],
)
def test_the_quota_that_is_left_is_said_where_the_hub_says_it(space: FaultySpace, quota: Any, left: Any) -> None:
    space.hardware, space.quota = "zero-a10g", quota
    (found,) = known_before([RUN])
    assert (found.kind, found.values["left"]) == (FactKind.SPACE_ON_QUOTA, left)
    (said,) = sentences([found])
    assert ("4 min 20 s of 25 min 0 s are left" in said) is (left is not None)
    assert ("renewed 2026-11-30 05:00 UTC" in said) is (bool(left) and bool(quota["resetsAt"]))


APP = """
import spaces
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("a/b")
@spaces.GPU(duration={duration})
def generate(prompt):
    return pipe(prompt).frames[0]
generate("x")
"""


@pytest.mark.parametrize(
    ("duration", "said"),
    [("120", "a call asks for 2 min 0 s of a GPU (app.py:5)"), ("estimated", "the source computes them (app.py:5)")],
)
def test_what_a_call_asks_of_zero_gpu_is_read_in_the_source_of_the_space(
    duration: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosted = Space("http://127.0.0.1:9", files={"app.py": APP.format(duration=duration)})
    with hub_stand_in({"org/zero": hosted}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        answer = Answered(hosted={"hardware": "zero-a10g"}, inputs={}, outputs_listed="", probed=False)
        found = [*beforehand._cost(SpaceRequest("org/zero", "/generate", {}, {"video": 0}), answer)]
        elsewhere = answer.model_copy(update={"hosted": {"hardware": "a10g-small"}})
        assert not [*beforehand._cost(SpaceRequest("org/zero", "/generate", {}, {"video": 0}), elsewhere)]
    assert [each.kind for each in found] == [FactKind.SPACE_ON_QUOTA, FactKind.SPACE_GPU_REQUEST]
    assert said in sentences(found)[1]
