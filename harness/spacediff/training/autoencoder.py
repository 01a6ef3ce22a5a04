"""The loss of the tiny model's autoencoder, which is trained on pieces of clips first, then on whole ones.

A piece is as long as the chunks into which the autoencoder divides a clip, and a quarter of the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.architecture import FRAMES, HEIGHT, WIDTH

if TYPE_CHECKING:
    import torch

PIECE = (9, HEIGHT // 2, WIDTH // 2)  # frames, pixels, pixels

_ABSOLUTE, _DIVERGENCE = 0.1, 1e-4  # weights relative to the squared error; the second per latent value


class Reconstructing:
    """The reconstruction loss of a training step.

    Args:
        vae: The autoencoder.
        clips: The training clips, each uint8 `[T, H, W, 3]`.
        batch: Clips per step.
        whole: Whether to train on whole clips instead of pieces.
        seed: Seed of the random selection.
        device: Device of the autoencoder.
    """

    def __init__(
        self, vae: Any, clips: list[NDArray[np.uint8]], *, batch: int, whole: bool, seed: int, device: str
    ) -> None:
        self._vae = vae
        self._clips = clips
        self._batch = batch
        self._whole = whole
        self._seed = seed
        self._device = device

    def __call__(self, step: int) -> torch.Tensor:
        """Compute squared and absolute error, plus the KL divergence of the latents from unit noise."""
        import torch

        frames = as_tensor(self._sample(step)).to(self._device)
        draw = torch.Generator().manual_seed(step)
        with torch.autocast(self._device, dtype=torch.bfloat16):
            latents = self._vae.encode(frames).latent_dist
            noise = torch.randn(latents.mean.shape, generator=draw).to(self._device)
            back = self._vae.decode(latents.mean + latents.std * noise).sample.float()
        mean, logarithm = latents.mean.float(), latents.logvar.float()
        divergence = 0.5 * (mean.square() + logarithm.exp() - 1.0 - logarithm).mean()
        error = back - frames
        loss: torch.Tensor = error.square().mean() + _ABSOLUTE * error.abs().mean() + _DIVERGENCE * divergence
        return loss

    def _sample(self, step: int) -> Iterable[NDArray[np.uint8]]:
        draw = np.random.default_rng([self._seed, step])
        chosen = [self._clips[which] for which in draw.integers(0, len(self._clips), self._batch)]
        return chosen if self._whole else [_piece(clip, draw) for clip in chosen]


def _piece(clip: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
    starts = [
        int(draw.integers(0, whole - size + 1)) for whole, size in zip((FRAMES, HEIGHT, WIDTH), PIECE, strict=True)
    ]
    return clip[tuple(slice(start, start + size) for start, size in zip(starts, PIECE, strict=True))]


def as_tensor(clips: Iterable[NDArray[np.uint8]]) -> torch.Tensor:
    """Convert clips of the same size to float32 `[N, 3, T, H, W]` from -1 to 1."""
    import torch

    return torch.from_numpy(np.stack(list(clips))).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
