"""Pictures and videos with the settings that programs write into them, in the formats of these programs."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

PROMPT, NEGATIVE = "a lemon on a plate of glass", "blurry, bad hands"
SIZE = (96, 64)
WEB_UI = (
    f"{PROMPT}\nNegative prompt: {NEGATIVE}\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, "
    "Seed: 1234, Size: 96x64, Model: dream, Version: v1.9.0"
)
"""As `create_infotext` of AUTOMATIC1111's web UI writes it."""
GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": ["9", 0], "steps": 20, "cfg": 7.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 96, "height": 64, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": PROMPT, "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": NEGATIVE, "clip": ["4", 1]}},
    "9": {"class_type": "PrimitiveInt", "inputs": {"value": 1234}},
}  # fmt: skip
"""As ComfyUI writes it into `prompt`."""
INVOKE = {
    "generation_mode": "txt2img", "positive_prompt": PROMPT, "negative_prompt": NEGATIVE, "width": 96, "height": 64,
    "seed": 1234, "rand_device": "cpu", "cfg_scale": 7.5, "steps": 20, "scheduler": "euler_a",
    "model": {"name": "dream", "base": "sdxl", "hash": "x"},
}  # fmt: skip
"""As InvokeAI writes it into `invokeai_metadata`."""


def drawn() -> PIL.Image.Image:
    """Draw a picture."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    return PIL.Image.fromarray(np.stack([x * 2, y * 3, x + y], axis=-1).astype(np.uint8))


def png(path: Path, texts: Mapping[str, str] | None = None, *, packed: bool = False, **more: str) -> Path:
    """Write a PNG with texts."""
    info = PngInfo()
    for name, text in {**(texts or {}), **more}.items():
        info.add_text(name, text, zip=packed)
    drawn().save(path, pnginfo=info)
    return path


def with_chunk(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    """Write a PNG with more chunks, each a kind and a body, after its header."""
    content = drawn_png(path)
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    header = 8 + 25
    path.write_bytes(content[:header] + more + content[header:])
    return path


def drawn_png(path: Path) -> bytes:
    """Write a PNG without texts, and return its bytes."""
    drawn().save(path)
    return path.read_bytes()


def with_comment(path: Path, text: str, order: str = "utf-16-be") -> Path:
    """Write a JPEG or WebP with a text as EXIF's UserComment."""
    exif = PIL.Image.Exif()
    exif[0x0131] = "a program"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode(order)
    drawn().save(path, exif=exif)
    return path


def comfy_webp(path: Path) -> Path:
    """Write a WebP as ComfyUI's SaveAnimatedWEBP does."""
    exif = PIL.Image.Exif()
    exif[0x0110], exif[0x010F] = f"prompt:{json.dumps(GRAPH)}", "workflow:{}"
    drawn().save(path, exif=exif)
    return path


def video(path: Path, tag: str, text: str) -> Path:
    """Write a short video with a tag."""
    options = {"movflags": "use_metadata_tags"} if path.suffix in {".mp4", ".mov"} else {}
    with av.open(path, "w", options=options) as container:
        container.metadata[tag] = text
        stream = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(drawn()), format="rgb24")))
        container.mux(stream.encode())
    return path
