"""Put another seed or device in for the generator of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .generators import default_generator, is_fresh
from .placing import is_on
from .refusing import refused_noise

_GLOBAL = "global"


class Seeding:
    """What the noise of a call is to come from.

    Args:
        seed: The seed of the prompt; None to leave the script's.
        wanted: `seed` and `device`, as a scenario names them.
    """

    def __init__(self, seed: int | None, wanted: Mapping[str, Any]) -> None:
        self._of_prompt = seed
        self._wanted = wanted
        self._seed: int | None = wanted.get("seed", seed)
        self.applied = [f"rng.{name}" for name in wanted]
        """Paths of the settings that are put in."""

    def arguments(self, pipeline: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        """Seed what the call draws from, and return the generator where it is to be another one.

        A generator that has the seed and the device already stays as it is, whatever was drawn from it.

        Args:
            pipeline: The pipeline.
            given: All arguments of the call.

        Raises:
            RefusedError: Numbers have been drawn before the call, or the script passes the noise or several generators.
        """
        import torch

        noise = noise_of(pipeline, given)
        for refused in refused_noise(self._of_prompt, self._wanted, noise):
            raise refused
        if noise["latents"]:
            return {}
        there, seed = noise["device"], noise["seed"] if self._seed is None else self._seed
        wanted = self._wanted.get("device", there)
        same_device = is_on(there, wanted)
        if same_device and seed == noise["seed"]:
            return {}
        if wanted == _GLOBAL:
            torch.manual_seed(seed)
            return {} if same_device else {"generator": None}
        made = torch.Generator(there if same_device else wanted).manual_seed(seed)
        return {"generator": [made] if isinstance(given.get("generator"), list | tuple) else made}


def noise_of(pipeline: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call draws its noise from, as `spacediff.watch.refusing` asks it.

    Args:
        pipeline: The pipeline.
        given: All arguments of the call.

    Returns:
        `latents`, whether the call is given the noise itself; `seeds`, from which it may come; and of the generator
        `device` (`global` for that of torch), `seed` (None where it cannot be read), `generators`, their number, and
        `fresh`, whether nothing was drawn from the first since it was seeded.
    """
    import torch

    there = given.get("generator")
    several = list(there) if isinstance(there, list | tuple) else [] if there is None else [there]
    own = several[0] if several else None
    drawn_from = default_generator(pipeline) if own is None else own
    usual = (drawn_from, torch.default_generator) if own is None else (own,)
    return {
        "latents": given.get("latents") is not None,
        "seeds": sorted({each.initial_seed() for each in usual if each is not None}),
        "device": _GLOBAL if own is None else str(own.device),
        "seed": None if drawn_from is None else drawn_from.initial_seed(),
        "generators": len(several),
        "fresh": drawn_from is not None and is_fresh(drawn_from),
    }
