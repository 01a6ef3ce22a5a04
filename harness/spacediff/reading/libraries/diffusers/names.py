"""Names of diffusers: arguments, parts of a pipeline, and kinds of pipelines."""

from __future__ import annotations

import re

MODEL_ARGUMENTS = {"revision": "model.revision", "variant": "model.variant"}

NOT_SETTINGS = frozenset({
    "cache_dir", "force_download", "proxies", "local_files_only", "token", "use_auth_token", "resume_download",
    "low_cpu_mem_usage", "use_safetensors", "mirror", "output_loading_info", "offload_folder", "offload_state_dict",
    "max_memory", "pretrained_model_name_or_path", "return_cached_folder", "disable_mmap",
})  # fmt: skip
"""Arguments of `from_pretrained` that say where the weights come from and do not change the clip."""

CALL_ONLY = frozenset({
    "use_dynamic_cfg", "num_frames", "num_inference_steps", "guidance_scale", "guidance_scale_2", "height", "width",
    "generator", "prompt", "negative_prompt", "num_videos_per_prompt", "num_images_per_prompt", "eta", "latents",
    "prompt_embeds", "negative_prompt_embeds", "output_type", "max_sequence_length", "strength", "image", "video",
    "true_cfg_scale", "frame_rate", "decode_timestep", "decode_noise_scale", "timesteps", "sigmas", "guidance_rescale",
    "clip_skip", "seed", "fps",
})  # fmt: skip
"""Arguments of a pipeline's call; `from_pretrained` accepts and ignores them."""

GENERATES = frozenset({
    "__call__", "generate", "sample", "infer", "inference", "predict", "run", "forward", "edit", "text2img", "img2img",
    "t2v", "i2v",
})  # fmt: skip
"""Methods by which a pipeline of the source or of another package is called."""

USUAL_PARTS = ("vae", "transformer", "transformer_2", "unet", "text_encoder", "text_encoder_2", "text_encoder_3",
               "image_encoder", "controlnet", "tokenizer", "tokenizer_2", "tokenizer_3")  # fmt: skip
"""Parts of a pipeline whose class is not installed."""

WITHOUT_WEIGHTS = frozenset({
    "tokenizer", "tokenizer_2", "tokenizer_3", "tokenizer_4", "scheduler", "feature_extractor", "image_processor",
    "processor", "video_processor", "feature_extractor_2",
})  # fmt: skip
"""Parts that have no weights, and so no dtype."""

SCHEDULER_BASE = "scheduler:base"
"""Key for the checkpoint that the config of a scheduler was taken from; not the path of a setting."""

PIPELINE = re.compile(r"(^|\.)(?!\w*Config$)(\w*Pipeline\w*|AutoPipelineFor\w+)$")

GENERIC_PIPELINE = re.compile(r"^(DiffusionPipeline|AutoPipelineFor\w+)$")
"""Classes whose `from_pretrained` returns a pipeline of the class that the checkpoint names."""

SCHEDULER = re.compile(r"(^|\.)\w*Scheduler$")
