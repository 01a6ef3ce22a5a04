"""Pictures and videos as files, for pipelines that take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (64, 64), mode: str = "RGB") -> Image.Image:
    """A picture with soft shapes; `size` is width and height."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    levels = np.random.default_rng(seed).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    bands = [Image.fromarray(levels[..., n]).resize(size, Image.Resampling.BICUBIC) for n in range(channels)]
    return Image.merge(mode, bands)


def mask(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A mask: white in the middle, black around it."""
    levels = np.zeros(size[::-1], np.uint8)
    levels[size[1] // 4 : -size[1] // 4, size[0] // 4 : -size[0] // 4] = 255
    return Image.fromarray(levels)


def write_video(path: Path, frames: int = 9, size: tuple[int, int] = (64, 64)) -> Path:
    """Write a video with diffusers, as people make one."""
    from diffusers.utils import export_to_video

    pictures: Any = [np.asarray(picture(n, size)).astype(np.float32) / 255 for n in range(frames)]
    export_to_video(pictures, str(path), fps=8)
    return path


def turned_jpeg(path: Path, orientation: int = 6, size: tuple[int, int] = (80, 60)) -> Path:
    """Write a JPEG that EXIF turns, as a phone writes one."""
    shown = picture(3, size)
    exif = shown.getexif()
    exif[0x0112] = orientation
    shown.save(path, exif=exif, quality=95)
    return path
