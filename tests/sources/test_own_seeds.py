from __future__ import annotations

from typing import Any

import pytest

from spacediff.record import InsteadRecord, Role
from spacediff.run import Prompt, Run
from spacediff.sources.space import known_before
from spacediff.sources.space.own_seeds import own_seeds
from spacediff.sources.space.request import Api, SpaceRequest
from spacediff.wording import sentences
from support.gradio_servers import SpaceApp
from support.space_requests import Ask

INPUTS = {"prompt": "{prompt}", "seed": "{seed}"}
API = Api(
    {
        "prompt": {},
        "seed": {},
        "switch": {"label": "Randomize seed", "parameter_default": True},
        "random_order": {"label": "Shuffle", "parameter_default": False},
    },
    "",
)


def request(**inputs: Any) -> SpaceRequest:
    return SpaceRequest("org/space", "/generate", INPUTS | inputs, {"video": 0})


@pytest.mark.parametrize(
    ("inputs", "api", "found"),
    [
        ({"randomize_seed": True}, None, [("randomize_seed", True)]),
        ({"randomize_seed": False}, None, []),
        ({}, None, []),
        ({}, API, [("switch", False)]),
        ({"switch": True}, API, [("switch", True)]),
        ({"switch": False}, API, []),
        ({"switch": False, "random_order": True}, API, [("random_order", True)]),
    ],
)
def test_an_input_that_draws_a_seed_is_found(inputs: dict[str, Any], api: Api | None, found: list[Any]) -> None:
    assert [(each.values["input"], each.values["sent"]) for each in own_seeds(request(**inputs), api)] == found


def test_the_api_of_a_space_is_asked_before_anything_is_generated(app: SpaceApp) -> None:
    def run(**inputs: bool) -> Run:
        of_space = {"id": app.url, "endpoint": "/randomised", "outputs": {"video": 0}, "inputs": INPUTS | inputs}
        return Run("reference", Role.REFERENCE, Prompt("p", "a lemon", 42), "space", request=of_space)

    before = app.seen()["calls"]
    (warning,) = sentences(known_before([run(), run()]))
    assert "because of its input randomize_seed, which is on unless the scenario switches it off" in warning
    assert "Set randomize_seed = false" in warning
    assert not known_before([run(randomize_seed=False)])
    assert app.seen()["calls"] == before


def test_a_space_that_does_not_answer_may_be_unavailable() -> None:
    of_space = {"id": "http://127.0.0.1:9", "endpoint": "/generate", "outputs": {"video": 0}, "inputs": INPUTS}
    run = Run("reference", Role.REFERENCE, Prompt("p", "a", 1), "space", request=of_space)
    (said,) = sentences(known_before([run]))
    assert said.startswith("The reference may be unavailable: Space http://127.0.0.1:9 cannot be reached")


def test_a_seed_that_the_space_draws_is_unknown_unless_it_says_it(ask: Ask) -> None:
    silent = ask("randomised_silent", inputs=INPUTS, outputs={"video": 0})
    assert any("draws a seed of its own" in warning for warning in silent.warnings)
    assert silent.instead == InsteadRecord(own_seed=True)
    assert silent.settings.value("rng.seed") is None
    on = ask("randomised", inputs=INPUTS, outputs={"video": 0})
    assert (on.warnings, on.instead) == ((), InsteadRecord(seed=7, own_seed=True))
    off = ask("randomised", inputs=INPUTS | {"randomize_seed": False}, outputs={"video": 0})
    assert (off.warnings, off.instead) == ((), None)


def test_before_the_run_a_seed_that_will_be_reported_is_no_obstacle() -> None:
    reported = SpaceRequest("org/space", "/generate", INPUTS | {"randomize_seed": True}, {"video": 0, "seed": 1})
    (said,) = sentences(own_seeds(reported))
    assert "the runs here use the seed that it reports" in said
    assert "no setting can reproduce" not in said
