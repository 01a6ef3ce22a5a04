"""LTX-2: it draws a video and makes its sound."""

from __future__ import annotations

from typing import Any

from support.tiny_pipelines.libraries import diffusers, transformers
from support.tiny_pipelines.parts import byte_tokenizer, made, with_contrast


def text() -> Any:
    """LTX-2, text to video and sound."""
    denoiser = made(
        diffusers.LTX2VideoTransformer3DModel,
        gain=1.5,
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        caption_channels=32,
        rope_double_precision=False,
        rope_type="split",
    )
    vae = made(
        diffusers.AutoencoderKLLTX2Video,
        latent_channels=4,
        block_out_channels=(8,),
        decoder_block_out_channels=(8,),
        layers_per_block=(1,),
        decoder_layers_per_block=(1, 1),
        spatio_temporal_scaling=(True,),
        decoder_spatio_temporal_scaling=(True,),
        decoder_inject_noise=(False, False),
        downsample_type=("spatial",),
        upsample_residual=(False,),
        upsample_factor=(1,),
        timestep_conditioning=False,
        patch_size=1,
        patch_size_t=1,
        decoder_causal=False,
    )
    return diffusers.LTX2Pipeline(
        **_gemma3(),
        **_sound(),
        transformer=denoiser,
        vae=with_contrast(vae, 1, 4, 5, 16, 16),
        connectors=_connectors(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def _gemma3() -> dict[str, Any]:
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"}
    tokenizer = byte_tokenizer(list(special.values()), **special, padding_side="left", model_max_length=1024)
    config = transformers.Gemma3Config(
        text_config={
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "vocab_size": 300,
            "sliding_window": 64,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
    )
    return {"text_encoder": made(transformers.Gemma3ForConditionalGeneration, config), "tokenizer": tokenizer}


def _connectors() -> Any:
    one: dict[str, Any] = {
        "num_attention_heads": 4,
        "attention_head_dim": 8,
        "num_layers": 1,
        "num_learnable_registers": None,
    }
    return made(
        diffusers.pipelines.ltx2.connectors.LTX2TextConnectors,
        caption_channels=32,
        text_proj_in_factor=3,
        **{f"{kind}_connector_{name}": value for kind in ("video", "audio") for name, value in one.items()},
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
    )


def _sound() -> dict[str, Any]:
    autoencoder = made(
        diffusers.AutoencoderKLLTX2Audio,
        base_channels=4,
        ch_mult=(1,),
        num_res_blocks=1,
        resolution=32,
        latent_channels=2,
        mel_bins=8,
    )
    vocoder = made(
        diffusers.pipelines.ltx2.vocoder.LTX2Vocoder,
        in_channels=16,
        hidden_channels=32,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=16000,
    )
    return {"audio_vae": autoencoder, "vocoder": vocoder}
