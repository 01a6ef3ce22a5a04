"""Which seed gave a recorded noise, and how it was drawn.

The key insight: a digest confirms noise that can be drawn again, and a sketch confirms one that is the same but for its
last bits, while the noises of two seeds are far apart. So the usual seeds and ways of drawing are tried in turn, the
likely ones first, and what does not match is never named.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spacediff.observer.sketch import distance, sketch
from spacediff.observer.tensors import digest, statistics
from spacediff.record import Fact, FactKind, NoiseRecord, fact
from spacediff.sources.local.noise import randn_as_older_torch
from spacediff.sources.local.philox import blocks_of, head_of_cuda, randn_of_cuda

if TYPE_CHECKING:
    import torch

_USUAL_SEEDS = (42, 0, 1, 1234, 123, 12345, 1337, 2023, 2024, 2025, 3407, 666, 7, 8, 10, 100, 1024, 123456, 4294967295)
_DRAWS = 4
"""How many draws after the seeding are tried."""
_CLOSE = 0.05
"""Relative distance below which two noises are the same; rounding to bfloat16 makes 0.002, two seeds make 1.4."""
_MOST_VALUES = 100_000_000
"""Of all tensors that are drawn to be compared: some seconds of one free processor, more on a busy one."""
_LARGEST = 30_000_000
"""Values of a noise that is looked for: the latents of four minutes of 720p."""
_LARGEST_SEED = 2**63 - 2
_DTYPES = ("float32", "bfloat16", "float16")
_BLOCK = 16
"""Values that torch draws at a time on the CPU, so that the first are the same whatever their number."""
_ENOUGH = 8
"""First values that rule a noise out: by chance, not one noise in a million has those of another."""
_SLACK = 0.02
"""Difference of a first value that rounding to bfloat16 can make, with one of as many times its size."""
_VIDEO = 5
"""Dimensions of the latents of a video."""

_Arrangement = Literal["whole", "swapped", "items"]


@dataclass(frozen=True)
class _Way:
    """A way of drawing.

    Attributes:
        device: `cpu` or `cuda`.
        dtype: Dtype in which the numbers are computed or rounded first.
        older: Whether a half precision is that of torch up to 2.11 on the CPU.
        arrangement: `whole`; `swapped`, drawn with the axes of channels and frames in the other order; or `items`, each
            item of the batch from a generator of its own, whose seeds count up.
        draw: Which draw of this size it is, from 1.
        blocks: For `cuda`, how many blocks the GPU runs at once.
    """

    device: str
    dtype: str
    older: bool = False
    arrangement: _Arrangement = "whole"
    draw: int = 1
    blocks: int = 0


def origin_of(noise: NoiseRecord, seed: int | None) -> Fact | None:
    """Find the seed of a noise, and how it was drawn, among the usual ones.

    Args:
        noise: The noise, with its digest and its sketch.
        seed: The seed that its side declares, which is tried first.

    Returns:
        What gave it, or that nothing could be tried, for its size, dtype or device; None if nothing that was tried did.
    """
    shape, budget = tuple(noise.shape), _MOST_VALUES
    if noise.dtype not in _DTYPES or min(shape, default=0) < 1 or math.prod(shape) > _LARGEST:
        return fact(FactKind.NOISE_NOT_TRIED)
    tried = False
    for found, way in _candidates(noise, seed):
        tried = True
        if _ruled_out(noise, found, way):
            continue
        budget -= math.prod(shape) * (way.draw if way.device == "cpu" else 1)
        if budget < 0:
            return None
        exact = _matches(noise, _drawn(shape, found, way))
        if exact is not None:
            return fact(
                FactKind.NOISE_OF_SEED,
                seed=found,
                device=way.device,
                dtype=way.dtype,
                older=way.older,
                arrangement=way.arrangement,
                draw=way.draw,
                exact=exact,
            )
    return None if tried else fact(FactKind.NOISE_NOT_TRIED)


def _candidates(noise: NoiseRecord, seed: int | None) -> Iterator[tuple[int, _Way]]:
    """Yield seeds and the ways in which a noise of this shape, dtype and device can be drawn, the likely ones first."""
    near = [] if seed is None else [seed, seed + 1, seed - 1]
    seeds = dict.fromkeys(each for each in (*near, *_USUAL_SEEDS) if 0 <= each <= _LARGEST_SEED)
    arrangements: list[_Arrangement] = ["whole"]
    if len(noise.shape) == _VIDEO and noise.shape[1] > 1 and noise.shape[2] > 1:
        arrangements.append("swapped")
    if noise.shape[0] > 1:
        arrangements.append("items")
    for draw, arrangement, each in itertools.product(range(1, _DRAWS + 1), arrangements, seeds):
        for way in _of_devices(noise, arrangement, draw):
            yield each, way


def _of_devices(noise: NoiseRecord, arrangement: _Arrangement, draw: int) -> Iterator[_Way]:
    if noise.device == "cpu" or not noise.drawn:
        yield _Way("cpu", "float32", arrangement=arrangement, draw=draw)
        for half in _DTYPES[1:] if noise.dtype == "float32" else (noise.dtype,):
            if half != "float32":
                yield _Way("cpu", half, older=True, arrangement=arrangement, draw=draw)
    if noise.device == "cuda" or not noise.drawn:
        items = noise.shape[0] if arrangement == "items" else 1
        for blocks in blocks_of(math.prod(noise.shape) // items):
            yield _Way("cuda", "float32", arrangement=arrangement, draw=draw, blocks=blocks)


def _ruled_out(noise: NoiseRecord, seed: int, way: _Way) -> bool:
    """Whether the first values show that a noise is another one, before all of it is drawn."""
    known = noise.head[: math.prod(noise.shape[-2:])]  # that many are the same where two earlier axes are swapped
    count = math.prod(noise.shape)
    if len(known) < _ENOUGH or (way.device == "cpu" and (way.draw > 1 or count < 2 * _BLOCK)):
        return False
    own = (1, *noise.shape[1:]) if way.arrangement == "items" else tuple(noise.shape)
    if way.device == "cuda":
        head = head_of_cuda(own, seed, blocks=way.blocks, draw=way.draw, values=len(known)).tolist()
    else:
        head = _tensor((_BLOCK,), seed, way).float().tolist()
    scale, slack = (1.0, _SLACK) if noise.drawn else (noise.std, 5 * _SLACK)  # of a scheduler's scaling
    return any(abs(a - b * scale) > slack * scale * (1 + abs(b)) for a, b in zip(known, head, strict=False))


def _drawn(shape: tuple[int, ...], seed: int, way: _Way) -> torch.Tensor:
    import torch

    if way.arrangement == "items":
        one = (1, *shape[1:])
        return torch.cat([_tensor(one, seed + item, way) for item in range(shape[0])])
    if way.arrangement == "swapped":
        return _tensor((shape[0], shape[2], shape[1], *shape[3:]), seed, way).transpose(1, 2)
    return _tensor(shape, seed, way)


def _tensor(shape: tuple[int, ...], seed: int, way: _Way) -> torch.Tensor:
    import torch

    if way.device == "cuda":
        return torch.from_numpy(randn_of_cuda(shape, seed, blocks=way.blocks, draw=way.draw))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(way.draw):
        drawn = randn_as_older_torch(shape, getattr(torch, way.dtype), generator)
    return drawn


def _matches(noise: NoiseRecord, drawn: torch.Tensor) -> bool | None:
    """Return whether a noise is a drawn one bit for bit; None if it is another one."""
    import torch

    cast = drawn.to(getattr(torch, noise.dtype))
    if digest(cast) == noise.digest:
        return True
    if not noise.drawn:  # the first step is given the noise in the scaling of its scheduler
        std = statistics(cast)[1]
        cast = cast * (noise.std / std if std else 1.0)
    norm = statistics(cast)[2]
    apart = distance(noise.sketch, sketch(cast))
    return False if apart is not None and norm and apart < _CLOSE * norm else None
