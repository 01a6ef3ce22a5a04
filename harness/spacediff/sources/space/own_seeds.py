"""Inputs of a Space that make it draw a seed of its own, looked for before anything is generated.

Most public Spaces have an input such as `randomize_seed` that is on unless a request switches it off. The Space then
ignores the seed of the scenario, and every comparison with it is one of two samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from spacediff.errors import NotMeasuredError
from spacediff.hub.space_errors import plain
from spacediff.record import Fact, FactKind, fact
from spacediff.run import Run
from spacediff.sources.space.asking import look
from spacediff.sources.space.request import Api, SpaceRequest

_LONGEST = 30.0
"""Seconds that looking at a Space may take before the first run; the run itself waits longer."""


def own_seeds(request: SpaceRequest, api: Api | None = None) -> list[Fact]:
    """Return the inputs of a request that make the Space draw a seed of its own.

    Args:
        request: The request.
        api: The endpoint as the Space declares it; without it, only what the request sends is known.
    """
    known = {name: _Input.of(name, each) for name, each in api.inputs.items()} if api else {}
    names = dict.fromkeys([*known, *request.inputs])
    inputs = {name: known.get(name, _Input(name)) for name in names}
    return [
        fact(FactKind.SEED_RANDOMISED, space=plain(request.id), input=plain(name), sent=name in request.inputs)
        for name, each in inputs.items()
        if each.draws_a_seed and request.inputs.get(name, each.default) is True
    ]


class _Input:
    """An input, with what the Space says of it."""

    def __init__(self, name: str, label: str = "", default: Any = None) -> None:
        self.draws_a_seed = "random" in f"{name} {label}".lower()
        self.default = default

    @classmethod
    def of(cls, name: str, declared: Mapping[str, Any]) -> _Input:
        return cls(name, str(declared.get("label", "")), declared.get("parameter_default"))


def own_seeds_of(runs: Iterable[Run]) -> list[Fact]:
    """Return the inputs that make the Spaces of some runs draw seeds of their own.

    A Space that does not answer in half a minute is left to its run, which says why. What the request itself switches
    on is found without asking.

    Args:
        runs: Runs whose source is a Space that has an address.
    """
    found: list[Fact] = []
    for request in _distinct(SpaceRequest(**run.request) for run in runs):
        seen = own_seeds(request)
        if not seen:
            with suppress(NotMeasuredError):
                seen = own_seeds(request, _asked(request))
        found += [each for each in seen if each not in found]
    return found


def _distinct(requests: Iterable[SpaceRequest]) -> list[SpaceRequest]:
    return list({repr(request): request for request in requests}.values())


def _asked(request: SpaceRequest) -> Api:
    seconds = min(request.deadline, _LONGEST)
    answer = look(replace(request, deadline=seconds), time.monotonic() + seconds)
    return Api(answer.inputs, answer.outputs_listed, answer.probed)
