"""The environment: what determines a clip together with its Settings: versions, devices, and variables of libraries."""

from __future__ import annotations

import os
import platform
from typing import Any

from spacediff import __version__
from spacediff.devices import accelerators, index_of, platform_of, type_of
from spacediff.extras import has_torch
from spacediff.watch.machine import described, installed_version, processor

LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "numpy",
    "gradio_client",
    "av",
    "imageio-ffmpeg",
    "scikit-image",
    "opencv-python-headless",
)
OF_PROMPTS = ("ftfy", "beautifulsoup4")
"""Packages with which some pipelines of diffusers clean prompts where they are installed."""
OF_LORAS, OF_INPUTS = ("peft",), ("pillow",)
"""Packages that add LoRAs to a model, and that decode and resize input pictures."""
OF_ATTENTION = ("flash-attn", "sageattention", "xformers", "kernels")
"""Packages that bring kernels to the attention dispatcher of diffusers."""
OF_QUANTISED = ("gguf", "bitsandbytes", "torchao", "optimum-quanto")
"""Packages that compute with quantised weights."""
OF_SOME_RUNS = (*OF_PROMPTS, *OF_LORAS, *OF_INPUTS, *OF_ATTENTION, *OF_QUANTISED)
"""Packages that determine the clips of the runs that use them."""
VARIABLES = (
    # diffusers and transformers: which attention
    "DIFFUSERS_ATTN_BACKEND", "DIFFUSERS_ATTN_CHECKS", "DIFFUSERS_GGUF_CUDA_KERNELS", "TRANSFORMERS_SDPA_FORCE_GQA",
    # CUDA: TF32 despite the switches of torch, workspaces of cuBLAS, which library computes
    "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG", "CUBLASLT_WORKSPACE_SIZE",
    "TORCH_BLAS_PREFER_CUBLASLT", "TORCH_CUDNN_USE_HEURISTIC_MODE_B", "TORCH_CUDNN_V8_API_DISABLED",
    "TORCH_LINEAR_FLATTEN_3D", "PYTORCH_TUNABLEOP_ENABLED",
    # ROCm
    "HIPBLASLT_ALLOW_TF32", "TORCH_BLAS_PREFER_HIPBLASLT", "TORCH_ROCM_FA_PREFER_CK",
    "TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL", "PYTORCH_MIOPEN_SUGGEST_NHWC", "HSA_OVERRIDE_GFX_VERSION",
    # MPS
    "PYTORCH_ENABLE_MPS_FALLBACK", "PYTORCH_MPS_FAST_MATH", "PYTORCH_MPS_PREFER_METAL",
    # CPU: which instructions, and which precision of float32 products
    "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_DEFAULT_FPMATH_MODE", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "TORCH_MKLDNN_MATMUL_MIN_DIM",
    "TORCH_MKLDNN_MATMUL_MIN_SIZE",
)  # fmt: skip
"""Variables of the process's environment that choose kernels or their precision, and so change results.

Sources: docs.pytorch.org/docs/stable/cuda_environment_variables.html and mps_environment_variables.html, `getenv` in
torch 2.13 (`aten/src/ATen`), diffusers 0.42 (`utils/constants.py`), docs.nvidia.com/cuda/cublas, and
uxlfoundation.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html. What changes memory or speed alone, such as
`PYTORCH_CUDA_ALLOC_CONF`, is left out.
"""
_DETERMINE_A_CLIP = (
    "spacediff", "torch", "diffusers", "transformers", "accelerate", "av", "imageio-ffmpeg",
    "device", "cuda", "rocm", "cudnn", "xpu", "macos", "processor", "threads", *VARIABLES,
)  # fmt: skip


def environment(*, computing: bool = True) -> dict[str, str]:
    """Return the versions and devices of this machine, and the `VARIABLES` that are set, name to text.

    Args:
        computing: Whether torch computes here. Otherwise it is not imported, and nothing is said of what it computes
            with. The same holds where it is not installed, which only a comparison of files can do without.
    """
    found = {name: version(name) for name in LIBRARIES}
    found |= {name: there for name in OF_SOME_RUNS if (there := installed_version(name))}
    found["spacediff"] = __version__
    found["python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["processor"] = processor()
    if computing and has_torch():
        found |= _of_torch()
    return found | {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}


def _of_torch() -> dict[str, str]:
    """Return torch's version with its build, such as 2.13.0+cpu, and what it computes on."""
    import torch

    found = {
        "torch": torch.__version__,
        "threads": str(torch.get_num_threads()),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "device": device(),
    }
    for name in {type_of(each) for each in accelerators()}:
        found |= _software_of(name)
    return found


def determining(found: dict[str, str]) -> dict[str, str]:
    """Return the entries of an environment that determine every local clip."""
    return {name: found[name] for name in _DETERMINE_A_CLIP if name in found}


def version(distribution: str) -> str:
    """Return the version of an installed distribution, or `not installed`."""
    return installed_version(distribution) or "not installed"


def device() -> str:
    """Describe this machine's accelerator, or each of several under its name; `cpu` if there is none."""
    found = accelerators()
    if len(found) <= 1:
        return describe(found[0]) if found else "cpu"
    return "; ".join(f"{name} {describe(name)}" for name in found)


def describe(name: str) -> str:
    """Describe an accelerator: the model, the memory in GiB, and what its kernels are compiled for.

    Args:
        name: Its name, such as `cuda:1`; this machine has to have it.
    """
    import torch

    device_type = type_of(name)
    if device_type == "mps":
        try:
            model = torch.backends.mps.get_name()
        except AttributeError:  # older versions of torch do not name it
            model = platform.machine()
        return f"{model}, MPS"
    module = torch.get_device_module(device_type)
    properties: Any = getattr(module, "get_device_properties", lambda _: None)(index_of(name))
    if device_type == "cuda":
        return described(properties)
    words = [getattr(properties, "name", platform_of(device_type))]
    if hasattr(properties, "total_memory"):
        words.append(f"{properties.total_memory / 2**30:.0f} GiB")
    return ", ".join(words)


def _software_of(device_type: str) -> dict[str, str]:
    """Return the versions of what computes on a type of accelerator."""
    import torch

    if device_type == "cuda":
        kind, number = ("rocm", torch.version.hip) if torch.version.hip else ("cuda", torch.version.cuda)
        return {kind: str(number), "cudnn": str(torch.backends.cudnn.version())}
    if device_type == "xpu":
        return {"xpu": str(torch.version.xpu)}
    return {"macos": platform.mac_ver()[0]} if device_type == "mps" else {}
