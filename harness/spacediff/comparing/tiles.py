"""Whether a clip has another size because the tiles of its VAE do not join.

The key insight: the latents of both sides have the same size, so the size of the other clip says how many latents were
decoded. If the tiles of this VAE join so many to exactly the size of this clip, they are what changed it.
"""

from __future__ import annotations

from spacediff.observer.vae_tiles import AXES, Tiles, tiles_with
from spacediff.record import Fact, FactKind, RunRecord, fact

_TABLE = "vae."


def sizes_of_tiles(reference: RunRecord, candidate: RunRecord) -> list[Fact]:
    """Return which of two clips has its size from tiles that do not join; empty where sizes agree or differ otherwise.

    Args:
        reference: The run of the reference.
        candidate: The run that is compared with it.
    """
    found = (_explained(candidate, reference, candidate=True), _explained(reference, candidate, candidate=False))
    return [each for each in found if each is not None]


def _explained(run: RunRecord, other: RunRecord, *, candidate: bool) -> Fact | None:
    if run.clip is None or other.clip is None or not _value(run, "vae.tiling"):
        return None
    made = {"width": run.clip.width, "height": run.clip.height}
    decoded = {"width": other.clip.width, "height": other.clip.height}
    sizes = {path.removeprefix(_TABLE): each.value for path, each in run.settings.items() if path.startswith(_TABLE)}
    wrong = [tiles for tiles in tiles_with(sizes) if not tiles.join and tiles.step]
    sides = {side: tiles for tiles in wrong for side in AXES[tiles.axis] if _joins_to(tiles, decoded[side], made[side])}
    if not sides or any(made[side] != decoded[side] for side in made.keys() - sides.keys()):
        return None
    settings = {f"{_TABLE}{tiles.setting}": tiles.fitting for tiles in sides.values()}
    return fact(
        FactKind.TILES_GAVE_SIZE,
        candidate=candidate,
        size=[*made.values()],
        decoded=[*decoded.values()],
        settings=[*settings],
        fitting=[fitting[0] if fitting else 0 for fitting in settings.values()],
    )


def _joins_to(tiles: Tiles, decoded: int, made: int) -> bool:
    latents, rest = divmod(decoded, tiles.ratio)
    return made != decoded and not rest and tiles.joined(latents) == made


def _value(run: RunRecord, path: str) -> object:
    return run.settings[path].value if path in run.settings else None
