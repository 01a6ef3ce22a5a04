"""The loss of the tiny model's text encoder and transformer, trained together: v-prediction over stored latents.

The key insight: CogVideoX attends to all 226 text positions including the padding, which is most of the work for a
caption of twelve words. So a long first stage pads to few positions, and a short last stage to all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacediff.tiny.architecture import HEIGHT, WIDTH

if TYPE_CHECKING:
    import torch

DROPPED = 0.1  # share of captions that are replaced by an empty one, for classifier-free guidance


def hidden_matrices(pipe: Any) -> list[torch.nn.Parameter]:
    """List the weights of the linear layers inside the blocks of the text encoder and the transformer."""
    import torch

    blocks = [pipe.text_encoder.encoder.block, pipe.transformer.transformer_blocks]
    layers = [layer for block in blocks for layer in block.modules() if isinstance(layer, torch.nn.Linear)]
    return [layer.get_parameter("weight") for layer in layers]


@dataclass(frozen=True)
class Latents:
    """The encoded training clips.

    Attributes:
        means: float32 `[N, C, T, H, W]`, not scaled.
        deviations: Standard deviations, float32 `[N, C, T, H, W]`.
        captions: N captions.
    """

    means: torch.Tensor
    deviations: torch.Tensor
    captions: list[str]


class Denoising:
    """The denoising loss of a training step.

    Args:
        pipe: The pipeline whose text encoder and transformer are trained.
        latents: The training data.
        batch: Clips per step.
        tokens: Number of text positions.
        seed: Seed of all random draws.
        device: Device of the models.
    """

    def __init__(self, pipe: Any, latents: Latents, *, batch: int, tokens: int, seed: int, device: str) -> None:
        import torch

        self._pipe = pipe
        self._latents = latents
        self._batch = batch
        self._seed = seed
        self._device = device
        padded = {"padding": "max_length", "max_length": tokens, "truncation": True, "return_tensors": "pt"}
        self._ids = pipe.tokenizer(latents.captions, **padded).input_ids
        self._empty = pipe.tokenizer([""], **padded).input_ids
        frames = latents.means.shape[2]
        self._rotary = pipe._prepare_rotary_positional_embeddings(HEIGHT, WIDTH, frames, torch.device(device))  # noqa: SLF001 - what the pipeline itself passes

    def __call__(self, step: int) -> torch.Tensor:
        """Compute the mean squared error of the predicted velocity (Salimans and Ho 2022, arXiv:2202.00512)."""
        import torch

        draw = torch.Generator().manual_seed(self._seed + step)
        scheduler, latents = self._pipe.scheduler, self._latents
        which = torch.randint(len(latents.captions), (self._batch,), generator=draw)
        means, deviations = latents.means[which], latents.deviations[which]
        clean = means + deviations * torch.randn(means.shape, generator=draw)
        clean = (clean * self._pipe.vae.config.scaling_factor).transpose(1, 2)
        noise = torch.randn(clean.shape, generator=draw)
        times = self._times(draw)
        dropped = torch.rand(self._batch, generator=draw) < DROPPED
        ids = torch.where(dropped[:, None], self._empty, self._ids[which])
        noisy = scheduler.add_noise(clean, noise, times)
        velocity = scheduler.get_velocity(clean, noise, times).to(self._device)
        with torch.autocast(self._device, dtype=torch.bfloat16), _attention_in_float32():
            text = self._pipe.text_encoder(ids.to(self._device))[0]
            predicted = self._pipe.transformer(
                noisy.to(self._device), text, times.to(self._device), image_rotary_emb=self._rotary, return_dict=False
            )[0]
        loss: torch.Tensor = (predicted.float() - velocity).square().mean()
        return loss

    def _times(self, draw: torch.Generator) -> torch.Tensor:
        """Return a timestep for each clip, int64 `[N]`: one from each of N equal parts of the schedule.

        So CogVideoX itself was trained ("explicit uniform sampling", arXiv:2408.06072): the loss of a step, which
        depends on the timestep most of all, varies less than with independent draws.
        """
        import torch

        parts = (torch.arange(self._batch) + torch.rand(self._batch, generator=draw)) / self._batch
        times: torch.Tensor = (parts * self._pipe.scheduler.config.num_train_timesteps).long()
        return times


@contextmanager
def _attention_in_float32() -> Iterator[None]:
    """Compute attention in float32 under autocast.

    On a CPU the backward pass of torch's fused attention is far slower in bfloat16 than in float32 for the short rows
    of the tiny model.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention
    from torch.overrides import TorchFunctionMode

    class Float32(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is not scaled_dot_product_attention:
                return func(*args, **(kwargs or {}))
            query, key, value = args
            with torch.autocast(query.device.type, enabled=False):
                return func(query.float(), key.float(), value.float(), **(kwargs or {})).to(value.dtype)

    with Float32():
        yield
