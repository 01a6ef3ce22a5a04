"""The extra `run`: which packages generate clips and ask Spaces, and which of them are not installed.

The key insight: a report, a comparison of two files and the reading of a source need none of them, so a machine that
only looks at results installs a tenth. Nothing of the extra is imported here.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

RUN = (
    "accelerate", "diffusers", "gguf", "gradio", "gradio_client", "lpips", "peft", "scipy", "sentencepiece", "skimage",
    "stamina", "torch", "torchvision", "transformers",
)  # fmt: skip
"""Modules of the packages of the extra, as they are imported; `pyproject.toml` names the packages."""
NEEDED = ("torch", "diffusers", "transformers", "accelerate", "gradio_client", "stamina")
"""Those without which no audit can begin."""
INSTALL_RUN = 'pip install "spacediff[run]"'
"""The command that installs them."""


@cache
def has_torch() -> bool:
    """Whether torch is installed."""
    return find_spec("torch") is not None


def missing_of_run() -> list[str]:
    """Return the modules without which no audit can begin, of those that are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]
