"""Rebuild a generator with another seed, at the place to which a script has drawn from its own; or noise it has drawn.

The key insight: the numbers that a generator gives next stand somewhere in the sequence of its seed, and their place is
how many were drawn. As many are drawn from the sequence of the other seed. Whether that is how this generator works is
not assumed but tried: rebuilt with its own seed, it has to have its own state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from .generators import is_fresh

_LOOKED_FOR = 16
"""So many of the next numbers, of 31 bits each, are looked for."""
_MOST_DRAWN = 2**30
"""Further in the sequence of a seed a generator's place is not looked for."""
_AT_ONCE = 2**22
_SEEDS = 2**64
_BYTES_OF_SEQUENCE = {"cpu": 5016, "cuda": 8}
"""Bytes of a state that the seed decides: on the CPU the seed and the Mersenne Twister, on CUDA the seed alone. What
follows stays: on the CPU a normal number that is kept for a draw of few, on CUDA how much was drawn."""


def rebuilt(generator: Any, seed: int) -> Any:
    """Return a generator with another seed from which as much was drawn as from a script's; None if that is unknown.

    Args:
        generator: The script's generator, which stays as it is.
        seed: The other seed.
    """
    if is_fresh(generator):
        return _new(generator, seed)
    size = _BYTES_OF_SEQUENCE.get(generator.device.type)
    own, state = generator.initial_seed(), generator.get_state()
    if size is None or not _is_state(_with_sequence(generator, own, size), state):
        return None
    found = _new(generator, seed)
    found.set_state(_with_sequence(generator, seed, size))
    return found


def moved(seed: int, first: int, to: int) -> int:
    """Return the seed of one of several generators when the first one's seed is changed: their distance stays.

    Args:
        seed: The generator's own seed.
        first: That of the first generator.
        to: The first one's new seed.
    """
    return (seed - first + to) % _SEEDS


@dataclass(frozen=True)
class Drawn:
    """How noise was drawn: first of all, from a new generator.

    Attributes:
        seed: The generator's seed.
        device: Its device.
        dtype: The dtype in which it was drawn.
    """

    seed: int
    device: Any
    dtype: Any

    def again(self, seed: int, like: Any) -> Any:
        """Return the noise of a seed, drawn in the same way, with shape, device and dtype of other noise."""
        import torch

        generator = torch.Generator(self.device).manual_seed(seed)
        noise = torch.randn(like.shape, generator=generator, device=self.device, dtype=self.dtype)
        return noise.to(like.device, like.dtype)


def drawn_from(noise: Any, seeds: Iterable[int]) -> Drawn | None:
    """Return how noise was drawn from one of some seeds; None where it is none of the usual ways.

    Args:
        noise: The noise that a script passes to its call.
        seeds: The seeds.
    """
    import torch

    if not isinstance(noise, torch.Tensor) or not noise.is_floating_point():
        return None
    devices = dict.fromkeys([torch.device("cpu"), noise.device])
    ways = [Drawn(*each) for each in product(seeds, devices, dict.fromkeys([noise.dtype, torch.float32]))]
    return next((way for way in ways if torch.equal(way.again(way.seed, noise), noise)), None)


def _is_state(found: Any, state: Any) -> bool:
    import torch

    return found is not None and bool(torch.equal(found, state))


def _with_sequence(generator: Any, seed: int, size: int) -> Any:
    """Return the state of a generator with the sequence of a seed at its place; None if that is not found."""
    import torch

    state, fresh = generator.get_state(), _new(generator, seed)
    if generator.device.type == "cpu":
        drawn = _drawn(generator.initial_seed(), state.numpy().tobytes())
        if drawn is None:
            return None
        for count in _parts(drawn):
            torch.empty(count, dtype=torch.uint8).random_(generator=fresh)  # one number of the sequence for each
    return torch.cat([fresh.get_state()[:size], state[size:]])


@lru_cache(maxsize=8)
def _drawn(seed: int, state: bytes) -> int | None:
    """Return how many numbers were drawn from a generator of the CPU; None if its place is not found."""
    import torch

    own, fresh = torch.Generator(), torch.Generator().manual_seed(seed)
    own.set_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
    wanted = torch.empty(_LOOKED_FOR, dtype=torch.int32).random_(generator=own)
    before, begin = torch.empty(0, dtype=torch.int32), 0
    for count in _parts(_MOST_DRAWN):
        there = torch.cat([before, torch.empty(count, dtype=torch.int32).random_(generator=fresh)])
        starts = (there[: len(there) - _LOOKED_FOR + 1] == wanted[0]).nonzero().flatten().tolist()
        for start in starts:
            if torch.equal(there[start : start + _LOOKED_FOR], wanted):
                return begin + int(start)
        before = there[len(there) - _LOOKED_FOR + 1 :]
        begin += len(there) - len(before)
    return None


def _parts(count: int) -> Iterator[int]:
    """Yield numbers whose sum is a number, none too large for the memory."""
    for begin in range(0, count, _AT_ONCE):
        yield min(_AT_ONCE, count - begin)


def _new(generator: Any, seed: int) -> Any:
    import torch

    return torch.Generator(generator.device).manual_seed(seed)
