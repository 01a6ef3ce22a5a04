"""What a fresh process has imported already: the heavy libraries, as a command would import them one by one."""

from __future__ import annotations

import gc
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
import pandas as pd  # noqa: E402, F401
import skimage.metrics  # noqa: E402, F401
from diffusers import AutoencoderKLCogVideoX, CogVideoXDPMScheduler, CogVideoXPipeline  # noqa: E402, F401

import spacediff  # noqa: E402
from spacediff.record.file import field_names  # noqa: E402
from spacediff.reporting.page import page_templates  # noqa: E402

for module in pkgutil.walk_packages(spacediff.__path__, "spacediff."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
field_names()  # kept for the process, as are the templates
for name in page_templates().list_templates(filter_func=lambda name: name.endswith(".html.j2")):
    page_templates().get_template(name)
gc.collect()
gc.freeze()  # otherwise each collection in a fork goes through all of this, and copies its pages
