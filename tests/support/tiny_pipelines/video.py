"""Video models of one kind each: LTX-Video, HunyuanVideo, Mochi, AnimateDiff, Stable Video Diffusion."""

from __future__ import annotations

from typing import Any

from support.tiny_pipelines.libraries import diffusers, transformers
from support.tiny_pipelines.parts import (
    byte_tokenizer,
    clip,
    image_vae,
    made,
    numbered,
    t5,
    unet,
    vision_encoder,
    with_contrast,
)


def _ltx_vae() -> Any:
    vae = made(
        diffusers.AutoencoderKLLTXVideo,
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    return with_contrast(vae, 1, 8, 3, 16, 16)


def _ltx() -> dict[str, Any]:
    denoiser = made(
        diffusers.LTXVideoTransformer3DModel,
        gain=1.5,
        in_channels=8,
        out_channels=8,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=32,
    )
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    return {**t5(), "vae": _ltx_vae(), "transformer": denoiser, "scheduler": scheduler}


def ltx() -> Any:
    """LTX-Video, text to video."""
    return diffusers.LTXPipeline(**_ltx())


def ltx_condition() -> Any:
    """LTX-Video 0.9.5 and later: pictures or videos at any frame as conditions."""
    return diffusers.LTXConditionPipeline(**_ltx())


def ltx_upsampler() -> Any:
    """The latent upsampler between two passes of LTX-Video: it has no steps and no text."""
    upsampler = made(
        diffusers.pipelines.ltx.modeling_latent_upsampler.LTXLatentUpsamplerModel,
        in_channels=8,
        mid_channels=32,
        num_blocks_per_stage=1,
    )
    return diffusers.LTXLatentUpsamplePipeline(vae=_ltx_vae(), latent_upsampler=upsampler)


def hunyuan() -> Any:
    """HunyuanVideo: guidance is embedded, Llama and CLIP read the text."""
    denoiser = made(
        diffusers.HunyuanVideoTransformer3DModel,
        gain=1.5,
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=1,
        patch_size_t=1,
        guidance_embeds=True,
        text_embed_dim=16,
        pooled_projection_dim=8,
        rope_axes_dim=(2, 4, 4),
    )
    vae = made(
        diffusers.AutoencoderKLHunyuanVideo,
        latent_channels=4,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
    )
    return diffusers.HunyuanVideoPipeline(
        **_llama(),
        **numbered(2, clip(width=8)),
        transformer=denoiser,
        vae=with_contrast(vae, 1, 4, 3, 8, 8),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


def _llama() -> dict[str, Any]:
    start, end = "<|begin_of_text|>", "<|end_of_text|>"
    tokenizer = byte_tokenizer(
        [start, end, "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        bos_token=start,
        eos_token=end,
        pad_token=end,
        padding_side="right",
        model_max_length=512,
    )
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=4,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return {"text_encoder": made(transformers.LlamaModel, config), "tokenizer": tokenizer}


def mochi() -> Any:
    """Mochi: an asymmetric transformer, sigmas made by the pipeline."""
    denoiser = made(
        diffusers.MochiTransformer3DModel,
        gain=1.5,
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=12,
        out_channels=None,
        text_embed_dim=32,
        time_embed_dim=4,
        max_sequence_length=16,
    )
    vae = made(
        diffusers.AutoencoderKLMochi,
        latent_channels=12,
        encoder_block_out_channels=(32,) * 4,
        decoder_block_out_channels=(32,) * 4,
        layers_per_block=(1,) * 5,
    )
    return diffusers.MochiPipeline(
        **t5(),
        transformer=denoiser,
        vae=with_contrast(vae, 1, 12, 2, 8, 8),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def animatediff() -> Any:
    """AnimateDiff: Stable Diffusion with a motion adapter."""
    adapter = made(
        diffusers.MotionAdapter,
        block_out_channels=(8, 8),
        motion_layers_per_block=1,
        motion_norm_num_groups=2,
        motion_num_attention_heads=4,
    )
    scheduler = diffusers.DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="linear", clip_sample=False)
    return diffusers.AnimateDiffPipeline(
        **clip(width=8),
        unet=unet(),
        vae=image_vae(),
        motion_adapter=adapter,
        scheduler=scheduler,
        feature_extractor=None,
        image_encoder=None,
    )


def stable_video() -> Any:
    """Stable Video Diffusion: a picture and no text, guidance that grows from frame to frame."""
    denoiser = made(
        diffusers.UNetSpatioTemporalConditionModel,
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=32,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        cross_attention_dim=32,
        num_attention_heads=8,
        projection_class_embeddings_input_dim=96,
        addition_time_embed_dim=32,
    )
    vae = made(
        diffusers.AutoencoderKLTemporalDecoder,
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        latent_channels=4,
    )
    scheduler = diffusers.EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        interpolation_type="linear",
        prediction_type="v_prediction",
        sigma_max=700.0,
        sigma_min=0.02,
        steps_offset=1,
        timestep_spacing="leading",
        timestep_type="continuous",
        use_karras_sigmas=True,
    )
    return diffusers.StableVideoDiffusionPipeline(
        unet=denoiser,
        vae=with_contrast(vae, 3, 4, 32, 32, num_frames=3),
        image_encoder=vision_encoder(),
        feature_extractor=transformers.CLIPImageProcessor(),
        scheduler=scheduler,
    )
