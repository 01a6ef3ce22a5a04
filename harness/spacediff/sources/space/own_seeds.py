"""Inputs of a Space that make it draw a seed of its own, looked for before anything is generated.

Most public Spaces have an input such as `randomize_seed` that is on unless a request switches it off. The Space then
ignores the seed of the scenario, and every comparison with it is one of two samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spacediff.hub.space_errors import plain
from spacediff.record import Fact, FactKind, fact
from spacediff.sources.space.request import Api, SpaceRequest


def own_seeds(request: SpaceRequest, api: Api | None = None) -> list[Fact]:
    """Return the inputs of a request that make the Space draw a seed of its own.

    Args:
        request: The request.
        api: The endpoint as the Space declares it; without it, only what the request sends is known.
    """
    inputs: dict[str, Mapping[str, Any]] = {name: {} for name in request.inputs} | dict(api.inputs if api else {})
    known_space = {"space": plain(request.id), "reported": "seed" in request.outputs}
    return [
        fact(FactKind.SEED_RANDOMISED, input=plain(name), sent=name in request.inputs, **known_space)
        for name, each in inputs.items()
        if draws_a_seed(name, each) and request.value_of(name, each) is True
    ]


def draws_a_seed(name: str, declared: Mapping[str, Any]) -> bool:
    """Whether an input is called like a switch that makes the Space draw a seed.

    Args:
        name: Its name.
        declared: What the Space says of it.
    """
    return "random" in f"{name} {declared.get('label', '')}".lower()
