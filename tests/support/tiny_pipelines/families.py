"""Which pipelines load the tiny checkpoints, and with which arguments each generates in about a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROMPT = "a red cone and a green box meet"


@dataclass(frozen=True)
class Family:
    """A pipeline on a tiny checkpoint.

    Attributes:
        pipeline: Its class.
        checkpoint: The name of its checkpoint, as `checkpoint` takes it.
        call: The arguments of a call, beside the prompt and the inputs.
        planted: The tables of a variant that changes the picture, as a scenario has them.
        inputs: The arguments that take a picture (`image`, `mask_image`, `control_image`) or a video (`video`).
        text: Whether it takes a prompt.
        medium: What it gives: `video` or `picture`.
        needs: A package without which it does not run and that diffusers does not require.
        explicit: Whether a scenario must name the class, since the checkpoint names another.
        adapter: What is loaded beside the checkpoint: `lora`, `ip_adapter` or `textual_inversion`; empty for nothing.
        prompt: The prompt's text.
        offloads: Whether diffusers can offload it; the target of its audit then differs in its placement too.
        whole: Why a run of it never takes over the denoising of another; empty where it does.
        frames: Number of frames of the video that it is given.
    """

    pipeline: str
    checkpoint: str
    call: Mapping[str, Any]
    planted: Mapping[str, Any] = field(default_factory=lambda: {"call": {"guidance_scale": 9.0}})
    inputs: tuple[str, ...] = ()
    text: bool = True
    medium: str = "video"
    needs: str = ""
    explicit: bool = False
    adapter: str = ""
    prompt: str = PROMPT
    offloads: bool = True
    whole: str = ""
    frames: int = 9


def _video(steps: int = 3, **more: Any) -> dict[str, Any]:
    return {"num_inference_steps": steps, "height": 64, "width": 64, "num_frames": 9, **more}


def _image(steps: int = 3, **more: Any) -> dict[str, Any]:
    return {"num_inference_steps": steps, "height": 64, "width": 64, **more}


_COPIES = "it steps with copies of its scheduler"
_SHORT = {"max_sequence_length": 32}
_WAN = _video(4, guidance_scale=5.0, **_SHORT)
_COG = _video(guidance_scale=6.0, **_SHORT)
_SD = _image(4, guidance_scale=7.5)
_EDIT = {"num_inference_steps": 4, "strength": 0.8}
_COG_VIDEO = {**_EDIT, "height": 64, "width": 64, "guidance_scale": 6.0, **_SHORT}

FAMILIES = {
    "cogvideox-1.0": Family("CogVideoXPipeline", "cogvideox-1.0", _COG),
    "cogvideox-1.0-image": Family("CogVideoXImageToVideoPipeline", "cogvideox-1.0-image", _COG, inputs=("image",)),
    "cogvideox-1.0-video": Family(
        "CogVideoXVideoToVideoPipeline",
        "cogvideox-1.0",
        _COG_VIDEO,
        inputs=("video",),
        explicit=True,
    ),
    "cogvideox-1.5": Family("CogVideoXPipeline", "cogvideox-1.5", _COG),
    "cogvideox-1.5-image": Family("CogVideoXImageToVideoPipeline", "cogvideox-1.5-image", _COG, inputs=("image",)),
    "cogvideox-1.5-video": Family(
        "CogVideoXVideoToVideoPipeline",
        "cogvideox-1.5",
        _COG_VIDEO,
        inputs=("video",),
        explicit=True,
        frames=13,  # 4 frames of latents: an odd number does not divide into the patches of 1.5
    ),
    "wan-2.1": Family("WanPipeline", "wan-2.1", _WAN),
    "wan-2.1-image": Family("WanImageToVideoPipeline", "wan-2.1-image", _WAN, inputs=("image",), needs="ftfy"),
    "wan-2.2": Family("WanPipeline", "wan-2.2", _WAN, {"call": {"guidance_scale_2": 9.0}}),
    "wan-2.2-image": Family("WanImageToVideoPipeline", "wan-2.2-image", _WAN, inputs=("image",), needs="ftfy"),
    "skyreels-v2": Family("SkyReelsV2DiffusionForcingPipeline", "skyreels-v2", _WAN, needs="ftfy", whole=_COPIES),
    "ltx": Family("LTXPipeline", "ltx", _video(guidance_scale=3.0, **_SHORT)),
    "ltx-2": Family(
        "LTX2Pipeline",
        "ltx-2",
        {**_video(guidance_scale=3.0), "num_frames": 5, "frame_rate": 25.0, "max_sequence_length": 64},
        whole=_COPIES,
    ),
    "ltx-condition": Family(
        "LTXConditionPipeline",
        "ltx-condition",
        _video(guidance_scale=3.0, **_SHORT),
        inputs=("image",),
        whole="it puts its picture back into the latents after the last step",
    ),
    "ltx-upsampler": Family(
        "LTXLatentUpsamplePipeline",
        "ltx-upsampler",
        {"height": 64, "width": 64},
        {"call": {"adain_factor": 1.0}},
        inputs=("video",),
        text=False,
        whole="it has no steps",
    ),
    "hunyuan": Family("HunyuanVideoPipeline", "hunyuan", _video(guidance_scale=6.0)),
    "mochi": Family(
        "MochiPipeline", "mochi", {**_video(guidance_scale=4.5), "num_frames": 7, "max_sequence_length": 16}
    ),
    "animatediff": Family("AnimateDiffPipeline", "animatediff", {**_video(guidance_scale=7.5), "num_frames": 8}),
    "stable-video": Family(
        "StableVideoDiffusionPipeline",
        "stable-video",
        {**_video(2), "num_frames": 3},
        {"call": {"max_guidance_scale": 9.0}},
        inputs=("image",),
        text=False,
    ),
    "sd-1.5": Family("StableDiffusionPipeline", "sd-1.5", _SD, medium="picture"),
    "sd-1.5-image": Family(
        "StableDiffusionImg2ImgPipeline",
        "sd-1.5",
        {**_EDIT, "guidance_scale": 7.5},
        inputs=("image",),
        medium="picture",
        explicit=True,
    ),
    "sd-1.5-inpaint": Family(
        "StableDiffusionInpaintPipeline",
        "sd-1.5",
        {**_SD, "strength": 0.8},
        inputs=("image", "mask_image"),
        medium="picture",
        explicit=True,
    ),
    "sd-1.5-controlnet": Family(
        "StableDiffusionControlNetPipeline",
        "sd-1.5-controlnet",
        _SD,
        {"call": {"controlnet_conditioning_scale": 0.2}},
        inputs=("image",),
        medium="picture",
    ),
    "sd-1.5-lora": Family("StableDiffusionPipeline", "sd-1.5", _SD, medium="picture", adapter="lora"),
    "sd-1.5-embedding": Family(
        "StableDiffusionPipeline",
        "sd-1.5",
        _SD,
        medium="picture",
        adapter="textual_inversion",
        prompt=f"<tiny>, {PROMPT}",
    ),
    "sd-1.5-ip-adapter": Family(
        "StableDiffusionPipeline",
        "sd-1.5-vision",
        _SD,
        inputs=("ip_adapter_image",),
        medium="picture",
        adapter="ip_adapter",
    ),
    "sdxl": Family("StableDiffusionXLPipeline", "sdxl", _image(4, guidance_scale=5.0), medium="picture"),
    "sdxl-refiner": Family(
        "StableDiffusionXLImg2ImgPipeline",
        "sdxl-refiner",
        {**_EDIT, "guidance_scale": 5.0},
        {"call": {"aesthetic_score": 1.0}},
        inputs=("image",),
        medium="picture",
    ),
    "sd-3": Family(
        "StableDiffusion3Pipeline",
        "sd-3",
        {**_image(guidance_scale=5.0, **_SHORT), "height": 32, "width": 32},
        medium="picture",
    ),
    "flux": Family("FluxPipeline", "flux", _image(guidance_scale=3.5, **_SHORT), medium="picture"),
    "qwen-image": Family(
        "QwenImagePipeline",
        "qwen-image",
        _image(true_cfg_scale=4.0, negative_prompt=" "),
        {"call": {"true_cfg_scale": 9.0}},
        medium="picture",
    ),
    "sana": Family(
        "SanaPipeline",
        "sana",
        _image(guidance_scale=4.5, use_resolution_binning=False),
        medium="picture",
    ),
    "z-image": Family("ZImagePipeline", "z-image", _image(guidance_scale=3.0), medium="picture"),
    "z-image-modular": Family(
        "ModularPipeline",
        "z-image-modular",
        _image(),
        {"scheduler": {"shift": 8.0}},
        medium="picture",
        explicit=True,
        offloads=False,
        whole="it has no method where its loop begins",
    ),
    "kandinsky-2.2": Family(
        "KandinskyV22CombinedPipeline",
        "kandinsky-2.2",
        {**_image(4, guidance_scale=4.0), "prior_num_inference_steps": 2},
        medium="picture",
        whole="it has two loops, of the prior and of the decoder",
    ),
}
"""The pipelines of docs/pipelines.md by name."""
