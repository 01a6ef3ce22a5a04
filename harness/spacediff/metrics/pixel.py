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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.clip.bands import is_large
from spacediff.errors import MetricUnavailable
from spacediff.metric_info import MetricInfo
from spacediff.metrics.metric import Metric, complement, same

Image = NDArray[np.float32]

_PEAK = 255.0
_SIGMA = 1.5
RADIUS = 5  # skimage.metrics.structural_similarity: int(truncate * sigma + 0.5) with truncate = 3.5
_C1 = (0.01 * _PEAK) ** 2  # K1 and K2 of Wang et al.
_C2 = (0.03 * _PEAK) ** 2
_BLOCK = 96, 240  # windows, down and across: the images of a block fit into the processor's second cache


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
    blocks = _prepared(reference)
    count = _windows(reference)

    def ssim(candidate: Frame) -> float:
        return 1 - sum(_loss(*block.losses(candidate)) for block in blocks()) / count

    return ssim


def prepare_ssim_map(reference: Frame) -> Callable[[Frame], tuple[float, Image]]:
    """Prepare mean SSIM and its map as a function of the candidate frame; the mean is that of `prepare_ssim`.

    The map is SSIM in every window inside the frame, averaged over the channels, float32 `[H - 10, W - 10]`.

    Raises:
        NotMeasuredError: The frame is smaller than the 11x11 window.
    """
    if not SSIM.defined_for(reference):
        raise MetricUnavailable(SSIM.need)
    blocks = _prepared(reference)
    count = _windows(reference)

    def ssim(candidate: Frame) -> tuple[float, Image]:
        loss = 0.0
        found = np.empty([side - 2 * RADIUS for side in reference.shape[:2]], np.float32)
        for block in blocks():
            brightness, structure, both = block.losses(candidate)
            loss += _loss(brightness, structure, both)
            found[_without_border(block.place)] = _ssim(brightness, structure)
        return 1 - loss / count, found

    return ssim


Place = tuple[slice, slice]
"""Rows and columns of a frame."""


@dataclass(frozen=True, eq=False)
class _Block:
    """A block of the reference frame.

    Attributes:
        place: Where it is in the frame, with the border that its windows need.
        pixels: The block, uint8 `[h, w, 3]`.
        mean: Its Gaussian means, float32 `[h - 10, w - 10, 3]`.
    """

    place: Place
    pixels: Frame
    mean: Image

    def losses(self, candidate: Frame) -> tuple[Image, Image, Image]:
        """Compute the loss of brightness, that of structure and their product in each window.

        The next call in this thread overwrites the three images.
        """
        x, y = self.pixels, candidate[self.place]
        image, whole_q, whole_p, filtered_q, filtered_p = _scratch(x.shape)
        centre_p, centre_q = _centre(x) + _centre(y), _centre(x) - _centre(y)

        cv2.addWeighted(x, 1, y, -1, -centre_q, dst=image, dtype=cv2.CV_32F)
        mean_q = _windowed(image, whole_q)
        variance_q = _windowed(cv2.multiply(image, image, dst=image), filtered_q)
        cv2.subtract(variance_q, cv2.multiply(mean_q, mean_q, dst=_inside(image)), dst=variance_q)

        cv2.addWeighted(x, 1, y, 1, -centre_p, dst=image, dtype=cv2.CV_32F)
        variance_p = _windowed(cv2.multiply(image, image, dst=image), filtered_p)
        mean_p = cv2.addWeighted(self.mean, 2, mean_q, -1, -centre_q - centre_p, dst=_inside(whole_p))
        cv2.subtract(variance_p, cv2.multiply(mean_p, mean_p, dst=_inside(image)), dst=variance_p)
        cv2.add(mean_p, (centre_p,) * 4, dst=mean_p)
        if centre_q:
            cv2.add(mean_q, (centre_q,) * 4, dst=mean_q)

        brightness = _share(cv2.multiply(mean_q, mean_q, dst=mean_q), cv2.multiply(mean_p, mean_p, dst=mean_p), _C1)
        structure = _share(variance_q, variance_p, _C2)
        return brightness, structure, cv2.multiply(brightness, structure, dst=_inside(image))


def _prepared(reference: Frame) -> Callable[[], Iterable[_Block]]:
    """Prepare to split a frame into blocks, each with the means of its windows; those of a large frame are not kept."""

    def blocks() -> Iterator[_Block]:
        for place in _places(reference):
            pixels = reference[place]
            yield _Block(place, pixels, _windowed(pixels, np.empty(pixels.shape, np.float32)))

    if is_large(*reference.shape[:2]):
        return blocks
    kept = list(blocks())
    return lambda: kept


def _places(frame: Frame) -> Iterator[Place]:
    """Split a frame into blocks that overlap so that every window is completely inside exactly one of them."""
    last, right = (side - 2 * RADIUS for side in frame.shape[:2])
    for top in range(0, last, _BLOCK[0]):
        rows = slice(top, min(top + _BLOCK[0], last) + 2 * RADIUS)
        for left in range(0, right, _BLOCK[1]):
            yield rows, slice(left, min(left + _BLOCK[1], right) + 2 * RADIUS)


def _without_border(place: Place) -> Place:
    """Return which windows are inside a block."""
    rows, columns = place
    return slice(rows.start, rows.stop - 2 * RADIUS), slice(columns.start, columns.stop - 2 * RADIUS)


def _windows(frame: Frame) -> int:
    """Return the number of windows inside a frame, over all channels."""
    height, width, channels = frame.shape
    return int((height - 2 * RADIUS) * (width - 2 * RADIUS) * channels)


def _loss(brightness: Image, structure: Image, both: Image) -> float:
    """Sum 1 - SSIM over all windows of a block: 1 - (1 - b) (1 - s) = b + s - b s."""
    return _sum(brightness) + _sum(structure) - _sum(both)


def _ssim(brightness: Image, structure: Image) -> Image:
    """Compute SSIM in each window of a block, averaged over the channels; overwrites both losses."""
    factors = [cv2.subtract((1.0,) * 4, loss, dst=loss) for loss in (brightness, structure)]
    ssim = cv2.multiply(*factors, dst=factors[0])
    channels = ssim.shape[2]
    return np.asarray(cv2.transform(ssim, np.full((1, channels), 1 / channels, np.float32)), dtype=np.float32)


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
    """Return five images of this shape, reused within a thread; allocating them would take as long as the filters."""
    rows, columns, channels = shape
    whole = _BLOCK[0] + 2 * RADIUS, _BLOCK[1] + 2 * RADIUS, channels
    if getattr(_buffers, "shape", None) != whole:
        _buffers.shape, _buffers.images = whole, [np.empty(whole, np.float32) for _ in range(5)]
    return [image[:rows, :columns] for image in _buffers.images]


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
