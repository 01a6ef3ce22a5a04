"""Tiles of the VAE: the same bytes as a plain script's, and a size that nothing uses is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from support.listeners import RememberingListener
from support.tiny_wan import CALL, PROMPT, frames_of, load_wan

LARGER = {"height": 32, "width": 32}
TILES = {"tile_sample_min_height": 16, "tile_sample_min_width": 16, "tile_sample_stride_height": 8}


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


def generate(source: LocalSource, model: Path, **vae: Any) -> Produced:
    tables = {"model": {"id": str(model)}, "placement": "cpu", "call": {**CALL, **LARGER}, "vae": vae}
    return source.generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, RememberingListener())


def test_the_sizes_of_tiles_act_as_in_a_plain_script(source: LocalSource, wan_checkpoint: Path) -> None:
    by_script = load_wan(wan_checkpoint)
    by_script.vae.enable_tiling(**TILES)
    by_script.vae.tile_sample_stride_width = 12
    ours = generate(source, wan_checkpoint, tiling=True, **TILES, tile_sample_stride_width=12)
    assert np.array_equal(ours.clip.frames, frames_of(by_script, **LARGER))
    default = generate(source, wan_checkpoint, tiling=True)
    assert not np.array_equal(ours.clip.frames, default.clip.frames)
    assert default.settings["vae.tile_sample_min_height"].value == 256
    assert default.settings["vae.tile_sample_min_height"].origin is Origin.DEFAULT
    assert "vae.tile_sample_min_height" not in generate(source, wan_checkpoint).settings


@pytest.mark.parametrize(
    ("vae", "message"),
    [
        (
            {"tiling": True, "tile_sample_min_hight": 16},
            "has no tile_sample_min_hight; did you mean 'tile_sample_min_height'?",
        ),
        ({"tile_sample_min_height": 16}, "vae.tile_sample_min_height has no effect without tiling"),
        ({"tiling": False, "tile_sample_min_height": 16}, "has no effect without tiling"),
        ({"tiling": True, "tile_sample_stride_height": 4}, "vae.tile_sample_stride_height = 4 is too small"),
        ({"use_framewise_decoding": True}, "AutoencoderKLWan has no use_framewise_decoding"),
    ],
)
def test_a_size_that_the_vae_does_not_use_is_refused(
    source: LocalSource, wan_checkpoint: Path, vae: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        generate(source, wan_checkpoint, **vae)
    assert message in caught.value.message


def test_sizes_of_tiles_that_do_not_join_are_named_before_the_run_and_in_its_record(
    source: LocalSource, wan_checkpoint: Path
) -> None:
    listener = RememberingListener()
    vae = {"tiling": True, **TILES, "tile_sample_stride_width": 12}
    tables = {"model": {"id": str(wan_checkpoint)}, "placement": "cpu", "call": {**CALL, **LARGER}, "vae": vae}
    warned = source.generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, listener)
    (message,) = warned.warnings
    assert "With vae.tile_sample_stride_width = 12, the tiles of the VAE do not join" in message
    assert "8 or 16 would fit" in message
    assert any(message in status for status in listener.texts)
    fitting = generate(source, wan_checkpoint, tiling=True, **TILES, tile_sample_stride_width=8)
    assert fitting.warnings == ()
    tables["call"] = {**CALL, "height": 16, "width": 16}  # a single tile
    assert source.generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, listener).warnings == ()
