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
    known = {name: _Input.of(name, each) for name, each in api.inputs.items()} if api else {}
    names = dict.fromkeys([*known, *request.inputs])
    inputs = {name: known.get(name, _Input(name)) for name in names}
    known_space = {"space": plain(request.id), "reported": "seed" in request.outputs}
    return [
        fact(FactKind.SEED_RANDOMISED, input=plain(name), sent=name in request.inputs, **known_space)
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
