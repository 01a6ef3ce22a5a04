"""How the VAE decodes: its switches, and the sizes of its tiles, set as a script sets them."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.errors import UnsupportedSetting
from spacediff.observer.structure import decoder_of
from spacediff.observer.vae_state import SIZES, SWITCHES, needs_tiling, sizes_of
from spacediff.observer.vae_tiles import AXES, Tiles, tiles_of
from spacediff.record import FactKind, fact
from spacediff.settings import Settings
from spacediff.sources.local.known_names import ensure_known
from spacediff.wording import sentence


def set_vae(pipeline: Any, wanted: dict[str, Any]) -> None:
    """Set the switches of a pipeline's VAE and the sizes of its tiles.

    Args:
        pipeline: The pipeline of the run.
        wanted: The declared values by name, as `tiling` or `tile_sample_min_height`.

    Raises:
        UnsupportedSetting: The VAE has no such switch or size, does not take the value, does not use it, or cannot
            decode with it.
    """
    vae = decoder_of(pipeline)
    sizes = {name: value for name, value in wanted.items() if name.startswith(SIZES)}
    taken: set[str] = set()
    for name in (name for name in SWITCHES if name in wanted):
        on = wanted[name]
        method = getattr(vae, f"{'enable' if on else 'disable'}_{name}", None)
        if method is None or not hasattr(vae, SWITCHES[name]):
            raise UnsupportedSetting(f"the VAE of {type(pipeline).__name__} has no {name}")
        arguments = {key: sizes[key] for key in sizes if on and key in inspect.signature(method).parameters}
        taken |= arguments.keys()
        method(**arguments)
    for name, value in sizes.items():
        _refuse_unknown(vae, name)
        if name not in taken:
            setattr(vae, name, value)
        _refuse_without_effect(vae, name, value)
    if sizes:
        _refuse_endless(vae)


def tile_warnings(pipeline: Any, settings: Settings) -> tuple[str, ...]:
    """Return which sizes of a pipeline's VAE keep its tiles from joining, each as a sentence.

    Such a run is not refused: a Space may have the same sizes, and gives the same frames.

    Args:
        pipeline: The pipeline of the run, with its VAE set.
        settings: All settings of the run.
    """
    vae = decoder_of(pipeline)
    if vae is None or not getattr(vae, "use_tiling", False):
        return ()
    tiles = tiles_of(vae)
    if tiles and all(_in_one_tile(each, settings) for each in tiles):
        return ()
    return tuple(
        sentence(
            fact(
                FactKind.TILES_DO_NOT_JOIN,
                setting=f"vae.{each.setting}",
                value=each.value,
                step=each.step * each.ratio,
                kept=each.kept,
                fitting=list(each.fitting),
            )
        )
        for each in tiles
        if not each.join
    )


def _in_one_tile(tiles: Tiles, settings: Settings) -> bool:
    sides = [settings.value(f"call.{side}") for side in AXES[tiles.axis]]
    return all(isinstance(side, int) and side <= tiles.tile * tiles.ratio for side in sides)


def _refuse_endless(vae: Any) -> None:
    """Refuse tiles that are so small that the next would begin where the last does."""
    for tiles in tiles_of(vae) if getattr(vae, "use_tiling", False) else ():
        if not tiles.step:
            raise UnsupportedSetting(
                f"vae.{tiles.setting} = {tiles.value} is too small: {type(vae).__name__} cannot decode such tiles",
                hint=f"{' or '.join(map(str, tiles.fitting))} would fit" if tiles.fitting else "",
            )


def _refuse_unknown(vae: Any, name: str) -> None:
    known = [] if vae is None else sizes_of(vae)
    of = "the pipeline has no VAE with" if vae is None else f"{type(vae).__name__} has no"
    ensure_known(name, known, f"vae.{name} cannot be set: {of} {name}")


def _refuse_without_effect(vae: Any, name: str, value: Any) -> None:
    if getattr(vae, name) != value:
        raise UnsupportedSetting(
            f"vae.{name} = {value!r} is not taken by {type(vae).__name__}: it keeps {getattr(vae, name)}"
        )
    if needs_tiling(name) and not getattr(vae, "use_tiling", False):
        raise UnsupportedSetting(
            f"vae.{name} has no effect without tiling", hint="set vae.tiling = true as well, or leave the size out"
        )
