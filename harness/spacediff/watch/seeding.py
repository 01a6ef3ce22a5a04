"""Put another seed or device in for the generator of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .generators import default_generator, is_fresh
from .placing import is_on
from .rebuilding import drawn_from, moved, rebuilt
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
        self.warnings: list[str] = []
        """What is to be known of the noise of the call."""

    def arguments(self, pipeline: Any, given: Mapping[str, Any], noise: Mapping[str, Any]) -> dict[str, Any]:
        """Seed what the call draws from, and return the generator where it is to be another one.

        A generator that has the seed and the device already stays as it is, whatever was drawn from it. From another
        one as much is drawn as from the script's. Of several generators, the seeds keep their distances.

        Args:
            pipeline: The pipeline.
            given: All arguments of the call.
            noise: What `noise_of` returns of them.

        Raises:
            RefusedError: The script passes the noise itself, or it is unknown how much it has drawn before the call.
        """
        for refused in refused_noise(self._of_prompt, self._wanted, noise):
            raise refused
        self.warnings += [] if "seed" in self._wanted else _warnings(noise, self._of_prompt)
        there, seed = noise["device"], noise["seed"] if self._seed is None else self._seed
        wanted = self._wanted.get("device", there)
        if noise["latents"]:
            return {} if noise["drawn"] in (None, seed) else _drawn_again(pipeline, given, noise, seed)
        if not is_on(there, wanted):
            return _on_another_device(given, noise, wanted, seed)
        return {} if seed == noise["seed"] else _seeded(pipeline, given, noise["seed"], seed)


def _warnings(noise: Mapping[str, Any], seed: int | None) -> Iterator[str]:
    if seed is None or not noise["unseeded"]:
        return
    if not noise["latents"]:
        yield f"the script seeds nothing that its call draws from; torch's global generator was given the seed {seed}"
    elif noise["drawn"] is None:
        yield f"the script passes the noise itself, as latents; whether it is that of the seed {seed} is unknown"


def _seeded(pipeline: Any, given: Mapping[str, Any], first: int, seed: int) -> dict[str, Any]:
    """Seed torch, or return the generators of a call with other seeds, each where the script's own is."""
    there = given.get("generator")
    if there is None:
        _seed_torch(pipeline, seed)
        return {}
    several = there if isinstance(there, list | tuple) else [there]
    made: dict[int, Any] = {}
    for each in several:  # the same generator may be there twice
        made.setdefault(id(each), rebuilt(each, moved(each.initial_seed(), first, seed)))
    return {"generator": _like(there, [made[id(each)] for each in several])}


def _drawn_again(pipeline: Any, given: Mapping[str, Any], noise: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the noise of another seed in place of the script's, with the generators of that seed where they can be."""
    latents = given["latents"]
    drawn = drawn_from(latents, [noise["drawn"]])
    found = {} if drawn is None else {"latents": drawn.again(seed, latents)}
    return {**(_seeded(pipeline, given, noise["drawn"], seed) if noise["rebuilt"] else {}), **found}


def _on_another_device(given: Mapping[str, Any], noise: Mapping[str, Any], wanted: str, seed: int) -> dict[str, Any]:
    """Return the generators of another device, from none of which anything was drawn."""
    import torch

    if wanted == _GLOBAL:
        torch.manual_seed(seed)
        return {"generator": None}
    seeds = [moved(each, noise["seed"], seed) for each in noise["every"]]
    return {"generator": _like(given.get("generator"), [torch.Generator(wanted).manual_seed(each) for each in seeds])}


def _seed_torch(pipeline: Any, seed: int) -> None:
    """Seed torch's global generators; those from which the script has drawn are at the same place again."""
    import torch

    states = [(own, rebuilt(own, seed)) for own in _global_of(pipeline)]
    torch.manual_seed(seed)
    for own, other in states:
        if other is not None:
            own.set_state(other.get_state())


def _like(before: Any, generators: list[Any]) -> Any:
    return generators if isinstance(before, list | tuple) else generators[0]


def _global_of(pipeline: Any) -> list[Any]:
    """Return the generators from which a pipeline draws when its call gets none: its device's, and the CPU's."""
    import torch

    return [each for each in (default_generator(pipeline), torch.default_generator) if each is not None]


def noise_of(
    pipeline: Any, given: Mapping[str, Any], seed: int | None = None, torch_seed: int | None = None
) -> dict[str, Any]:
    """Return what a call draws its noise from, as `spacediff.watch.refusing` asks it.

    Args:
        pipeline: The pipeline.
        given: All arguments of the call.
        seed: The seed of the prompt; None if there is none.
        torch_seed: The seed that torch's global generator had when torch was imported, which is a random one; None if
            that is unknown.

    Returns:
        `latents`, whether the call is given the noise itself; `seeds`, from which it may come; `drawn`, the one from
        which it was drawn in a usual way, or None; `device` of the generator (`global` for torch's own); `seed`, that
        of the first generator, and `every`, those of all (None and none where it cannot be read); `unseeded`, whether
        it is torch's own and the script has not seeded it; `fresh`, whether nothing was drawn from any of them since
        it was seeded; `rebuilt`, whether as much can be drawn from another seed.
    """
    import torch

    there, latents = given.get("generator"), given.get("latents")
    passed = list(there) if isinstance(there, list | tuple) else [] if there is None else [there]
    usual = passed or [each for each in [default_generator(pipeline)] if each is not None]
    unseeded = not passed and torch.default_generator.initial_seed() == torch_seed
    seeds = {each.initial_seed() for each in passed[:1] or _global_of(pipeline)} if not unseeded else set()
    drawn = drawn_from(latents, sorted(seeds if seed is None else {*seeds, seed}))
    return {
        "latents": latents is not None,
        "seeds": sorted(seeds),
        "drawn": drawn and drawn.seed,
        "device": str(passed[0].device) if passed else _GLOBAL,
        "seed": usual[0].initial_seed() if usual else None,
        "every": [each.initial_seed() for each in usual],
        "unseeded": unseeded,
        "fresh": all(map(is_fresh, usual)),
        "rebuilt": all(rebuilt(each, each.initial_seed()) is not None for each in usual),
    }
