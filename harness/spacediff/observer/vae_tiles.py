"""Whether the tiles of a VAE join: whether what is kept of each ends exactly where the next begins.

The key insight: `tiled_decode` of diffusers rounds two numbers separately, the latents from one tile to the next and
the pixels that it keeps of each. Where they disagree, frames get another size, or rows and columns in the wrong place.
VAEs with an overlap, a share of a tile, are CogVideoX's, HunyuanVideo 1.5's and Stable Diffusion's; those with a stride
in pixels are Wan's, HunyuanVideo's, LTX-Video's and Mochi's. Of others, nothing is known here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

AXES = {"height": ("height",), "width": ("width",), "size": ("height", "width")}
"""End of a size's name to the sides of a frame for which it holds."""
_LARGEST = 2**20
"""Pixels; a recording of somebody else may name any size."""
_SUGGESTED = 2


@dataclass(frozen=True)
class Tiles:
    """The tiles of a VAE along one axis, or along both.

    Attributes:
        axis: `height`, `width`, or `size` for both.
        setting: The size on which it depends whether they join, such as `tile_sample_min_height`.
        value: Its value, in pixels, or in latents for `tile_latent_min_…`.
        tile: Latents of a tile.
        step: Latents from the beginning of a tile to that of the next.
        kept: Pixels that are kept of a tile.
        ratio: Pixels of a latent.
        fitting: The nearest values of the setting with which they would join, in rising order; empty if they join.
    """

    axis: str
    setting: str
    value: int
    tile: int
    step: int
    kept: int
    ratio: int
    fitting: tuple[int, ...] = ()

    @property
    def join(self) -> bool:
        """Whether what is kept of a tile ends where the next begins."""
        return self.step * self.ratio == self.kept

    def joined(self, latents: int) -> int:
        """Return how many pixels latents are decoded to, without the final crop that some VAEs make."""
        return sum(
            min(self.kept, self.ratio * min(self.tile, latents - first)) for first in range(0, latents, self.step)
        )


def tiles_of(vae: Any) -> tuple[Tiles, ...]:
    """Return the tiles of a VAE as it is set; empty where they are not known."""
    sizes = {name: value for name, value in vars(vae).items() if name.startswith("tile_")}
    return tiles_with(sizes, _ratio(vae))


def tiles_with(sizes: Mapping[str, Any], ratio: int | None = None) -> tuple[Tiles, ...]:
    """Return the tiles of a VAE with some sizes; empty where they are not known.

    Args:
        sizes: The attributes of a VAE that begin with `tile_`.
        ratio: Pixels of a latent; None if it is unknown, and then it is estimated where a tile has both sizes.
    """
    strided = any(name.startswith("tile_sample_stride_") for name in sizes)
    if strided and any(name.startswith("tile_overlap_factor") for name in sizes):
        return ()
    found = (_strided(axis, sizes, ratio) if strided else _overlapping(axis, sizes, ratio) for axis in AXES)
    return tuple(tiles for tiles in found if tiles is not None)


def _ratio(vae: Any) -> int | None:
    config = getattr(vae, "config", {})
    given = vars(vae).get("spatial_compression_ratio") or config.get("spatial_compression_ratio")
    if not given and config.get("block_out_channels"):
        given = 2 ** (len(config["block_out_channels"]) - 1)
    return _whole(given)


def _overlapping(axis: str, sizes: Mapping[str, Any], ratio: int | None) -> Tiles | None:
    setting = f"tile_sample_min_{axis}"
    value, tile = _whole(sizes.get(setting)), _whole(sizes.get(f"tile_latent_min_{axis}"), least=0)
    factor = sizes.get(f"tile_overlap_factor_{axis}", sizes.get("tile_overlap_factor"))
    if value is None or tile is None or not isinstance(factor, int | float) or not 0 <= factor <= 1:
        return None
    ratio = ratio or (2 ** round(math.log2(value / tile)) if 0 < tile <= value else None)
    if ratio is None:
        return None

    def made(value: int, tile: int) -> Tiles:
        kept = value - int(value * factor)
        return Tiles(axis, setting, value, tile, step=int(tile * (1 - factor)), kept=kept, ratio=ratio)

    if tile != value // ratio and made(value, value // ratio).join:  # only one of a tile's two sizes was set
        of_latents = replace(made(value, tile), setting=f"tile_latent_min_{axis}", value=tile)
        return replace(of_latents, fitting=(value // ratio,))
    return _with_fitting(made(value, tile), lambda tile: made(ratio * tile, tile))


def _strided(axis: str, sizes: Mapping[str, Any], ratio: int | None) -> Tiles | None:
    setting = f"tile_sample_stride_{axis}"
    stride, size = _whole(sizes.get(setting)), _whole(sizes.get(f"tile_sample_min_{axis}"))
    if stride is None or size is None or ratio is None:
        return None
    tile = size // ratio

    def made(stride: int) -> Tiles:
        kept = min(stride, ratio * tile)
        return Tiles(axis, setting, stride, tile, step=stride // ratio, kept=kept, ratio=ratio)

    return _with_fitting(made(stride), lambda step: made(ratio * step))


def _with_fitting(tiles: Tiles, made: Callable[[int], Tiles]) -> Tiles:
    """Add the nearest sizes with which tiles join, those of a number of latents as `made` makes them."""
    if tiles.join and tiles.step:
        return tiles
    joining = (each for each in map(made, _from(tiles.value // tiles.ratio)) if each.join and each.step)
    return replace(tiles, fitting=tuple(sorted(each.value for each in islice(joining, _SUGGESTED))))


def _from(middle: int) -> Iterator[int]:
    """Yield whole numbers above 0, the nearest to `middle` first, up to where one in 64 has to be among them."""
    yield from (each for away in range(64) for each in dict.fromkeys((middle - away, middle + away)) if each > 0)


def _whole(value: Any, least: int = 1) -> int | None:
    return value if type(value) is int and least <= value < _LARGEST else None
