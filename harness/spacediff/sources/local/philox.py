"""The noise that `torch.randn` draws on a CUDA device, computed without one.

CUDA's generator is Philox 4x32 with ten rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
Thread `t` of a kernel draws stream `t` of the seed, four normal numbers at a time by Box-Muller (`curand_normal4` of
curand_kernel.h), and lays them out a grid apart (`distribution_elementwise_grid_stride_kernel` and
`calc_execution_policy` in ATen/native/cuda/DistributionTemplates.h). So the noise of a large tensor depends on how many
threads the GPU runs at once. That of a small one is also computed by modules/rng_philox.py of AUTOMATIC1111's
stable-diffusion-webui, with whose numbers the tests compare; it was not compared with a GPU here. Logarithm and sine
differ from those of the GPU in the last bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_THREADS = 256
"""Of a block."""
_UNROLL = 4
"""Normal numbers of one call of `curand_normal4`."""
_SCALE = np.float32(2.3283064e-10)
"""2^-32, `CURAND_2POW32_INV`."""
_ANGLE = np.float32(2.3283064e-10 * 6.2831855)
"""2 pi 2^-32, `CURAND_2POW32_INV_2PI`."""

BLOCKS = (
    1056, 864, 1128, 1184, 912, 640, 160, 480, 348, 852, 768, 1020, 492, 504, 456, 408, 432, 168, 276, 204, 360, 396,
)  # fmt: skip
"""Blocks of 256 threads that usual GPUs run at once: multiprocessors times threads of one, by 256. In this order: H100
SXM and H200, A100, RTX PRO 6000 (Blackwell), B200, H100 PCIe, V100, T4, A10G and RTX 4080 Super, L4, L40S, RTX 4090,
RTX 5090, RTX 3090, RTX A6000, RTX 4080, RTX 3080, A10, RTX 3060, RTX 4070, RTX 4060 Ti, RTX 4070 Ti and
its Super."""


def blocks_of(count: int) -> tuple[int, ...]:
    """Return the numbers of blocks of usual GPUs that draw this many numbers differently."""
    wanted = -(-count // _THREADS)
    return tuple(dict.fromkeys(min(blocks, wanted) for blocks in BLOCKS))


def randn_of_cuda(shape: Sequence[int], seed: int, *, blocks: int, draw: int = 1) -> np.ndarray:
    """Draw the noise of `torch.randn` on a CUDA device, in float32, up to the last bits.

    Args:
        shape: Shape of the tensor.
        seed: The seed of the generator.
        blocks: How many blocks the GPU runs at once, or fewer where the tensor needs fewer.
        draw: Which draw of this shape it is, after seeding, from 1.
    """
    count = math.prod(shape)
    threads, loops = _grid(count, blocks)
    calls = [_normal4(seed, threads, (draw - 1) * loops + loop) for loop in range(loops)]
    found: np.ndarray = np.concatenate(calls)[:count].reshape(tuple(shape))
    return found


def head_of_cuda(shape: Sequence[int], seed: int, *, blocks: int, draw: int = 1, values: int = 16) -> np.ndarray:
    """Return the first values of such a noise, at most as many as a block has threads, without drawing the others."""
    _, loops = _grid(math.prod(shape), blocks)
    found: np.ndarray = _normal4(seed, values, (draw - 1) * loops)[:values]
    return found


def _grid(count: int, blocks: int) -> tuple[int, int]:
    """Return how many threads draw, and how often each."""
    threads = _THREADS * blocks
    return threads, -(-count // (threads * _UNROLL))


def _normal4(seed: int, threads: int, offset: int) -> np.ndarray:
    """Return the four normal numbers of each thread, `[4 * threads]`, first the first of all."""
    counter: list[Any] = [np.full(threads, word, np.uint32) for word in (offset, 0, 0, 0)]
    counter[2] = np.arange(threads, dtype=np.uint32)
    low, high = seed % 2**32, seed // 2**32 % 2**32
    for _ in range(_ROUNDS):
        one, other = (counter[2 * n].astype(np.uint64) * _MULTIPLIERS[n] for n in range(2))
        counter = [
            (other >> np.uint64(32)).astype(np.uint32) ^ counter[1] ^ np.uint32(low),
            other.astype(np.uint32),
            (one >> np.uint64(32)).astype(np.uint32) ^ counter[3] ^ np.uint32(high),
            one.astype(np.uint32),
        ]
        low, high = (low + _WEYL[0]) % 2**32, (high + _WEYL[1]) % 2**32
    return np.concatenate([part for n in (0, 2) for part in _box_muller(counter[n], counter[n + 1])])


def _box_muller(radius: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = radius.astype(np.float32) * _SCALE + _SCALE / 2
    v = angle.astype(np.float32) * _ANGLE + _ANGLE / 2
    s = np.sqrt(np.float32(-2) * np.log(u))
    return s * np.sin(v), s * np.cos(v)
