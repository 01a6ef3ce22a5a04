"""A CogVideoX pipeline of some hundred thousand parameters, drawn instead of trained.

Every part is the class that CogVideoX-5b has, with its mechanisms switched on: rotary positions, a causal 3D
autoencoder with compression 4 in time and 8 in space, 226 text tokens, v-prediction down to zero terminal SNR. Only
widths and depths are small.

The key insight is that the draw needs three corrections, or the picture says nothing. Padding tokens start from zero,
so that every text position carries the words and not the padding. Convolutions average over their neighbourhood, so
that noise decodes into shapes that move instead of snow. The last layer looks at differences between its inputs, so
that colours spread around grey instead of leaving the range. Then prompt, guidance, scheduler and seed are all visible,
while rounding differences stay small: nothing amplifies them.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FRAMES, HEIGHT, WIDTH = 17, 64, 96  # of a clip by default: frames, pixels, pixels

_SEED = 5  # of the draw: of the first nine, the one on which every setting shows best

# scheduler/scheduler_config.json of zai-org/CogVideoX-5b (formerly THUDM/CogVideoX-5b) on the Hub. Where it goes
# beyond the class' defaults: v_prediction, trailing, zero terminal SNR, no clipping, and a shift of 1 (the 2b has 3).
SCHEDULER_CONFIG: dict[str, Any] = {
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
    "snr_shift_scale": 1.0,
    "steps_offset": 0,
    "timestep_spacing": "trailing",
}

_TEXT_WIDTH = 32  # of a text embedding
_TIME_WIDTH = 32  # of a timestep embedding
_HEADS, _HEAD_WIDTH = 4, 16  # rotary positions split a head 1:3:3 over time, height and width, in pairs
_LATENT_CHANNELS = 16

_Weights: TypeAlias = NDArray[np.float32]


def build_pipeline() -> Any:
    """Return a `CogVideoXPipeline` in float32, always with the same parameters; torch's random state is left alone."""
    import torch
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )
    from transformers import T5Config, T5EncoderModel

    from harness.tiny.tokenizer import build_tokenizer

    tokenizer = build_tokenizer()
    with torch.random.fork_rng(devices=[]):  # constructors draw initial weights, which are overwritten
        text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=len(tokenizer),
                d_model=_TEXT_WIDTH,
                d_kv=16,
                d_ff=2 * _TEXT_WIDTH,
                num_layers=2,
                num_heads=2,
                feed_forward_proj="gated-gelu",
            )
        )
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=_HEADS,
            attention_head_dim=_HEAD_WIDTH,
            in_channels=_LATENT_CHANNELS,
            out_channels=_LATENT_CHANNELS,
            time_embed_dim=_TIME_WIDTH,
            text_embed_dim=_TEXT_WIDTH,
            num_layers=2,
            sample_width=WIDTH // 8,
            sample_height=HEIGHT // 8,
            sample_frames=FRAMES,
            use_rotary_positional_embeddings=True,
        )
        vae = AutoencoderKLCogVideoX(
            block_out_channels=(4, 8, 16, 16),  # few where frames are large: bfloat16 is slow on most CPUs
            latent_channels=_LATENT_CHANNELS,
            layers_per_block=1,
            norm_num_groups=4,
            sample_height=HEIGHT,
            sample_width=WIDTH,
            scaling_factor=0.7,
        )
    for model, weights in (
        (text_encoder, _text_encoder_weights),
        (transformer, _transformer_weights),
        (vae, _autoencoder_weights),
    ):
        for name, parameter in model.named_parameters():
            parameter.data.copy_(torch.from_numpy(weights(name, tuple(parameter.shape))))
        model.eval()  # as from_pretrained returns it; T5 has dropout
    return CogVideoXPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        vae=vae,
        transformer=transformer,
        scheduler=CogVideoXDDIMScheduler(**SCHEDULER_CONFIG),
    )


def _text_encoder_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if len(shape) == 1:
        return np.ones(shape, np.float32)  # RMS norms
    if name != "shared.weight":
        return _drawn(name, shape)
    embeddings = _drawn(name, shape, gain=math.sqrt(_TEXT_WIDTH))  # unit variance
    embeddings[0] = 0.0  # <pad>: what a padded position holds then comes from the words alone
    return embeddings


def _transformer_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if name.endswith(("norm1.linear.bias", "norm2.linear.bias")):
        # Six stretches: shift, scale and gate of the picture, then of the text. Half-open gates let both through.
        gates = np.array([0, 0, 0.5, 0, 0, 0.5], np.float32).repeat(shape[0] // 6)
        return gates + _small(name, shape)
    if len(shape) == 1:
        # Queries and keys at double length make attention choose, so the text acts differently here and there.
        sharpness = 2.0 if ".norm_q." in name or ".norm_k." in name else 1.0
        return _small(name, shape) if name.endswith("bias") else np.full(shape, sharpness, np.float32)
    if name.startswith("proj_out"):
        return _drawn(name, shape, gain=0.5)
    return _drawn(name, shape, gain=0.3 if ".ff." in name else 1.0)


def _autoencoder_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if ".conv_y." in name or ".conv_b." in name:
        # The decoder's norms scale by 1 + y(z) and add b(z), with z enlarged to blocks of pixels: faint, or they show.
        if len(shape) > 1:
            return _drawn(name, shape, gain=0.02)
        return _small(name, shape) + np.float32(".conv_y." in name)
    if len(shape) == 1:
        return _small(name, shape) if name.endswith("bias") else np.ones(shape, np.float32)
    if ".conv_shortcut." in name:
        return _drawn(name, shape)
    if name.startswith("decoder.conv_out"):
        drawn = _averaging(name, shape, gain=0.7)
        return drawn - np.roll(drawn, 1, axis=1)
    return _averaging(name, shape, gain=1.0 if "samplers." in name else 4.0)


def _averaging(name: str, shape: tuple[int, ...], gain: float) -> _Weights:
    """Draw how channels mix; in space and time, average: binomially over 3x3 pixels, evenly over 3 frames."""
    binomial = np.array([0.25, 0.5, 0.25], np.float32)
    kernel: _Weights = binomial[:, None] * binomial
    if len(shape) == 5:  # noqa: PLR2004 - a 3D convolution: [out, in, T, H, W]
        kernel = np.stack([kernel / np.float32(3)] * 3)
    mixing = _drawn(name, shape[:2], gain).reshape(shape[:2] + (1,) * kernel.ndim)
    weights: _Weights = mixing * kernel
    return weights


def _small(name: str, shape: tuple[int, ...]) -> _Weights:
    return _drawn(name, shape, gain=0.06 * math.sqrt(math.prod(shape[1:])))


def _drawn(name: str, shape: tuple[int, ...], gain: float = 1.0) -> _Weights:
    """Draw float32 numbers of standard deviation gain / sqrt(inputs), the same ones for a name on every machine.

    Uniform, because that takes only exact operations: bits, a shift, one product. The generator is torch's in no way,
    whose normal draws differ in the last digit between processors.
    """
    draw = np.random.Generator(np.random.PCG64([_SEED, zlib.crc32(name.encode())]))
    centred = draw.random(shape, np.float32) * 2 - 1
    return centred * np.float32(gain * math.sqrt(3 / math.prod(shape[1:])))
