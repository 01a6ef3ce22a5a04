"""Tiles of a VAE: what is computed about them, compared with what diffusers' own tiled decoding gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spacediff.observer.vae_tiles import tiles_of, tiles_with
from spacediff.torchvision_shim import shim_torchvision

FACTORS = {"tile_overlap_factor_height": 1 / 6, "tile_overlap_factor_width": 1 / 5}


def enlarged(z: Any, ratio: int) -> Any:
    """Return a square of equal pixels for each latent."""
    return z.repeat_interleave(ratio, -1).repeat_interleave(ratio, -2)


def empty(name: str, **config: Any) -> Any:
    """Return an autoencoder of diffusers without weights."""
    shim_torchvision()
    import diffusers
    import torch

    with torch.device("meta"):
        return getattr(diffusers, name)(**config)


def decoding(vae: Any, decode: Callable[[Any], Any]) -> Any:
    vae.decoder.forward = lambda z, conv_cache=None: decode(z)  # noqa: ARG005 - diffusers gives it
    return vae


def cogvideox(height: int, width: int) -> Any:
    vae = decoding(empty("AutoencoderKLCogVideoX"), lambda z: (enlarged(z, 8), None))
    vae.enable_tiling(tile_sample_min_height=height, tile_sample_min_width=width)
    return vae


def stable_diffusion(size: int) -> Any:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3}
    widths = {"block_out_channels": (32,) * 3, "use_post_quant_conv": False}
    vae = decoding(empty("AutoencoderKL", **blocks, **widths, sample_size=size), lambda z: enlarged(z, 4))
    vae.enable_tiling()
    return vae


def size_decoded(vae: Any, height: int, width: int) -> tuple[int, ...]:
    """Return the size to which diffusers decodes latents of a size."""
    import torch

    frames = () if type(vae).__name__ == "AutoencoderKL" else (1,)
    decoded = vae.tiled_decode(torch.zeros(1, 1, *frames, height, width), return_dict=False)[0]
    return tuple(decoded.shape[-2:])


@pytest.mark.parametrize("sizes", [(48, 40), (96, 80), (32, 48), (50, 41), (16,), (32,), (20,), (18,)], ids=str)
def test_tiles_give_the_size_that_diffusers_gives(sizes: tuple[int, ...]) -> None:
    vae = stable_diffusion(*sizes) if len(sizes) == 1 else cogvideox(*sizes)
    tiles = tiles_of(vae)
    down, across = tiles[0], tiles[-1]
    for height, width in ((8, 12), (5, 7), (60, 90)):
        found = size_decoded(vae, height, width)
        assert found == (down.joined(height), across.joined(width))
        assert (found == (height * down.ratio, width * across.ratio)) is (down.join and across.join)


def test_sizes_that_are_said_to_fit_join_in_diffusers() -> None:
    down, across = tiles_of(cogvideox(32, 48))
    assert (down.join, across.join) == (False, False)
    assert (down.fitting, across.fitting) == ((48, 96), (40, 80))
    for height, width in zip(down.fitting, across.fitting, strict=True):
        assert size_decoded(cogvideox(height, width), 60, 90) == (480, 720)


@pytest.mark.parametrize("name", ["CogVideoX", "", "Wan", "HunyuanVideo", "HunyuanVideo15", "LTXVideo", "Mochi"])
def test_the_default_tiles_of_diffusers_join(name: str) -> None:
    tiles = tiles_of(empty(f"AutoencoderKL{name}"))
    assert tiles
    assert all(each.join for each in tiles)


def test_a_stride_that_is_no_whole_number_of_latents_does_not_join() -> None:
    sizes = {"tile_sample_min_height": 64, "tile_sample_stride_height": 44}
    (tiles,) = tiles_with(sizes, ratio=8)
    assert (tiles.join, tiles.step * 8, tiles.kept, tiles.fitting) == (False, 40, 44, (32, 40))
    (wider,) = tiles_with(sizes | {"tile_sample_stride_height": 72}, ratio=8)
    assert not wider.join  # the tiles leave gaps
    assert all(fitting <= 64 for fitting in wider.fitting)
    assert tiles_with(sizes) == ()  # without the ratio of the VAE, nothing is known


def test_a_size_in_latents_that_was_not_set_with_that_in_pixels_is_named() -> None:
    (tiles,) = tiles_with({"tile_sample_min_size": 256, "tile_latent_min_size": 64, "tile_overlap_factor": 0.25}, 8)
    assert (tiles.join, tiles.setting, tiles.value, tiles.fitting) == (False, "tile_latent_min_size", 64, (32,))


@pytest.mark.parametrize("size", [0, -8, 2**40, True, "48", None, 48.0, float("nan")], ids=repr)
def test_nothing_is_said_of_sizes_that_are_none(size: Any) -> None:
    sizes = {"tile_sample_min_height": 48, "tile_latent_min_height": 6, **FACTORS}
    assert tiles_with(sizes)
    assert tiles_with(sizes | {"tile_sample_min_height": size}) == ()
    assert tiles_with(sizes | {"tile_overlap_factor_height": "all"}) == ()
    assert tiles_with({"tile_sample_stride_height": size, "tile_sample_min_height": 48}, 8) == ()
