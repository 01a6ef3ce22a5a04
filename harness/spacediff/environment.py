"""The environment: the versions and devices that determine a clip together with its Settings, without any names."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from spacediff import __version__

LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "numpy",
    "gradio_client",
    "av",
    "imageio-ffmpeg",
    "lpips",
    "scikit-image",
    "opencv-python-headless",
)
_DETERMINE_A_CLIP = (
    "spacediff", "torch", "diffusers", "transformers", "accelerate", "av", "imageio-ffmpeg",
    "device", "cuda", "cudnn", "processor", "threads",
)  # fmt: skip


def environment() -> dict[str, str]:
    """Return the versions and devices of this machine, name to text."""
    import torch

    found = {name: version(name) for name in LIBRARIES}
    found["spacediff"] = __version__
    found["torch"] = torch.__version__  # with the build: 2.13.0+cpu
    found["python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["processor"] = processor()
    found["threads"] = str(torch.get_num_threads())
    found["device"] = device()
    if torch.cuda.is_available():
        found["cuda"] = str(torch.version.cuda)
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


def determining(found: dict[str, str]) -> dict[str, str]:
    """Return the entries of an environment that determine a local clip."""
    return {name: found[name] for name in _DETERMINE_A_CLIP if name in found}


def version(distribution: str) -> str:
    """Return the version of an installed distribution, or `not installed`."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def device() -> str:
    """Return the accelerator's name, or `cpu`."""
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    properties = torch.cuda.get_device_properties(0)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, sm_{properties.major}{properties.minor}"


def processor() -> str:
    """Return the processor's model, which determines the CPU kernels, and its number of logical cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} logical cores"
