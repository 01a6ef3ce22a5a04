"""What is known of the libraries by name: dtypes, arguments, methods, words that give a post-processing away."""

from __future__ import annotations

import re

DTYPES = {
    "float32": "float32", "float": "float32", "bfloat16": "bfloat16", "float16": "float16", "half": "float16",
    "float64": "float64", "float8_e4m3fn": "float8_e4m3fn", "float8_e5m2": "float8_e5m2",
    "fp16": "float16", "bf16": "bfloat16", "fp32": "float32",
}  # fmt: skip

MODEL_ARGUMENTS = {"torch_dtype": "model.dtype", "dtype": "model.dtype", "revision": "model.revision",
                   "variant": "model.variant"}  # fmt: skip

NOT_SETTINGS = frozenset({
    "cache_dir", "force_download", "proxies", "local_files_only", "token", "use_auth_token", "resume_download",
    "low_cpu_mem_usage", "use_safetensors", "mirror", "output_loading_info", "offload_folder", "offload_state_dict",
    "max_memory", "pretrained_model_name_or_path", "return_cached_folder", "disable_mmap",
})  # fmt: skip
"""Arguments of `from_pretrained` that say where the weights come from, not what the clip looks like."""

CALL_ONLY = frozenset({
    "use_dynamic_cfg", "num_frames", "num_inference_steps", "guidance_scale", "guidance_scale_2", "height", "width",
    "generator", "prompt", "negative_prompt", "num_videos_per_prompt", "num_images_per_prompt", "eta", "latents",
    "prompt_embeds", "negative_prompt_embeds", "output_type", "max_sequence_length", "strength", "image", "video",
    "true_cfg_scale", "frame_rate", "decode_timestep", "decode_noise_scale", "timesteps", "sigmas", "guidance_rescale",
    "clip_skip", "seed", "fps",
})  # fmt: skip
"""Arguments of a pipeline's call; `from_pretrained` takes them too, and does nothing with them."""

PARTS = ("vae", "transformer", "transformer_2", "unet", "text_encoder", "text_encoder_2", "text_encoder_3", "scheduler",
         "image_encoder", "controlnet", "tokenizer", "tokenizer_2", "tokenizer_3")  # fmt: skip

SCHEDULER_BASE = "scheduler:base"
"""Under which the checkpoint is handed on that a scheduler's config was taken from; no path of a setting."""

NOT_LOADED_PARTS = frozenset({"tokenizer", "tokenizer_2", "tokenizer_3", "scheduler", "feature_extractor"})

POSITIONS = {
    "CogVideoXPipeline": ("prompt", "negative_prompt", "height", "width", "num_frames", "num_inference_steps"),
    "CogVideoXImageToVideoPipeline": ("image", "prompt", "negative_prompt", "height", "width", "num_frames"),
    "CogVideoXVideoToVideoPipeline": ("video", "prompt", "negative_prompt", "height", "width"),
    "WanPipeline": ("prompt", "negative_prompt", "height", "width", "num_frames", "num_inference_steps"),
    "WanImageToVideoPipeline": ("image", "prompt", "negative_prompt", "height", "width", "num_frames"),
    "LTXPipeline": ("prompt", "negative_prompt", "height", "width", "num_frames", "frame_rate"),
    "LTXImageToVideoPipeline": ("image", "prompt", "negative_prompt", "height", "width", "num_frames"),
    "HunyuanVideoPipeline": ("prompt", "prompt_2", "negative_prompt", "negative_prompt_2", "height", "width"),
    "MochiPipeline": ("prompt", "negative_prompt", "height", "width", "num_frames", "num_inference_steps"),
    "StableDiffusionPipeline": ("prompt", "height", "width", "num_inference_steps"),
    "StableDiffusionXLPipeline": ("prompt", "prompt_2", "height", "width", "num_inference_steps"),
    "StableDiffusionImg2ImgPipeline": ("prompt", "image", "strength", "num_inference_steps"),
    "StableVideoDiffusionPipeline": ("image", "height", "width", "num_frames", "num_inference_steps"),
    "FluxPipeline": ("prompt", "prompt_2"),
}
"""Positional parameters of a pipeline's call, as far as people use them."""

PIPELINE = re.compile(r"(^|\.)(\w*Pipeline\w*|AutoPipelineFor\w+)$")
SCHEDULER = re.compile(r"(^|\.)\w*Scheduler$")
QUANTISATION = re.compile(r"(BitsAndBytes|TorchAo|Quanto|GGUFQuantization|PipelineQuantization|Modelopt)Config$")
UPSCALING = re.compile(r"esrgan|upscal|upsampl|super_?res|superres|realsr|swinir", re.IGNORECASE)
INTERPOLATION = re.compile(r"\brife|rife_|_rife|frame_?interp|interpolate_(frames|video)|film_net", re.IGNORECASE)
REWRITING = re.compile(
    r"chat\.completions|\bopenai\b|ollama|InferenceClient|chat_completion|text_generation|anthropic|zhipuai"
    r"|(convert|enhance|rewrite|extend|refine|upsample|expand)_?prompt|prompt_?(convert|enhanc|rewrit|extend|expan)",
    re.IGNORECASE,
)
CACHING = re.compile(r"teacache|cache_?dit|apply_cache|enable_cache|first_?block_?cache|deepcache|pyramid_?attention",
                     re.IGNORECASE)  # fmt: skip
EXPORTS = frozenset({
    "export_to_video", "export_to_gif", "save_video", "mimsave", "mimwrite", "write_video", "get_writer", "mimread",
    "save_videos_grid", "encode_video", "VideoWriter", "ImageSequenceClip",
})  # fmt: skip
LOADED_AS_IS = frozenset({"load_image", "load_video", "Image.open", "read_video", "Path", "pathlib.Path", "imread"})
"""Functions whose result is shown as the path that they were given."""

KEEP_ARGUMENTS = frozenset({
    "PIL", "abc", "accelerate", "argparse", "collections", "copy", "csv", "cv2", "dataclasses", "diffusers", "gradio",
    "gr", "huggingface_hub", "imageio", "itertools", "json", "logging", "loguru", "math", "matplotlib", "moviepy",
    "np", "numpy", "omegaconf", "os", "pandas", "pathlib", "pickle", "pprint", "re", "rich", "safetensors", "shutil",
    "spaces", "st", "streamlit", "subprocess", "textwrap", "time", "torch", "torchvision", "tqdm", "transformers",
    "types", "typing", "wandb", "warnings", "yaml",
    # builtins
    "all", "any", "bool", "dict", "enumerate", "filter", "float", "format", "frozenset", "hash", "id", "int",
    "isinstance", "iter", "len", "list", "map", "max", "min", "next", "print", "range", "repr", "reversed", "set",
    "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
"""Libraries and builtins whose functions leave the lists and dicts they are given as they are."""

CHANGE_NOTHING = frozenset({
    "critical", "debug", "dump", "dumps", "error", "exception", "format", "info", "join", "log", "pprint", "print",
    "warn", "warning", "write", "writelines", "writerow", "writerows",
})  # fmt: skip
"""Methods, of whatever object, that leave what they are given as it is."""

KEEP_FUNCTIONS = frozenset({
    "abc", "absl", "beartype", "click", "cog", "contextlib", "contextmanager", "dataclasses", "fastapi", "flask",
    "functools", "gr", "gradio", "hydra", "jaxtyping", "lru_cache", "cache", "cached_property", "loguru", "modal",
    "no_grad", "inference_mode", "numba", "overload", "override", "property", "classmethod", "staticmethod", "pytest",
    "ray", "replace_example_docstring", "retry", "spaces", "st", "streamlit", "tenacity", "torch", "typer", "typing",
    "wandb", "wraps", "abstractmethod", "command", "group", "option", "argument",
})  # fmt: skip
"""Libraries and decorators that leave a function's arguments as they are."""


def last(name: str) -> str:
    """Return the last part of a dotted name."""
    return name.rsplit(".", 1)[-1]
