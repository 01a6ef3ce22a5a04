"""Checkpoints with made-up weight files: the headers of tensors of any size, and no bytes on the disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

_LAYERS = 16


def safetensors(path: Path, tensors: Mapping[str, tuple[str, int]], *, without: int = 0) -> Path:
    """Write a safetensors file with a hole instead of its tensors.

    Args:
        path: The file.
        tensors: Name to data type and bytes.
        without: Bytes by which the file is shorter than its header says.
    """
    header, end = {}, 0
    for name, (dtype, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": [size], "data_offsets": [end, end + size]}
        end += size
    written = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(written).to_bytes(8, "little") + written)
    os.truncate(path, 8 + len(written) + end - without)
    return path


def checkpoint(folder: Path, **components: tuple[str, str, str, int]) -> Path:
    """Write a checkpoint in diffusers' layout.

    Args:
        folder: Its folder.
        components: Name to library, class, data type and bytes, which are those of 16 layers.
    """
    index = {name: [library, kind] for name, (library, kind, _, _) in components.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "CogVideoXPipeline", **index}), "utf-8")
    for name, (library, _, dtype, size) in components.items():
        stem = "diffusion_pytorch_model" if library == "diffusers" else "model"
        layers = {f"layers.{n}.weight": (dtype, size // _LAYERS) for n in range(_LAYERS)}
        safetensors(folder / name / f"{stem}.safetensors", layers)
        (folder / name / "config.json").write_text("{}", "utf-8")
    return folder
