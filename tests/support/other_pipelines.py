"""Tiny random pipelines of other families: another loop, another scheduler, an image model; without text encoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()


def _embeddings(width: int, length: int = 6) -> torch.Tensor:
    return torch.randn(1, length, width, generator=torch.Generator().manual_seed(3))


def wan() -> tuple[Any, Callable[..., Any]]:
    """Wan: latents in float32, a flow-matching scheduler, its own VAE."""
    from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanPipeline, WanTransformer3DModel

    torch.manual_seed(0)
    pipeline = WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=16,
            out_channels=16,
            text_dim=32,
            freq_dim=32,
            ffn_dim=32,
            num_layers=2,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )

    def call(**more: Any) -> Any:
        return pipeline(
            prompt_embeds=_embeddings(32),
            negative_prompt_embeds=-_embeddings(32),
            num_frames=5,
            height=16,
            width=16,
            num_inference_steps=3,
            output_type="np",
            **more,
        ).frames

    return pipeline, call


def stable_diffusion() -> tuple[Any, Callable[..., Any]]:
    """Stable Diffusion: images, a U-Net, an ancestral scheduler that draws noise at every step."""
    from diffusers import (
        AutoencoderKL,
        EulerAncestralDiscreteScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    torch.manual_seed(0)
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 8),
            norm_num_groups=4,
            down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
            up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
            latent_channels=4,
        ),
        text_encoder=None,
        tokenizer=None,
        unet=UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            sample_size=16,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
        ),
        scheduler=EulerAncestralDiscreteScheduler(steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )

    def call(**more: Any) -> Any:
        return pipeline(
            prompt_embeds=_embeddings(16),
            negative_prompt_embeds=-_embeddings(16),
            height=32,
            width=32,
            num_inference_steps=3,
            output_type="np",
            **more,
        ).images

    return pipeline, call


FAMILIES = {"wan": wan, "stable-diffusion": stable_diffusion}


def drawn(family: str, seed: int = 5, prepare: Callable[[Any, torch.Generator], Any] = lambda *_: None) -> Any:
    """Generate with a new pipeline of a family, after `prepare` has added hooks to it."""
    pipeline, call = FAMILIES[family]()
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(seed)
    prepare(pipeline, generator)
    return np.asarray(call(generator=generator))
