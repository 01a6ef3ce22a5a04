"""Pixel metrics: MAE, PSNR and SSIM of two uint8 frames.

The key insight for SSIM: with the sum p = x + y and the difference q = x - y, and with their means m and variances v
over a window, the losses of brightness and of structure are separate factors:

    SSIM = (1 - 2 mq² / (mp² + mq² + 2 C1)) (1 - 2 vq / (vp + vq + 2 C2))

since 4 mx my = mp² - mq², 2 (mx² + my²) = mp² + mq², and likewise for the variances. Equal frames have q = 0 and give
exactly 1, and rounding errors in vp have little effect, because they only scale a small vq. This needs the Gaussian
means of x, q, p² and q²; the mean of x depends only on the reference and is computed once for all candidates.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.errors import MetricUnavailable
from spacediff.metric_info import MetricInfo
from spacediff.metrics.metric import Metric, complement, same

Image = NDArray[np.float32]

_PEAK = 255.0
_SIGMA = 1.5
RADIUS = 5  # skimage.metrics.structural_similarity: int(truncate * sigma + 0.5) with truncate = 3.5
_C1 = (0.01 * _PEAK) ** 2  # K1 and K2 of Wang et al.
_C2 = (0.03 * _PEAK) ** 2
_STRIP_ROWS = 120  # the images of a strip fit into the processor's cache, and few rows are filtered twice


def prepare_mae(reference: Frame) -> Callable[[Frame], float]:
    """Prepare the mean absolute difference in levels (0..255) as a function of the candidate frame."""
    return lambda candidate: float(cv2.norm(reference, candidate, cv2.NORM_L1)) / reference.size


def prepare_psnr(reference: Frame) -> Callable[[Frame], float]:
    """Prepare PSNR in dB as a function of the candidate frame; infinite for equal frames."""
    return lambda candidate: psnr_of_mse(cv2.norm(reference, candidate, cv2.NORM_L2SQR) / reference.size)


def psnr_of_mse(mse: float) -> float:
    """Convert a mean squared error in squared levels to PSNR in dB."""
    return math.inf if mse == 0 else 10 * math.log10(_PEAK**2 / mse)


def rmse_of_psnr(psnr: float) -> float:
    """Convert PSNR in dB to the root mean squared error in levels."""
    return 0.0 if math.isinf(psnr) else _PEAK * 10 ** (-psnr / 20)


def psnr_of_rmse(rmse: float) -> float:
    """Convert a root mean squared error in levels to PSNR in dB."""
    return psnr_of_mse(rmse**2)


def prepare_ssim(reference: Frame) -> Callable[[Frame], float]:
    """Prepare mean SSIM as a function of the candidate frame.

    Raises:
        NotMeasuredError: The frame is smaller than the 11x11 window.
    """
    if not SSIM.defined_for(reference):
        raise MetricUnavailable(SSIM.need)
    strips = _prepared(reference)
    count = sum(mean.size for _, mean in strips)

    def ssim(candidate: Frame) -> float:
        return 1 - sum(_loss(reference[rows], candidate[rows], mean) for rows, mean in strips) / count

    return ssim


def ssim_map(reference: Frame, candidate: Frame) -> Image:
    """Compute SSIM in every window inside the frame, averaged over the channels, float32 `[H - 10, W - 10]`."""
    return np.concatenate([_ssim(reference[rows], candidate[rows], mean) for rows, mean in _prepared(reference)])


def _prepared(reference: Frame) -> list[tuple[slice, Image]]:
    """Split a frame into strips, each with the centred means of its windows."""
    height, width, channels = reference.shape
    means = np.empty((height - 2 * RADIUS, width - 2 * RADIUS, channels), np.float32)
    strips = [(rows, means[rows.start : rows.stop - 2 * RADIUS]) for rows in _strips(height)]
    for rows, mean in strips:
        x = reference[rows]
        np.subtract(_windowed(x, _scratch(x.shape)[0]), np.float32(_centre(x)), out=mean)
    return strips


def _strips(height: int) -> Iterator[slice]:
    """Split a frame into strips that overlap so that every window is completely inside one of them."""
    last = height - 2 * RADIUS
    return (slice(top, min(top + _STRIP_ROWS, last) + 2 * RADIUS) for top in range(0, last, _STRIP_ROWS))


def _loss(x: Frame, y: Frame, mean_x: Image) -> float:
    """Sum 1 - SSIM over all windows of a strip; `mean_x` contains their centred means of x."""
    brightness, structure = _losses(x, y, mean_x)
    # 1 - (1 - b) (1 - s) = b + s - b s
    return _sum(brightness) + _sum(structure) - _sum(cv2.multiply(brightness, structure, dst=structure))


def _ssim(x: Frame, y: Frame, mean_x: Image) -> Image:
    """Compute SSIM in each window of a strip, averaged over the channels."""
    factors = [cv2.subtract((1.0,) * 4, loss, dst=loss) for loss in _losses(x, y, mean_x)]
    ssim = cv2.transform(cv2.multiply(*factors, dst=factors[0]), np.full((1, x.shape[2]), 1 / x.shape[2], np.float32))
    return np.asarray(ssim, dtype=np.float32)


def _losses(x: Frame, y: Frame, mean_x: Image) -> tuple[Image, Image]:
    """Compute the loss of brightness and of structure in each window; the next call overwrites both images."""
    p, q, whole_p, whole_q, *filtered = _scratch(x.shape)
    centre_p, centre_q = _centre(x) + _centre(y), _centre(x) - _centre(y)
    cv2.addWeighted(x, 1, y, 1, -centre_p, dst=p, dtype=cv2.CV_32F)
    cv2.addWeighted(x, 1, y, -1, -centre_q, dst=q, dtype=cv2.CV_32F)

    mean_q = _windowed(q, whole_q)
    mean_p = cv2.addWeighted(mean_x, 2, mean_q, -1, 0, dst=_inside(whole_p))
    variance_p, variance_q = (
        _windowed(cv2.multiply(image, image, dst=image), into) for image, into in zip((p, q), filtered, strict=True)
    )
    cv2.subtract(variance_p, cv2.multiply(mean_p, mean_p, dst=_inside(p)), dst=variance_p)
    cv2.subtract(variance_q, cv2.multiply(mean_q, mean_q, dst=_inside(q)), dst=variance_q)
    cv2.add(mean_p, (centre_p,) * 4, dst=mean_p)
    cv2.add(mean_q, (centre_q,) * 4, dst=mean_q)

    brightness = _share(cv2.multiply(mean_q, mean_q, dst=mean_q), cv2.multiply(mean_p, mean_p, dst=mean_p), _C1)
    return brightness, _share(variance_q, variance_p, _C2)


def _centre(x: Frame) -> int:
    """Return the rounded mean, which is subtracted before squaring so that float32 loses little to cancellation."""
    return round(_sum(x) / x.size)


def _share(q: Image, p: Image, constant: float) -> Image:
    """Compute 2 q / (p + q + 2 C); overwrites p."""
    cv2.divide(q, cv2.addWeighted(p, 0.5, q, 0.5, constant, dst=p), dst=p)
    return p


def _gaussian_kernel() -> Image:
    x = np.arange(-RADIUS, RADIUS + 1)
    weights: NDArray[np.float64] = np.exp(-0.5 * (x / _SIGMA) ** 2)
    normalised: Image = (weights / weights.sum()).astype(np.float32)
    return normalised


_KERNEL = _gaussian_kernel()


def _windowed(image: Image | Frame, filtered: Image) -> Image:
    """Compute the Gaussian mean over each window inside the image; overwrites `filtered`."""
    cv2.sepFilter2D(image, cv2.CV_32F, _KERNEL, _KERNEL, dst=filtered)
    return _inside(filtered)


def _inside(image: Image) -> Image:
    return image[RADIUS:-RADIUS, RADIUS:-RADIUS]


def _sum(image: Image | Frame) -> float:
    return float(sum(cv2.sumElems(image)))  # one sum per channel, in float64


_buffers = threading.local()


def _scratch(shape: tuple[int, ...]) -> list[Image]:
    """Return six images of this shape, reused within a thread; allocating them would take as long as the filters."""
    rows, *rest = shape
    if getattr(_buffers, "rest", None) != rest or len(_buffers.images[0]) < rows:
        _buffers.rest, _buffers.images = rest, [np.empty(shape, np.float32) for _ in range(6)]
    return [image[:rows] for image in _buffers.images]


MAE = Metric(
    MetricInfo(
        name="mae",
        title="MAE",
        unit="levels",
        higher_is_closer=False,
        about="Mean absolute difference of the 8-bit RGB values; 0 is equal, 255 is black against white.",
    ),
    prepare=prepare_mae,
    error=same,
    value=same,
)
PSNR = Metric(
    MetricInfo(
        name="psnr",
        title="PSNR",
        unit="dB",
        higher_is_closer=True,
        about="Peak signal-to-noise ratio, 10 log10(255² / MSE) over all RGB values; infinite where both are equal.",
    ),
    prepare=prepare_psnr,
    error=rmse_of_psnr,
    value=psnr_of_rmse,
)
SSIM = Metric(
    MetricInfo(
        name="ssim",
        title="SSIM",
        unit="",
        higher_is_closer=True,
        about="Structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861): Gaussian window with sigma 1.5 "
        "over 11x11 pixels, mean of the RGB channels, as scikit-image defines it; 1 is equal.",
    ),
    prepare=prepare_ssim,
    error=complement,
    value=complement,
    smallest_side=2 * RADIUS + 1,
)
