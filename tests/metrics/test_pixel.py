from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from spacediff.clip import Frame, bands
from spacediff.errors import NotMeasuredError
from spacediff.metrics.pixel import (
    prepare_mae,
    prepare_psnr,
    prepare_ssim,
    prepare_ssim_map,
    psnr_of_mse,
    psnr_of_rmse,
    rmse_of_psnr,
)
from support.clips import moving_ball
from support.fuzzing import examples


def pair(scale: int, *, height: int = 150, width: int = 203) -> tuple[Frame, Frame]:
    clean = moving_ball(1, height, width).frames[0]
    noise = np.random.default_rng(1).normal(0, 9, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    return clean // scale, noisy // scale


def peer_ssim(x: Frame, y: Frame) -> float:
    """SSIM by scikit-image with the settings that its documentation gives for Wang et al."""
    return float(
        structural_similarity(
            x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
        )
    )


@pytest.mark.parametrize("scale", [1, 4, 60])
def test_values_equal_those_of_scikit_image(scale: int) -> None:
    x, y = pair(scale)
    assert prepare_ssim(x)(y) == pytest.approx(peer_ssim(x, y), abs=1e-5)
    assert prepare_psnr(x)(y) == pytest.approx(peak_signal_noise_ratio(x, y, data_range=255), abs=1e-5)
    assert prepare_mae(x)(y) == pytest.approx(np.abs(x.astype(float) - y).mean(), abs=1e-9)


@st.composite
def frame_pairs(draw: st.DrawFn) -> tuple[Frame, Frame]:
    """Two frames: black to white, flat to noisy, equal to unrelated, of one block or several."""
    size = (*draw(st.sampled_from([(11, 40), (60, 11), (115, 60), (230, 20), (20, 255), (110, 505)])), 3)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels, contrasts, noises = st.integers(0, 255), st.sampled_from([0, 1, 30, 255]), st.sampled_from([0, 0.3, 2, 90])
    x = draw(levels) + draw(contrasts) * random.normal(0, 1, size).cumsum(axis=draw(st.integers(0, 1))) / 8
    y = x if draw(st.booleans()) else np.broadcast_to(draw(levels), size)
    y = y + draw(st.integers(-3, 3)) + draw(noises) * random.normal(0, 1, size)
    return np.clip(x, 0, 255).astype(np.uint8), np.clip(y, 0, 255).astype(np.uint8)


@settings(max_examples=examples(150))
@given(frame_pairs())
def test_ssim_equals_that_of_scikit_image_for_any_content(frames: tuple[Frame, Frame]) -> None:
    x, y = frames
    assert prepare_ssim(x)(y) == pytest.approx(peer_ssim(x, y), abs=1e-5)
    assert prepare_ssim(x)(y) == pytest.approx(prepare_ssim(y)(x), abs=1e-5)  # float32, as the line above
    assert prepare_ssim(x)(x.copy()) == 1.0


@pytest.mark.parametrize("size", [(230, 40), (40, 530)])
def test_every_row_and_column_counts_once(size: tuple[int, int]) -> None:
    """With a wrong overlap of blocks, the loss would depend on the position of the damaged line."""
    clean = np.full((*size, 3), 90, np.uint8)
    across = size[1] > size[0]
    losses = []
    for line in range(10, max(size) - 10, 1 + 2 * across):
        damaged = clean.copy()
        damaged[(slice(None), line) if across else line] = 200
        losses.append(1 - prepare_ssim(clean)(damaged))
    assert np.ptp(losses) < 1e-6 < min(losses)


def test_threads_do_not_disturb_each_other() -> None:
    pairs = [pair(scale, height=height) for scale in (1, 2, 3) for height in (40, 120, 150)]
    expected = [prepare_ssim(x)(y) for x, y in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda xy: prepare_ssim(xy[0])(xy[1]), pairs * 20)) == expected * 20


def test_ssim_agrees_with_its_formula_written_out() -> None:
    """A third implementation: equations 13 to 16 of Wang et al. 2004, window by window."""
    x, y = (frame.astype(float) for frame in pair(1, height=23, width=19))
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights = (weights / weights.sum())[..., None]
    values = []
    for row in range(23 - 10):
        for column in range(19 - 10):
            a, b = (image[row : row + 11, column : column + 11] for image in (x, y))
            mean_a, mean_b = (weights * a).sum((0, 1)), (weights * b).sum((0, 1))
            var_a, var_b = (weights * (a - mean_a) ** 2).sum((0, 1)), (weights * (b - mean_b) ** 2).sum((0, 1))
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum((0, 1))
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
            values.append(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    ours = prepare_ssim(x.astype(np.uint8))(y.astype(np.uint8))
    assert ours == pytest.approx(np.mean(values), abs=1e-5)


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_equal_frames_give_exact_values(level: int) -> None:
    for frame in (np.full((40, 50, 3), level, np.uint8), moving_ball(1, seed=level).frames[0]):
        assert prepare_ssim(frame)(frame.copy()) == 1.0
        assert prepare_psnr(frame)(frame.copy()) == math.inf
        assert prepare_mae(frame)(frame.copy()) == 0.0


def test_one_changed_value_is_seen() -> None:
    frame = moving_ball(1).frames[0]
    changed = frame.copy()
    changed[20, 20, 1] ^= 4
    assert prepare_ssim(frame)(changed) < 1
    assert prepare_psnr(frame)(changed) == pytest.approx(10 * math.log10(255**2 / (16 / frame.size)))
    assert prepare_mae(frame)(changed) == pytest.approx(4 / frame.size)


def test_order_does_not_matter() -> None:
    x, y = pair(1)
    for prepare in (prepare_ssim, prepare_psnr, prepare_mae):
        assert prepare(x)(y) == pytest.approx(prepare(y)(x), rel=1e-6)


def test_frames_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(NotMeasuredError, match="11x11"):
        prepare_ssim(np.zeros((10, 40, 3), np.uint8))


@pytest.mark.parametrize("rmse", [0.0, 0.5, 17.3, 255.0])
def test_psnr_and_its_error_scale_are_inverse(rmse: float) -> None:
    assert rmse_of_psnr(psnr_of_mse(rmse**2)) == pytest.approx(rmse)
    assert rmse_of_psnr(psnr_of_rmse(rmse)) == pytest.approx(rmse)


def test_a_large_frame_has_the_values_of_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = moving_ball(2, 130, 260).frames
    ssim, (mean, whole) = prepare_ssim(x)(y), prepare_ssim_map(x)(y)
    monkeypatch.setattr(bands, "MOST_PIXELS", 100)
    assert prepare_ssim(x)(y) == ssim
    large, tiles = prepare_ssim_map(x)(y)
    assert large == mean
    np.testing.assert_array_equal(tiles, whole)
