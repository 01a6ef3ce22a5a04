"""How the VAE decodes: its switches, and the sizes of its tiles, set as a script sets them."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.errors import UnsupportedSetting
from spacediff.observer.structure import decoder_of
from spacediff.observer.vae_state import SIZES, SWITCHES, sizes_of
from spacediff.sources.local.known_names import ensure_known

_ACROSS_FRAMES = "num_frames"
"""End of the names of tile sizes along time, which some VAEs also use without tiling."""


def set_vae(pipeline: Any, wanted: dict[str, Any]) -> None:
    """Set the switches of a pipeline's VAE and the sizes of its tiles.

    Args:
        pipeline: The pipeline of the run.
        wanted: The declared values by name, as `tiling` or `tile_sample_min_height`.

    Raises:
        UnsupportedSetting: The VAE has no such switch or size, does not take the value, or does not use it.
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


def _refuse_unknown(vae: Any, name: str) -> None:
    known = [] if vae is None else sizes_of(vae)
    of = "the pipeline has no VAE with" if vae is None else f"{type(vae).__name__} has no"
    ensure_known(name, known, f"vae.{name} cannot be set: {of} {name}")


def _refuse_without_effect(vae: Any, name: str, value: Any) -> None:
    if getattr(vae, name) != value:
        raise UnsupportedSetting(
            f"vae.{name} = {value!r} is not taken by {type(vae).__name__}: it keeps {getattr(vae, name)}"
        )
    if name.startswith("tile_") and not name.endswith(_ACROSS_FRAMES) and not getattr(vae, "use_tiling", False):
        raise UnsupportedSetting(
            f"vae.{name} has no effect without tiling", hint="set vae.tiling = true as well, or leave the size out"
        )
