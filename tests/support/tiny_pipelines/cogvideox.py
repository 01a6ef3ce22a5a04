"""CogVideoX 1.0 and 1.5: text, image and video to video."""

from __future__ import annotations

from typing import Any

from support.tiny_pipelines.libraries import diffusers
from support.tiny_pipelines.parts import made, t5, with_contrast


def _shared(**denoiser: Any) -> dict[str, Any]:
    small: dict[str, Any] = {
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "in_channels": 4,
        "out_channels": 4,
        "time_embed_dim": 2,
        "text_embed_dim": 32,
        "num_layers": 2,
        "sample_width": 8,
        "sample_height": 8,
        "sample_frames": 9,
        "patch_size": 2,
        "temporal_compression_ratio": 4,
        "max_text_seq_length": 32,
        "use_rotary_positional_embeddings": True,
    }
    vae = made(
        diffusers.AutoencoderKLCogVideoX,
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    return {
        **t5(length=32),
        "vae": with_contrast(vae, 1, 4, 3, 8, 8, contrast=0.12),  # its latents are large
        "transformer": made(diffusers.CogVideoXTransformer3DModel, gain=1.5, **small | denoiser),
        "scheduler": diffusers.CogVideoXDDIMScheduler(),
    }


_VERSION_15: dict[str, Any] = {"patch_size_t": 2, "patch_bias": False}  # time has patches too
_WITH_PICTURE: dict[str, Any] = {"in_channels": 8}


def text10() -> Any:
    """CogVideoX 1.0, text to video; video to video loads the same checkpoint."""
    return diffusers.CogVideoXPipeline(**_shared())


def image10() -> Any:
    """CogVideoX 1.0, image to video: positions are learned."""
    parts = _shared(**_WITH_PICTURE, use_learned_positional_embeddings=True)
    return diffusers.CogVideoXImageToVideoPipeline(**parts)


def text15() -> Any:
    """CogVideoX 1.5, text to video."""
    return diffusers.CogVideoXPipeline(**_shared(**_VERSION_15))


def image15() -> Any:
    """CogVideoX 1.5, image to video."""
    return diffusers.CogVideoXImageToVideoPipeline(**_shared(**_VERSION_15, **_WITH_PICTURE))
