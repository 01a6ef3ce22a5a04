"""What a fresh process has imported already: the heavy libraries, as a command would import them one by one."""

from __future__ import annotations

import importlib
import pkgutil

from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()  # before anything imports torchvision

import accelerate  # noqa: E402, F401
import av  # noqa: E402, F401
import cv2  # noqa: E402, F401
import diffusers.guiders  # noqa: E402, F401
import gradio  # noqa: E402, F401
import gradio_client  # noqa: E402, F401
import imageio.plugins.ffmpeg  # noqa: E402, F401
import imageio_ffmpeg  # noqa: E402, F401
import lpips  # noqa: E402, F401
import pandas as pd  # noqa: E402, F401
import skimage.metrics  # noqa: E402, F401
from diffusers import AutoencoderKLCogVideoX, CogVideoXDPMScheduler, CogVideoXPipeline  # noqa: E402, F401

import spacediff  # noqa: E402

for module in pkgutil.walk_packages(spacediff.__path__, "spacediff."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
