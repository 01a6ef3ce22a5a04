"""A CogVideoX pipeline of a few hundred thousand parameters with random weights.

The key insight is that random weights need three corrections, otherwise the settings have no visible effect. Padding
tokens are zero, so that every text position depends on the words and not on the padding. Convolutions average over
their neighbourhood, so that noise decodes to moving shapes instead of snow. The last layer computes differences of its
inputs, so that colours spread around grey and stay in range. With these, prompt, guidance, scheduler and seed are all
visible, and rounding differences are not amplified.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spacediff.tiny.architecture import Sizes, assemble
from spacediff.tiny.tokenizer import build_tokenizer

SIZES = Sizes(
    text_width=32,
    text_layers=2,
    time_width=32,
    heads=4,
    head_width=16,
    layers=2,
    channels=(4, 8, 16, 16),
    scaling_factor=0.7,
)

_SEED = 5  # of the weights: the one of the first nine with which every setting is most visible

_Weights: TypeAlias = NDArray[np.float32]


def build_pipeline() -> Any:
    """Build a `CogVideoXPipeline` in float32, always with the same parameters; torch's random state does not change."""
    import torch

    pipe = assemble(SIZES, build_tokenizer())
    for model, weights in (
        (pipe.text_encoder, _text_encoder_weights),
        (pipe.transformer, _transformer_weights),
        (pipe.vae, _autoencoder_weights),
    ):
        for name, parameter in model.named_parameters():
            parameter.data.copy_(torch.from_numpy(weights(name, tuple(parameter.shape))))
    return pipe


def _text_encoder_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if len(shape) == 1:
        return np.ones(shape, np.float32)  # RMS norms
    if name != "shared.weight":
        return _drawn(name, shape)
    embeddings = _drawn(name, shape, gain=math.sqrt(SIZES.text_width))  # unit variance
    embeddings[0] = 0.0  # <pad>: the value of a padded position then depends only on the words
    return embeddings


def _transformer_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if name.endswith(("norm1.linear.bias", "norm2.linear.bias")):
        # Six segments: shift, scale and gate of the picture, then of the text. Half-open gates let both through.
        gates = np.array([0, 0, 0.5, 0, 0, 0.5], np.float32).repeat(shape[0] // 6)
        return gates + _small(name, shape)
    if len(shape) == 1:
        # Queries and keys of double length sharpen the attention, so that the text has local effects.
        sharpness = 2.0 if ".norm_q." in name or ".norm_k." in name else 1.0
        return _small(name, shape) if name.endswith("bias") else np.full(shape, sharpness, np.float32)
    if name.startswith("proj_out"):
        return _drawn(name, shape, gain=0.5)
    return _drawn(name, shape, gain=0.3 if ".ff." in name else 1.0)


def _autoencoder_weights(name: str, shape: tuple[int, ...]) -> _Weights:
    if ".conv_y." in name or ".conv_b." in name:
        # The decoder's norms scale by 1 + y(z) and add b(z), with z enlarged to blocks: small, so they stay invisible.
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
    """Make random channel mixing weights that average in space (binomial, 3x3 pixels) and time (uniform, 3 frames)."""
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
    """Draw float32 numbers of standard deviation gain / sqrt(inputs), the same for a name on every machine.

    They are uniform, because this needs only exact operations: bits, a shift, one product. torch's generator is not
    used, because its normal draws differ in the last digit between processors.
    """
    draw = np.random.Generator(np.random.PCG64([_SEED, zlib.crc32(name.encode())]))
    centred = draw.random(shape, np.float32) * 2 - 1
    return centred * np.float32(gain * math.sqrt(3 / math.prod(shape[1:])))
