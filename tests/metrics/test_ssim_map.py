from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from spacediff.codec.map_tiles import split_tiles, tiles_per_row
from spacediff.metrics.pixel import prepare_ssim, prepare_ssim_map
from spacediff.metrics.ssim_map import cells_of, prepare_tile, tile, tile_of_equal_frames, write_tiles
from support.drawn_scene import draw_scene

REFERENCE = draw_scene(2, (64, 96), hand=True)
CANDIDATE = draw_scene(2, (64, 96), hand=False, tint=0.05)


def test_a_map_equals_that_of_scikit_image_at_every_pixel() -> None:
    _, theirs = structural_similarity(
        REFERENCE[0],
        CANDIDATE[0],
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=2,
        data_range=255,
        full=True,
    )
    inside = slice(5, -5)
    _, ours = prepare_ssim_map(REFERENCE[0])(CANDIDATE[0])
    assert ours.shape == (54, 86)
    assert ours == pytest.approx(theirs.mean(axis=2)[inside, inside], abs=2e-4)
    assert ours.min() < 0.5 < ours.max()


def test_the_mean_of_a_map_is_the_metric() -> None:
    value, ours = prepare_ssim_map(REFERENCE[0])(CANDIDATE[0])
    assert value == prepare_ssim(REFERENCE[0])(CANDIDATE[0])
    assert float(ours.mean()) == pytest.approx(value, abs=1e-4)


def test_equal_frames_are_white_and_a_changed_corner_is_not() -> None:
    changed = REFERENCE[0].copy()
    changed[:16, :16] = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    _, levels = prepare_tile(REFERENCE[0])(changed)
    value, of_equal = prepare_tile(REFERENCE[0])(REFERENCE[0])
    assert value == 1
    assert np.array_equal(of_equal, tile_of_equal_frames(REFERENCE[0]))
    assert (of_equal == 255).all()
    assert levels[2, 2] < 128
    assert (levels[20:, 24:] == 255).all()


@pytest.mark.parametrize(("size", "cells"), [((480, 720), (40, 60)), ((64, 96), (32, 48)), ((30, 20), (30, 20))])
def test_cells_are_squares_that_cover_the_frame(size: tuple[int, int], cells: tuple[int, int]) -> None:
    assert cells_of(*size) == cells
    assert max(cells) <= 64


def test_tiles_are_arranged_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ssim.png"
    other = prepare_tile(REFERENCE[1])(CANDIDATE[1])[1]
    rows, columns, across = write_tiles([tile_of_equal_frames(REFERENCE[0]), other], path)
    assert across == 1
    levels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert levels is not None
    assert levels.shape == (2 * rows, columns)
    assert (levels[:rows] == 255).all()
    assert np.array_equal(levels[rows:], other)


def test_the_map_of_a_long_clip_is_no_higher_than_browsers_can_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiles_per_row(49, 43) == 1
    assert tiles_per_row(1000, 43) * 190 >= 1000
    monkeypatch.setattr("spacediff.codec.map_tiles._MAX_HEIGHT", 70)
    path, written = tmp_path / "ssim.png", [prepare_tile(REFERENCE[0])(CANDIDATE[n % 2])[1] for n in range(5)]
    rows, columns, across = write_tiles(written, path)
    levels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert levels is not None
    assert (rows, across, levels.shape) == (32, 3, (64, 3 * columns))
    tiles = split_tiles(np.asarray(levels, np.uint8), rows, columns)
    assert all(np.array_equal(found, made) for found, made in zip(tiles, written, strict=False))
    assert (tiles[5:] == 255).all()


def test_nearly_equal_is_not_stored_as_equal() -> None:
    nearly = np.full((22, 22), 0.9999, np.float32)
    assert (tile(nearly) == 254).all()
    assert (tile(np.ones((22, 22), np.float32)) == 255).all()
