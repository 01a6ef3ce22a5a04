"""Pixel metrics: MAE, PSNR and SSIM of two uint8 frames.

The key insight for SSIM: with the sum p = x + y and the difference q = x - y, four Gaussian filters (of p, q, p², q²)
give all that the formula needs, since xy = (p² - q²) / 4 and x² + y² = (p² + q²) / 2. Strips of rows keep the
intermediate images in the processor's cache. Equal frames have q = 0 and come out as exactly 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.clip import Frame
from harness.errors import NotMeasuredError
from harness.record import MetricInfo

MAE = MetricInfo(
    name="mae",
    title="MAE",
    unit="levels",
    higher_is_closer=False,
    about="Mean absolute difference of the 8-bit RGB values; 0 is equal, 255 is black against white.",
)
PSNR = MetricInfo(
    name="psnr",
    title="PSNR",
    unit="dB",
    higher_is_closer=True,
    about="Peak signal-to-noise ratio, 10 log10(255² / MSE) over all RGB values; infinite for equal frames.",
)
SSIM = MetricInfo(
    name="ssim",
    title="SSIM",
    unit="",
    higher_is_closer=True,
    about="Structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861): Gaussian window with sigma 1.5 over "
    "11x11 pixels, mean of the RGB channels, as scikit-image defines it; 1 is equal.",
)

_PEAK = 255.0
_SIGMA = 1.5
_RADIUS = 5  # skimage.metrics.structural_similarity: int(truncate * sigma + 0.5) with truncate = 3.5
_C1 = (0.01 * _PEAK) ** 2  # K1 and K2 of Wang et al.
_C2 = (0.03 * _PEAK) ** 2
_STRIP_ROWS = 48
_OFFSET = _PEAK  # p is centred on 0 before it is squared: float32 then loses less to cancellation


def prepare_mae(reference: Frame) -> Callable[[Frame], float]:
    """Return the mean absolute difference in levels (0..255) as a function of the candidate frame."""
    return lambda candidate: float(cv2.norm(reference, candidate, cv2.NORM_L1)) / reference.size


def prepare_psnr(reference: Frame) -> Callable[[Frame], float]:
    """Return PSNR in dB as a function of the candidate frame; infinite for equal frames."""
    return lambda candidate: psnr_of_mse(cv2.norm(reference, candidate, cv2.NORM_L2SQR) / reference.size)


def psnr_of_mse(mse: float) -> float:
    """Return the PSNR in dB of a mean squared error in squared levels."""
    return math.inf if mse == 0 else 10 * math.log10(_PEAK**2 / mse)


def rmse_of_psnr(psnr: float) -> float:
    """Return the root mean squared error in levels of a PSNR in dB."""
    return 0.0 if math.isinf(psnr) else _PEAK * 10 ** (-psnr / 20)


def psnr_of_rmse(rmse: float) -> float:
    """Return the PSNR in dB of a root mean squared error in levels."""
    return psnr_of_mse(rmse**2)


def prepare_ssim(reference: Frame) -> Callable[[Frame], float]:
    """Return mean SSIM as a function of the candidate frame.

    Raises:
        NotMeasuredError: The frame is smaller than the 11x11 window.
    """
    if min(reference.shape[:2]) <= 2 * _RADIUS:
        raise NotMeasuredError(f"SSIM needs frames of at least {2 * _RADIUS + 1}x{2 * _RADIUS + 1} pixels")
    return lambda candidate: _ssim(reference, candidate)


def _ssim(reference: Frame, candidate: Frame) -> float:
    height, width = reference.shape[:2]
    total = 0.0
    for top in range(0, height - 2 * _RADIUS, _STRIP_ROWS):
        rows = slice(top, min(top + _STRIP_ROWS, height - 2 * _RADIUS) + 2 * _RADIUS)
        total += float(_ssim_map(reference[rows], candidate[rows]).sum(dtype=np.float64))
    return float(total / ((height - 2 * _RADIUS) * (width - 2 * _RADIUS) * reference.shape[2]))


def _ssim_map(x: Frame, y: Frame) -> NDArray[np.float32]:
    """Return SSIM where the whole window lies inside, float32 `[H - 10, W - 10, 3]`."""
    p = cv2.add(x, y, dtype=cv2.CV_32F)
    p -= np.float32(_OFFSET)
    q = cv2.subtract(x, y, dtype=cv2.CV_32F)
    mean_p, mean_q = _windowed(p), _windowed(q)
    variance_p = _windowed(cv2.multiply(p, p)) - cv2.multiply(mean_p, mean_p)
    variance_q = _windowed(cv2.multiply(q, q)) - cv2.multiply(mean_q, mean_q)
    mean_p += np.float32(_OFFSET)
    square_p, square_q = cv2.multiply(mean_p, mean_p), cv2.multiply(mean_q, mean_q)
    # twice the usual fractions: 2 (2 μx μy + C1) = μp² - μq² + 2 C1, and so on
    numerator = (square_p - square_q + np.float32(2 * _C1)) * (variance_p - variance_q + np.float32(2 * _C2))
    denominator = (square_p + square_q + np.float32(2 * _C1)) * (variance_p + variance_q + np.float32(2 * _C2))
    ratio: NDArray[np.float32] = numerator / denominator
    return ratio


def _gaussian_kernel() -> NDArray[np.float32]:
    x = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-0.5 * (x / _SIGMA) ** 2)
    return (weights / weights.sum()).astype(np.float32)


_KERNEL = _gaussian_kernel()


def _windowed(image: NDArray[np.float32]) -> NDArray[np.float32]:
    filtered: NDArray[np.float32] = cv2.sepFilter2D(image, cv2.CV_32F, _KERNEL, _KERNEL)
    inside: NDArray[np.float32] = filtered[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
    return inside
