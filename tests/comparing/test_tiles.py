"""Clips whose size comes from tiles of the VAE that do not join."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip
from spacediff.comparing.prompt import compare_prompt
from spacediff.comparing.tiles import sizes_of_tiles
from spacediff.metrics import METRICS
from spacediff.record import ClipRecord, FactKind, Role, RunRecord, Verdict, fact, record_settings
from spacediff.settings import Origin, Settings
from spacediff.wording import paragraph
from support.clips import moving_ball
from support.kept_runs import ignore_progress, kept

TILES = {
    "tile_sample_min_height": 32,
    "tile_latent_min_height": 4,
    "tile_overlap_factor_height": 1 / 6,
    "tile_sample_min_width": 48,
    "tile_latent_min_width": 6,
    "tile_overlap_factor_width": 1 / 5,
}
"""Tiles with which CogVideoX's VAE decodes 96x64 pixels to 110x70, and 720x480 to 874x537."""


def run(width: int, height: int, **vae: object) -> RunRecord:
    clip = ClipRecord(lossless="", preview="", digest="", frames=1, width=width, height=height, fps=8.0)
    settings = record_settings(Settings.of({"vae": vae}, Origin.DEFAULT))
    return RunRecord(
        key="variant",
        name="variant",
        role=Role.VARIANT,
        prompt="p",
        source="diffusers",
        measured=True,
        clip=clip,
        settings=settings,
    )


def test_the_tiles_are_named_for_the_size_that_they_give() -> None:
    whole, tiled = run(96, 64), run(110, 70, tiling=True, **TILES)
    found = fact(
        FactKind.TILES_GAVE_SIZE,
        candidate=True,
        size=[110, 70],
        decoded=[96, 64],
        settings=["vae.tile_sample_min_height", "vae.tile_sample_min_width"],
        fitting=[48, 40],
    )
    assert sizes_of_tiles(whole, tiled) == [found]
    (of_reference,) = sizes_of_tiles(tiled, whole)
    assert of_reference.values == {**found.values, "candidate": False}
    assert paragraph([of_reference]) == (
        "The reference has 110x70 pixels instead of 96x64 because the tiles of the VAE do not join: this is the known "
        "cause tile-sizes. With vae.tile_sample_min_height = 48 and vae.tile_sample_min_width = 40 they would join."
    )
    assert sizes_of_tiles(run(720, 480), run(874, 537, tiling=True, **TILES))[0].values["size"] == [874, 537]


@pytest.mark.parametrize(
    ("tiled", "why"),
    [
        (run(96, 64, tiling=True, **TILES), "the size is that of the other clip"),
        (run(110, 70, tiling=False, **TILES), "tiling is off"),
        (run(110, 70, **TILES), "tiling is unknown"),
        (run(110, 70, tiling=True), "the sizes of the tiles are unknown"),
        (run(112, 70, tiling=True, **TILES), "tiles would give another width"),
        (run(110, 71, tiling=True, **TILES), "tiles would give another height"),
        (run(110, 70, tiling=True, **TILES, tile_sample_stride_height=8), "the VAE is unknown"),
        (run(110, 70, tiling=True, **{**TILES, "tile_sample_min_height": "32"}), "a size is no number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_other_difference_of_size_is_explained_so(tiled: RunRecord, why: str) -> None:
    assert sizes_of_tiles(run(96, 64), tiled) == [], why


def test_the_comparison_names_them_first(tmp_path: Path) -> None:
    ball = moving_ball(4)
    wider = Clip(np.pad(ball.frames, ((0, 0), (0, 6), (0, 14), (0, 0)), mode="edge"), ball.fps)
    assert (wider.frames.shape[2], wider.frames.shape[1]) == (110, 70)
    settings = record_settings(Settings.of({"vae": {"tiling": True, **TILES}}, Origin.DEFAULT))
    reference = kept(tmp_path, "reference", ball, Role.REFERENCE)
    candidate = kept(tmp_path, "variant", wider).model_copy(update={"settings": settings})
    (found,) = compare_prompt(reference, [candidate], tmp_path, METRICS[:2], ignore_progress).comparisons
    assert found.evidence[0].kind is FactKind.TILES_GAVE_SIZE
    assert "known cause tile-sizes" in paragraph(found.evidence)


def test_they_are_named_where_nothing_can_be_scored(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 70, 110, 3), np.uint8)
    settings = record_settings(Settings.of({"vae": {"tiling": True, **TILES}}, Origin.DEFAULT))
    reference = kept(tmp_path, "reference", moving_ball(2), Role.REFERENCE)
    candidate = kept(tmp_path, "variant", Clip(noise, moving_ball(2).fps)).model_copy(update={"settings": settings})
    (found,) = compare_prompt(reference, [candidate], tmp_path, METRICS[:2], ignore_progress).comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.evidence[0].kind is FactKind.TILES_GAVE_SIZE
