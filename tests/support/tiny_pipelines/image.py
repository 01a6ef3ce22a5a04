"""Image models with a transformer or a prior: SD3, Flux, Qwen-Image, Sana, Z-Image, Kandinsky 2.2."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from support.tiny_pipelines.libraries import diffusers, torch, transformers
from support.tiny_pipelines.parts import (
    byte_tokenizer,
    clip,
    flow_vae,
    image_vae,
    made,
    numbered,
    t5,
    vision_encoder,
    with_contrast,
)

_DYNAMIC = {"use_dynamic_shifting": True}  # the shift depends on the number of positions


def sd3() -> Any:
    """Stable Diffusion 3: three text encoders."""
    denoiser = made(
        diffusers.SD3Transformer2DModel,
        gain=1.5,
        sample_size=32,
        patch_size=1,
        in_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=32,
        pooled_projection_dim=64,
        out_channels=4,
    )
    texts = {**clip(projected=True), **numbered(2, clip(projected=True)), **numbered(3, t5())}
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    return diffusers.StableDiffusion3Pipeline(**texts, transformer=denoiser, vae=flow_vae(), scheduler=scheduler)


def flux() -> Any:
    """Flux: guidance is embedded, CLIP and T5 read the text."""
    denoiser = made(
        diffusers.FluxTransformer2DModel,
        gain=1.5,
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
        guidance_embeds=True,
    )
    texts = {**clip(), **numbered(2, t5())}
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**_DYNAMIC)
    return diffusers.FluxPipeline(**texts, transformer=denoiser, vae=flow_vae(), scheduler=scheduler)


def _qwen_tokenizer(**config: Any) -> Any:
    end = "<|endoftext|>"
    special = {"pad_token": end, "eos_token": "<|im_end|>", "padding_side": "right", "model_max_length": 1024}
    return byte_tokenizer([end, "<|im_start|>", "<|im_end|>"], **special, **config)


def qwen_image() -> Any:
    """Qwen-Image: guidance of its own name, `true_cfg_scale`, beside one that it ignores."""
    denoiser = made(
        diffusers.QwenImageTransformer2DModel,
        gain=1.5,
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=3,
        joint_attention_dim=16,
        guidance_embeds=False,
        axes_dims_rope=(8, 4, 4),
    )
    vae = made(
        diffusers.AutoencoderKLQwenImage,
        base_dim=24,
        z_dim=4,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    rope = {"rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"}}
    config = transformers.Qwen2_5_VLConfig(
        text_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "vocab_size": 300}
        | heads
        | rope
        | {"rope_theta": 1000000.0},
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16},
    )
    return diffusers.QwenImagePipeline(
        transformer=denoiser,
        vae=with_contrast(vae, 1, 4, 1, 16, 16),
        text_encoder=made(transformers.Qwen2_5_VLForConditionalGeneration, config),
        tokenizer=_qwen_tokenizer(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(**_DYNAMIC),
    )


def sana() -> Any:
    """Sana: linear attention, a deep autoencoder, Gemma reads the text."""
    denoiser = made(
        diffusers.SanaTransformer2DModel,
        gain=1.5,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=8,
        sample_size=32,
    )
    vae = made(
        diffusers.AutoencoderDC,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=[1, 1],
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        scaling_factor=0.41407,
    )
    special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"}
    tokenizer = byte_tokenizer(list(special.values()), **special, padding_side="right", model_max_length=512)
    config = transformers.Gemma2Config(
        head_dim=16,
        hidden_size=8,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
        attn_implementation="eager",
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    return diffusers.SanaPipeline(
        transformer=denoiser,
        vae=with_contrast(vae, 1, 4, 32, 32),
        text_encoder=made(transformers.Gemma2Model, config),
        tokenizer=tokenizer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


_CHAT = "{% for m in messages %}<|im_start|>{{m.role}}\n{{m.content}}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"


def _z_image() -> dict[str, Any]:
    denoiser = made(
        diffusers.ZImageTransformer2DModel,
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[256, 32, 32],
    )
    with torch.no_grad():  # made without values
        denoiser.x_pad_token.fill_(1)
        denoiser.cap_pad_token.fill_(1)
    config = transformers.Qwen3Config(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=300,
        max_position_embeddings=512,
        bos_token_id=256,
        eos_token_id=258,
    )
    return {
        "transformer": denoiser,
        "vae": image_vae(channels=16, scaling_factor=0.3611, shift_factor=0.1159),
        "text_encoder": made(transformers.Qwen3Model, config),
        "tokenizer": _qwen_tokenizer(chat_template=_CHAT),
        "scheduler": diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    }


def z_image() -> Any:
    """Z-Image: latents as lists, Qwen3 reads the text."""
    return diffusers.ZImagePipeline(**_z_image())


def kandinsky22() -> Any:
    """Kandinsky 2.2 combined: a prior makes embeddings of a picture, a decoder draws it."""
    denoiser = made(
        diffusers.UNet2DConditionModel,
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64),
        layers_per_block=1,
        encoder_hid_dim=32,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=32,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
    )
    movq = made(
        diffusers.VQModel,
        block_out_channels=[32, 64],
        down_block_types=["DownEncoderBlock2D", "AttnDownEncoderBlock2D"],
        up_block_types=["AttnUpDecoderBlock2D", "UpDecoderBlock2D"],
        latent_channels=4,
        norm_num_groups=8,
        norm_type="spatial",
        num_vq_embeddings=12,
        vq_embed_dim=4,
    )
    decoding = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, clip_sample=False, set_alpha_to_one=False, steps_offset=1
    )
    movq = with_contrast(movq, 1, 4, 32, 32, contrast=0.12, force_not_quantize=True)  # its latents are large
    return diffusers.KandinskyV22CombinedPipeline(**_prior(), unet=denoiser, scheduler=decoding, movq=movq)


def _prior() -> dict[str, Any]:
    prior = made(
        diffusers.PriorTransformer, num_attention_heads=2, attention_head_dim=12, embedding_dim=32, num_layers=1
    )
    prior.clip_std = torch.nn.Parameter(torch.ones(prior.clip_std.shape))
    scheduler = diffusers.UnCLIPScheduler(
        variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
    )
    parts = {**clip(projected=True), "prior": prior, "scheduler": scheduler, "image_encoder": vision_encoder()}
    parts["image_processor"] = transformers.CLIPImageProcessor()
    return {f"prior_{name}": part for name, part in parts.items()}


def modular_z_image(folder: Path) -> None:
    """Write Z-Image as a modular pipeline: its index names blocks, and says for each part where it is."""
    with tempfile.TemporaryDirectory() as whole:
        z_image().save_pretrained(whole)
        pipeline = diffusers.ModularPipeline.from_pretrained(whole)
        pipeline.load_components()
        pipeline.save_pretrained(str(folder), overwrite_modular_index=True)
