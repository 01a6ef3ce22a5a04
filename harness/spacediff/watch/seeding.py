"""Put another seed or device in for the generator of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .generators import default_generator, is_fresh
from .placing import is_on
from .put_in import RefusedError

_GLOBAL = "global"


class Seeding:
    """What the noise of a call is to come from.

    Args:
        seed: The seed of the prompt; None to leave the script's.
        wanted: `seed` and `device`, as a scenario names them.
    """

    def __init__(self, seed: int | None, wanted: Mapping[str, Any]) -> None:
        self._seed: int | None = wanted.get("seed", seed)
        self._device: str | None = wanted.get("device")
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

        there = given.get("generator")
        several = list(there) if isinstance(there, list | tuple) else None
        generator = several[0] if several else there
        if given.get("latents") is not None:
            if self.applied:
                raise RefusedError(self.applied[0], "the script passes the noise itself, as latents")
            self._refuse_noise_of_another_seed(pipeline, generator)
            return {}
        device = _GLOBAL if generator is None else str(generator.device)
        drawn_from = default_generator(pipeline) if generator is None else generator
        if drawn_from is None:
            raise RefusedError("rng.seed", "the generator of this device cannot be read")
        wanted = self._device or device
        same_device = is_on(device, wanted)
        seed = drawn_from.initial_seed() if self._seed is None else self._seed
        if same_device and seed == drawn_from.initial_seed():
            return {}
        _refuse("rng.seed" if same_device else "rng.device", several, drawn_from)
        if wanted == _GLOBAL:
            torch.manual_seed(seed)
            return {} if same_device else {"generator": None}
        made = torch.Generator(device if same_device else wanted).manual_seed(seed)
        return {"generator": [made] if several else made}

    def _refuse_noise_of_another_seed(self, pipeline: Any, generator: Any) -> None:
        """Refuse a seed that is not that of the generator from which a script may have drawn the latents it passes."""
        import torch

        usual = (default_generator(pipeline), torch.default_generator) if generator is None else (generator,)
        seeds = {each.initial_seed() for each in usual if each is not None}
        if self._seed is not None and self._seed not in seeds:
            has = " or ".join(map(str, sorted(seeds)))
            raise RefusedError(
                "rng.seed", f"the script passes the noise itself, as latents, and its generator has the seed {has}"
            )


def _refuse(path: str, several: list[Any] | None, drawn_from: Any) -> None:
    if several and len(several) > 1:
        raise RefusedError(path, f"the script passes {len(several)} generators to the call")
    if not is_fresh(drawn_from):
        own = drawn_from.initial_seed()
        raise RefusedError(path, f"the script has drawn from its generator, seeded with {own}, before the call")
