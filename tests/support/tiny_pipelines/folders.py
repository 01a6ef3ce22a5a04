"""Where the tiny checkpoints are, and which function makes each."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import json
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from spacediff.files import cache_dir, move, remove_folder

BUILDERS = {
    "animatediff": "video:animatediff",
    "cogvideox-1.0": "cogvideox:text10",
    "cogvideox-1.0-image": "cogvideox:image10",
    "cogvideox-1.5": "cogvideox:text15",
    "cogvideox-1.5-image": "cogvideox:image15",
    "flux": "image:flux",
    "hunyuan": "video:hunyuan",
    "kandinsky-2.2": "image:kandinsky22",
    "ltx": "video:ltx",
    "ltx-2": "ltx2:text",
    "ltx-condition": "video:ltx_condition",
    "ltx-upsampler": "video:ltx_upsampler",
    "mochi": "video:mochi",
    "qwen-image": "image:qwen_image",
    "sana": "image:sana",
    "sd-1.5": "stable_diffusion:base15",
    "sd-1.5-checked": "stable_diffusion:checked15",
    "sd-1.5-controlnet": "stable_diffusion:control15",
    "sd-1.5-embedding": "stable_diffusion:embedding15",
    "sd-1.5-ip-adapter": "stable_diffusion:ip_adapter15",
    "sd-1.5-lora": "stable_diffusion:lora15",
    "sd-1.5-vision": "stable_diffusion:vision15",
    "sd-3": "image:sd3",
    "sdxl": "stable_diffusion:xl",
    "sdxl-refiner": "stable_diffusion:xl_refiner",
    "skyreels-v2": "wan:skyreels_v2",
    "stable-video": "video:stable_video",
    "wan-2.1": "wan:wan21",
    "wan-2.1-image": "wan:wan21_image",
    "wan-2.2": "wan:wan22",
    "wan-2.2-image": "wan:wan22_image",
    "z-image": "image:z_image",
    "z-image-modular": "image:modular_z_image",
}
"""The checkpoints by name, each with the module and the function that builds it."""


def checkpoint(name: str) -> Path:
    """Return the folder of a tiny checkpoint; build it if it is not there yet.

    Args:
        name: One of `BUILDERS`. Those of an adapter (LoRA, IP-Adapter, embedding) are folders with its one file.
    """
    place = cache_dir() / f"tiny-pipelines-{_stamp()}" / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
        try:
            build(name, draft / name)
            _name_new_place(draft / name / "modular_model_index.json", str(draft / name), str(place))
            move(draft / name, place)
        except OSError:
            if not place.exists():  # else another process was first
                raise
        finally:
            remove_folder(draft)
    return place


def _name_new_place(index: Path, before: str, after: str) -> None:
    """Rename the folder in the index of a modular pipeline, which says where each part is."""
    if index.is_file():
        index.write_text(index.read_text("utf-8").replace(json.dumps(before), json.dumps(after)), "utf-8")


def build(name: str, folder: Path) -> None:
    """Build a checkpoint into a folder; a function returns a pipeline to save, or it takes the folder and writes."""
    from support.tiny_pipelines.libraries import transformers

    module, function = BUILDERS[name].split(":")
    builder: Any = getattr(importlib.import_module(f"support.tiny_pipelines.{module}"), function)
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own, about their older names
        if inspect.signature(builder).parameters:
            builder(folder)
        else:
            builder().save_pretrained(folder)


@cache
def _stamp() -> str:
    """Digest what the bytes of the checkpoints depend on: the code here and the libraries."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for library in ("diffusers", "transformers", "torch"):
        digest.update(importlib.metadata.version(library).encode())
    return digest.hexdigest()[:16]
