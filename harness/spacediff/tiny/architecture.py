"""A CogVideoX pipeline of any size: the classes of CogVideoX-5b with their mechanisms enabled, and small widths.

Rotary positions, a causal 3D autoencoder with compression 4 in time and 8 in space, 226 text tokens, v-prediction down
to zero terminal SNR. Only widths and depths differ from the large model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spacediff.catalogue.builtin_checkpoints import SCHEDULER_CONFIG

FRAMES, HEIGHT, WIDTH = 17, 64, 96  # default size of a clip: frames, pixels, pixels
TILED_HEIGHT, TILED_WIDTH = 96, 160
"""The frame size in the VAE's configuration, in pixels. Only its tiles depend on it: they are half as high and as wide.
diffusers' tiles join where 6 divides their height in latents and 5 their width: 6x10 here, 30x45 in CogVideoX-5b."""
TEXT_TOKENS = 226
LATENT_CHANNELS = 16


@dataclass(frozen=True)
class Sizes:
    """Widths and depths of the three models.

    Attributes:
        text_width: Width of a text embedding.
        text_layers: Layers of the T5 encoder, which has two heads.
        time_width: Width of a timestep embedding.
        heads: Heads of the transformer.
        head_width: Width of a head; rotary positions split it 2:3:3 over time, height and width, in pairs.
        layers: Layers of the transformer.
        channels: Channels of the autoencoder, from frames to latents; few at full resolution, because convolutions
            there take most of the time of a clip.
        scaling_factor: Scaling factor of the latents.
    """

    text_width: int
    text_layers: int
    time_width: int
    heads: int
    head_width: int
    layers: int
    channels: tuple[int, int, int, int]
    scaling_factor: float


def assemble(sizes: Sizes, tokenizer: Any) -> Any:
    """Build a `CogVideoXPipeline` in float32 with the initial weights of torch's constructors.

    Its models are in evaluation mode, as `from_pretrained` returns them. torch's random state does not change.
    """
    import torch
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )
    from transformers import T5Config, T5EncoderModel

    with torch.random.fork_rng(devices=[]):
        text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=len(tokenizer),
                d_model=sizes.text_width,
                d_kv=16,
                d_ff=2 * sizes.text_width,
                num_layers=sizes.text_layers,
                num_heads=2,
                feed_forward_proj="gated-gelu",
                dropout_rate=0.0,
            )
        )
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=sizes.heads,
            attention_head_dim=sizes.head_width,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            time_embed_dim=sizes.time_width,
            text_embed_dim=sizes.text_width,
            num_layers=sizes.layers,
            sample_width=WIDTH // 8,
            sample_height=HEIGHT // 8,
            sample_frames=FRAMES,
            use_rotary_positional_embeddings=True,
        )
        vae = AutoencoderKLCogVideoX(
            block_out_channels=sizes.channels,
            latent_channels=LATENT_CHANNELS,
            layers_per_block=1,
            norm_num_groups=4,
            sample_height=TILED_HEIGHT,
            sample_width=TILED_WIDTH,
            scaling_factor=sizes.scaling_factor,
        )
    return CogVideoXPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder.eval(),
        vae=vae.eval(),
        transformer=transformer.eval(),
        scheduler=CogVideoXDDIMScheduler(**SCHEDULER_CONFIG),
    )
