"""Wan 2.1 and 2.2, and SkyReels-V2, which is built of Wan's parts."""

from __future__ import annotations

from typing import Any

from support.tiny_pipelines.libraries import diffusers, transformers
from support.tiny_pipelines.parts import made, t5, vision_encoder, with_contrast

_DENOISER: dict[str, Any] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "out_channels": 16,
    "text_dim": 32,
    "freq_dim": 256,
    "ffn_dim": 32,
    "num_layers": 2,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 32,
}


def _denoiser(seed: int = 0, channels: int = 16) -> Any:
    return made(diffusers.WanTransformer3DModel, seed=seed, gain=1.5, **_DENOISER, in_channels=channels)


def _shared(shift: float = 3.0) -> dict[str, Any]:
    """What all of them have: T5, the autoencoder, the scheduler that steps along the flow."""
    vae = made(
        diffusers.AutoencoderKLWan,
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )
    return {**t5(), "vae": with_contrast(vae, 1, 16, 3, 8, 8), "scheduler": scheduler}


def wan21() -> Any:
    """Wan 2.1, text to video."""
    return diffusers.WanPipeline(**_shared(), transformer=_denoiser())


def wan21_image() -> Any:
    """Wan 2.1, image to video: the picture is encoded by CLIP too."""
    denoiser = made(
        diffusers.WanTransformer3DModel, gain=1.5, **_DENOISER, in_channels=36, image_dim=32, added_kv_proj_dim=24
    )
    return diffusers.WanImageToVideoPipeline(
        **_shared(),
        transformer=denoiser,
        image_encoder=vision_encoder(),
        image_processor=transformers.CLIPImageProcessor(),
    )


def wan22() -> Any:
    """Wan 2.2, text to video: one denoiser for the noisy steps, one for the rest."""
    return diffusers.WanPipeline(
        **_shared(), transformer=_denoiser(), transformer_2=_denoiser(seed=1), boundary_ratio=0.875
    )


def wan22_image() -> Any:
    """Wan 2.2, image to video: two denoisers, which see the picture's latents beside the noise."""
    return diffusers.WanImageToVideoPipeline(
        **_shared(),
        transformer=_denoiser(channels=36),
        transformer_2=_denoiser(seed=1, channels=36),
        boundary_ratio=0.9,
        image_encoder=None,
        image_processor=None,
    )


def skyreels_v2() -> Any:
    """SkyReels-V2 with diffusion forcing: every frame of latents has a scheduler of its own."""
    denoiser = made(diffusers.SkyReelsV2Transformer3DModel, gain=1.5, **_DENOISER, in_channels=16)
    return diffusers.SkyReelsV2DiffusionForcingPipeline(**_shared(shift=8.0), transformer=denoiser)
