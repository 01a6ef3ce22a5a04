"""The convolutions of AlexNet (Krizhevsky et al. 2012, as torchvision has them) in numpy, for LPIPS.

The key insight: five convolutions are a few matrix products, which numpy hands to the same kind of library as PyTorch
does, so scoring does not import PyTorch, which takes seconds and a quarter of a gigabyte. They run on the CPU: the
accelerator belongs to the clip that is generated meanwhile, and the numbers of all machines are equal up to rounding.
Each call computes in the thread that makes it: see `callers_threads`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.errors import MetricUnavailable
from spacediff.metrics.winograd import Image, Winograd

Features = NDArray[np.float32]
"""Vectors of length 1, one for each place in a layer, row by row, `[N, C]`."""

_WEIGHTS = Path(__file__).parent / "weights" / "lpips_alex.safetensors"
_WEIGHTS_SHA256 = "35612a656603c6887974fb4e9be90249116d9af3e311df2cc3e5be55867d8948"
_POOLED = {3, 6}  # layers after a max pooling over 3x3 with stride 2
_STRIDE = 4  # of the first convolution; the others have 1
_ROWS_AT_ONCE = 8  # of the first convolution's outputs: its windows, 363 values each, stay in the cache
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # lpips.ScalingLayer, for pixels in -1..1
_EPSILON = 1e-10  # lpips.normalize_tensor


@dataclass(frozen=True, eq=False)
class Network:
    """The layers of LPIPS.

    Attributes:
        convolutions: AlexNet's convolutions, each with whether pooling comes before it.
        gain: Factor for pixel values, `[3]`.
        offset: Subtracted after multiplying, `[3]`.
        channel_weights: For each convolution the weight of each channel's mean squared distance, `[C]`.
    """

    convolutions: list[tuple[Callable[[Image], Image], bool]]
    gain: Image
    offset: Image
    channel_weights: list[Image]

    def features(self, frame: Frame) -> Iterator[Features]:
        """Compute AlexNet's five feature maps of a frame, normalised per pixel, each float32 `[h w, C]`, one by one."""
        layer, before = self._scaled(frame), None
        for convolve, pooled in self.convolutions:
            layer = convolve(_max_pooled(layer) if pooled else layer)
            if before is not None:
                yield _normalised(before)  # in place, as soon as the next layer is computed
            before = layer
        yield _normalised(layer)

    def _scaled(self, frame: Frame) -> Image:
        """Return what the first convolution takes, float32 `[H, W, 3]`; row by row, since three values are few."""
        height, width, _ = frame.shape
        rows = np.multiply(frame.reshape(height, -1), np.tile(self.gain, width))
        rows -= np.tile(self.offset, width)
        return rows.reshape(frame.shape)


class _FirstConvolution:
    """AlexNet's first convolution, of 11x11 values with stride 4, followed by ReLU: values below 0 become 0.

    Args:
        weights: float32 `[C_out, C_in, 11, 11]`.
        bias: float32 `[C_out]`.
        padding: Zeros added on every side.
    """

    def __init__(self, weights: Image, bias: Image, padding: int) -> None:
        self._side, self._padding, self._bias = weights.shape[-1], padding, bias
        self._weights = np.ascontiguousarray(weights.transpose(2, 3, 1, 0)).reshape(-1, len(bias))

    def __call__(self, image: Image) -> Image:
        """Convolve float32 `[H, W, C_in]`, to float32 `[H', W', C_out]`."""
        padding = (self._padding, self._padding)
        padded = np.pad(image, (padding, padding, (0, 0)))
        windows = sliding_window_view(padded, (self._side, self._side), axis=(0, 1))
        windows = windows[::_STRIDE, ::_STRIDE].transpose(0, 1, 3, 4, 2)
        found = np.empty((*windows.shape[:2], len(self._bias)), np.float32)
        for top in range(0, len(found), _ROWS_AT_ONCE):
            band = found[top : top + _ROWS_AT_ONCE]
            flat = windows[top : top + _ROWS_AT_ONCE].reshape(-1, len(self._weights))
            np.matmul(flat, self._weights, out=band.reshape(-1, len(self._bias)))
            band += self._bias
            np.maximum(band, 0, out=band)
        return found


def _max_pooled(image: Image) -> Image:
    """Return the largest of 3x3 values at every second place, float32 `[H, W, C]`."""
    rows = np.maximum(image[0:-2:2], image[1:-1:2])
    np.maximum(rows, image[2::2], out=rows)
    found = np.maximum(rows[:, 0:-2:2], rows[:, 1:-1:2])
    return np.maximum(found, rows[:, 2::2], out=found)


def _normalised(layer: Image) -> Features:
    """Divide vectors, float32 `[H, W, C]`, by their lengths; may overwrite them."""
    vectors = layer.reshape(-1, layer.shape[2])
    lengths = np.sqrt(np.einsum("nc,nc->n", vectors, vectors)) + np.float32(_EPSILON)
    vectors /= lengths[:, None]
    return vectors


_CONVOLUTIONS: dict[int, tuple[Callable[[Image, Image, int], Callable[[Image], Image]], int]] = {
    0: (_FirstConvolution, 2), 3: (Winograd, 2), 6: (Winograd, 1), 8: (Winograd, 1), 10: (Winograd, 1),
}  # fmt: skip
"""Torchvision's number of each layer: how it is computed, and its padding."""
LAYERS = len(_CONVOLUTIONS)

_lock = threading.Lock()


def network() -> Network:
    """Return the network; its weights are read for the first caller, while others wait.

    Raises:
        NotMeasuredError: The file of the weights is missing or damaged.
    """
    with _lock:
        return _loaded()


@cache
def _loaded() -> Network:
    weights = read_weights()
    scale, shift = np.array(_SCALE, np.float32), np.array(_SHIFT, np.float32)
    return Network(
        convolutions=[
            (kind(weights[f"{number}.weight"], weights[f"{number}.bias"], padding), number in _POOLED)
            for number, (kind, padding) in _CONVOLUTIONS.items()
        ],
        gain=np.float32(1) / (np.float32(127.5) * scale),
        offset=(1 + shift) / scale,  # 0..255 becomes -1..1, then (value - shift) / scale
        channel_weights=[weights[f"lin{layer}.model.1.weight"].ravel() for layer in range(LAYERS)],
    )


def read_weights() -> dict[str, Image]:
    """Read the weights: of AlexNet by torchvision's names, and of its channels by those of the lpips package.

    Raises:
        NotMeasuredError: The file is missing or damaged.
    """
    from safetensors.numpy import load

    try:
        weights = _WEIGHTS.read_bytes()
    except OSError:
        weights = b""
    if hashlib.sha256(weights).hexdigest() != _WEIGHTS_SHA256:
        raise MetricUnavailable(f"{_WEIGHTS.name} is missing or damaged", hint="install spacediff again")
    return load(weights)
