"""How a VAE decodes: its switches, and the sizes of its tiles."""

from __future__ import annotations

from typing import Any

from .structure import decoder_of

SWITCHES = {"tiling": "use_tiling", "slicing": "use_slicing"}
"""Switch to the attribute of a VAE that holds its state."""
SIZES = ("tile_", "use_framewise_", "num_latent_frames_", "num_sample_frames_")
"""How the names of a VAE's attributes begin that change how it decodes, besides its switches."""
_ACROSS_FRAMES = "num_frames"
"""End of the names of tile sizes along time."""


def vae_state(pipeline: Any) -> dict[str, Any]:
    """Return what decides how a pipeline's VAE decodes: its switches, and with tiling the sizes of its tiles."""
    vae = decoder_of(pipeline)
    switches = {name: bool(getattr(vae, held)) for name, held in SWITCHES.items() if hasattr(vae, held)}
    if not switches.get("tiling"):
        return switches
    return switches | {name: getattr(vae, name) for name in sizes_of(vae) if name.startswith("tile_")}


def needs_tiling(name: str) -> bool:
    """Whether a size of a VAE acts only with tiling; some VAEs use those along time also without."""
    return name.startswith("tile_") and not name.endswith(_ACROSS_FRAMES)


def sizes_of(vae: Any) -> list[str]:
    """Return the names of the sizes that a VAE has."""
    return sorted(
        name for name, value in vars(vae).items() if name.startswith(SIZES) and isinstance(value, bool | int | float)
    )
