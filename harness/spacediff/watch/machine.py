"""The machine and the libraries that a call ran with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

LIBRARIES = (
    "torch", "diffusers", "transformers", "accelerate", "numpy", "safetensors", "peft", "ftfy", "beautifulsoup4",
    "xformers", "flash-attn", "sageattention", "bitsandbytes", "torchao", "optimum-quanto", "gguf", "pillow",
    "imageio-ffmpeg",
)  # fmt: skip
FACTS = ("python", "system", "processor", "threads", "instructions", "device", "cuda", "cudnn")
"""What else is said of a machine."""
_VARIABLES = (
    "DIFFUSERS_ATTN", "NVIDIA_TF32", "TORCH_ALLOW_TF32", "TORCH_BLAS", "TORCH_CUDNN", "TORCH_LINALG", "TORCH_ROCM",
    "TORCH_COMPILE_DISABLE", "CUBLAS", "ATEN_CPU", "ONEDNN_", "DNNL_", "MKL_", "OMP_NUM",
)  # fmt: skip
"""How the names of variables begin that choose kernels or their precision."""


def machine() -> dict[str, str]:
    """Return versions, devices and variables, name to text."""
    import torch

    found = {name: version for name in LIBRARIES if (version := installed_version(name))}
    found["torch"] = torch.__version__
    found["python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["processor"] = processor()
    found["threads"] = str(torch.get_num_threads())
    found["instructions"] = torch.backends.cpu.get_cpu_capability()
    found["device"] = _device()
    if torch.cuda.is_initialized():
        found["cuda"] = str(torch.version.cuda or torch.version.hip)
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found | {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)}


def installed_version(distribution: str) -> str:
    """Return the version of an installed distribution; empty if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _device() -> str:
    import torch

    if torch.cuda.is_initialized():  # to ask otherwise would set up CUDA in a script that does not use it
        found = [described(torch.cuda.get_device_properties(number)) for number in range(torch.cuda.device_count())]
        return found[0] if len(found) == 1 else "; ".join(f"cuda:{number} {each}" for number, each in enumerate(found))
    mps: Any = getattr(torch.backends, "mps", None)
    return f"{platform.machine()}, MPS" if mps is not None and mps.is_available() else "cpu"


def described(properties: Any) -> str:
    """Describe a card by what torch says of it: the model, the memory in GiB, and what its kernels are compiled for.

    Args:
        properties: `torch.cuda.get_device_properties`.
    """
    import torch

    memory = f"{properties.total_memory / 2**30:.0f} GiB"
    if torch.version.hip:
        kernels = f"{properties.gcnArchName.partition(':')[0]}, ROCm {torch.version.hip}"
    else:
        kernels = f"sm_{properties.major}{properties.minor}"
    return f"{properties.name}, {memory}, {kernels}"


def processor() -> str:
    """Return the processor's model, which determines the CPU kernels, and its number of logical cores."""
    return f"{_processor_model()}, {os.cpu_count()} logical cores"


def _processor_model() -> str:
    """Return the model of the processor, as far as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
