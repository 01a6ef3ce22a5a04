"""Stable Diffusion 1.5 and XL with what is added to them: a LoRA, a ControlNet, an IP-Adapter, a textual inversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.tiny_pipelines.libraries import diffusers, torch, transformers
from support.tiny_pipelines.parts import clip, image_vae, made, numbered, unet, vision_encoder

_BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def _base() -> dict[str, Any]:
    scheduler = diffusers.PNDMScheduler(**_BETAS, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)
    return {**clip(width=8, act="quick_gelu"), "unet": unet(), "vae": image_vae(), "scheduler": scheduler}


def base15() -> Any:
    """Stable Diffusion 1.5 without a safety checker; image to image and inpainting load the same checkpoint."""
    return diffusers.StableDiffusionPipeline(**_base(), **_UNCHECKED)


_UNCHECKED: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def checked15() -> Any:
    """The same with a safety checker that objects to every picture."""
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 37}
    config = transformers.CLIPConfig(
        text_config=small, vision_config={**small, "image_size": 224, "patch_size": 32}, projection_dim=32
    )
    checker = made(diffusers.pipelines.stable_diffusion.StableDiffusionSafetyChecker, config)
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-2.0)
        checker.special_care_embeds_weights.fill_(-2.0)
    processor = transformers.CLIPImageProcessor()
    return diffusers.StableDiffusionPipeline(**_base(), safety_checker=checker, feature_extractor=processor)


def control15() -> Any:
    """The same with a ControlNet."""
    control = made(
        diffusers.ControlNetModel,
        block_out_channels=(8, 8),
        layers_per_block=1,
        in_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=8,
        norm_num_groups=2,
        conditioning_embedding_out_channels=(2, 2),
    )
    with torch.no_grad():
        for parameter in control.parameters():  # its last layers begin at zero, so that training begins with no effect
            if not parameter.any():
                parameter.normal_(0, 0.2, generator=torch.Generator().manual_seed(0))
    return diffusers.StableDiffusionControlNetPipeline(**_base(), **_UNCHECKED, controlnet=control)


def vision15() -> Any:
    """The same with the vision encoder that an IP-Adapter needs."""
    parts = {**_UNCHECKED, "feature_extractor": transformers.CLIPImageProcessor()}
    return diffusers.StableDiffusionPipeline(**_base(), **parts, image_encoder=vision_encoder())


def lora15(folder: Path) -> None:
    """Write a LoRA of the denoiser, `pytorch_lora_weights.safetensors`; it needs peft."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    model = unet()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.add_adapter(
            LoraConfig(r=4, lora_alpha=8, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
        )
    diffusers.StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=get_peft_model_state_dict(model))


def ip_adapter15(folder: Path) -> None:
    """Write an IP-Adapter of the denoiser, `ip-adapter.safetensors`: how it reads four tokens of a picture."""
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.3

    model = unet()
    weights = {"image_proj.proj.weight": drawn(4 * 8, 32), "image_proj.proj.bias": drawn(4 * 8)}
    weights |= {"image_proj.norm.weight": torch.ones(8), "image_proj.norm.bias": torch.zeros(8)}
    crossing = [name for name in model.attn_processors if "attn2" in name]
    for number in range(len(crossing)):
        for projection in ("to_k_ip", "to_v_ip"):
            weights[f"ip_adapter.{2 * number + 1}.{projection}.weight"] = drawn(8, 8)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "ip-adapter.safetensors")


def embedding15(folder: Path) -> None:
    """Write a textual inversion, `learned_embeds.safetensors`: the vector of `<tiny>`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    vector = torch.randn(8, generator=torch.Generator().manual_seed(0))
    save_file({"<tiny>": vector}, folder / "learned_embeds.safetensors")


def _xl_denoiser(*, sizes: int) -> Any:
    """The denoiser of SDXL: it reads the text's summary and a number of sizes."""
    return unet(
        block_out_channels=(4, 8),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=32 + 8 * sizes,
        cross_attention_dim=64 if sizes == _SIZES_OF_BASE else 32,
        norm_num_groups=1,
    )


_SIZES_OF_BASE, _SIZES_OF_REFINER = 6, 5  # the refiner reads an aesthetic score in place of two sizes


def _xl(**denoiser: Any) -> dict[str, Any]:
    scheduler = diffusers.EulerDiscreteScheduler(**_BETAS, steps_offset=1, timestep_spacing="leading")
    return {"vae": image_vae(), "scheduler": scheduler, "add_watermarker": False, **denoiser}


def xl() -> Any:
    """SDXL: two text encoders, the sizes of the picture as conditions."""
    texts = {**clip(layers=3), **numbered(2, clip(layers=3, projected=True))}
    return diffusers.StableDiffusionXLPipeline(**texts, **_xl(unet=_xl_denoiser(sizes=_SIZES_OF_BASE)))


def xl_refiner() -> Any:
    """SDXL's refiner: image to image with the second text encoder alone."""
    texts = {"text_encoder": None, "tokenizer": None, **numbered(2, clip(layers=3, projected=True))}
    return diffusers.StableDiffusionXLImg2ImgPipeline(
        **texts, **_xl(unet=_xl_denoiser(sizes=_SIZES_OF_REFINER)), requires_aesthetics_score=True
    )
