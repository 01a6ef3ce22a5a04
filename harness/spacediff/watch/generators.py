"""The generator of a call: its device, its seed, and whether numbers have been drawn from it before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..observer.digest_length import DIGITS


def generator_of(pipeline: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the noise of a call.

    Args:
        pipeline: The pipeline.
        given: All arguments of the call.

    Returns:
        `device` (`global` without a generator), `seed`, `state`, the digest of the generator's state, and `drawn`,
        whether that is another state than right after seeding. Of several generators `device` and `seed` are those of
        the first, `state` is the digest of all states, `drawn` says whether it is so for any, and `count` is added.
    """
    generator = given.get("generator")
    several = list(generator) if isinstance(generator, list | tuple) else None
    if several is not None:
        generator = several[0] if several else None
    found: dict[str, Any] = {"device": "global" if generator is None else str(generator.device).removesuffix(":0")}
    if generator is None:
        generator = default_generator(pipeline)
    if generator is not None:
        every = several or [generator]
        states = b"".join(each.get_state().numpy().tobytes() for each in every)
        found |= {
            "seed": generator.initial_seed(),
            "state": hashlib.sha256(states).hexdigest()[:DIGITS],
            "drawn": not all(map(is_fresh, every)),
        }
    if given.get("latents") is not None:
        from .values import plain

        found["latents"] = plain(given["latents"])
    return found | ({"count": len(several)} if several else {})


def is_fresh(generator: Any) -> bool:
    """Whether nothing has been drawn from a generator since it was seeded."""
    import torch

    fresh = torch.Generator(generator.device).manual_seed(generator.initial_seed())
    return torch.equal(generator.get_state(), fresh.get_state())


def default_generator(pipeline: Any) -> Any:
    """Return the generator that a pipeline draws from when its call gets none; None where it cannot be read."""
    import torch

    device = torch.device(str(getattr(pipeline, "_execution_device", "cpu")))
    if device.type == "cpu":
        return torch.default_generator
    module = getattr(torch, device.type, None)
    if device.type == "mps":
        return getattr(module, "_get_default_mps_generator", lambda: None)()
    ours, index = getattr(module, "default_generators", ()), device.index or 0
    return ours[index] if index < len(ours) else None
