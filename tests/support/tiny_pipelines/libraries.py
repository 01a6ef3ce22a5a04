"""diffusers and transformers, imported after the shim that lets them import beside a torch without CUDA."""

from __future__ import annotations

from spacediff.torchvision_shim import shim_torchvision

shim_torchvision()

import diffusers  # noqa: E402 - after the shim
import torch  # noqa: E402 - the same
import transformers  # noqa: E402 - the same

__all__ = ["diffusers", "torch", "transformers"]
