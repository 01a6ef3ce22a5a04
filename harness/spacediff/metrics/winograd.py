"""A convolution with stride 1, and ReLU, with fewer multiplications (Winograd; Lavin and Gray 2016, arXiv:1509.09308).

The key insight: the correlation of n values with r weights has m = n - r + 1 outputs and is equivalent to a product of
two polynomials. Evaluate both at n points, multiply point by point, and interpolate:

    y = Aᵀ ((G g) ∘ (Bᵀ d))

The direct computation takes m r multiplications, this one takes n; in two dimensions, with a tile of 4x4 outputs, 36
instead of 144 for 3x3 weights and 64 instead of 400 for 5x5. The products of all tiles and channels at one point are
one matrix product.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Image = NDArray[np.float32]

_TILE = 4  # outputs on a side; more would need points so far apart that float32 loses digits
_TILES_AT_ONCE = 128  # keeps the products (64 x 192 values per tile) in the cache and bounds memory for large frames
_POINTS = (0, 1, -1, 1 / 2, -2, -1 / 2, 2)  # and infinity; small ratios keep the rounding error low


class Winograd:
    """A convolution with stride 1 followed by ReLU: values below 0 become 0.

    Args:
        weights: float32 `[C_out, C_in, r, r]`.
        bias: float32 `[C_out]`.
        padding: Zeros added on every side.
    """

    def __init__(self, weights: Image, bias: Image, padding: int) -> None:
        kernel = weights.shape[-1]
        self._padding, self._bias = padding, bias
        self._side = _TILE + kernel - 1
        outputs, kernels, inputs = (np.kron(a, a) for a in _transforms(_TILE, kernel))
        self._outputs, self._inputs = outputs.astype(np.float32), inputs.astype(np.float32)
        at_points = (kernels @ weights.reshape(-1, kernel**2).T).reshape(-1, *weights.shape[:2])
        self._weights = np.ascontiguousarray(at_points.transpose(0, 2, 1), np.float32)  # at each point `[C_in, C_out]`

    def __call__(self, image: Image) -> Image:
        """Convolve float32 `[H, W, C_in]`, to float32 `[H', W', C_out]`."""
        height, width = (side + 2 * self._padding + _TILE - self._side for side in image.shape[:2])
        down, across = -(-height // _TILE), -(-width // _TILE)  # the last tiles extend past the edge
        tiles = self._tiles(image, down, across)
        found = np.empty((down, _TILE, across, _TILE, len(self._bias)), np.float32)
        rows = max(_TILES_AT_ONCE // across, 1)
        for top in range(0, down, rows):
            band = found[top : top + rows]
            band[...] = self._convolved(tiles[:, :, top : top + rows])
        return found.reshape(down * _TILE, across * _TILE, -1)[:height, :width]

    def _tiles(self, image: Image, down: int, across: int) -> Image:
        """Return the overlapping tiles of a padded image, a view `[side, side, down, across, C_in]`."""
        height, width, channels = image.shape
        sides = (number * _TILE + self._side - _TILE for number in (down, across))
        padded = np.zeros((*sides, channels), np.float32)
        padded[self._padding : self._padding + height, self._padding : self._padding + width] = image
        windows = sliding_window_view(padded, (self._side, self._side), axis=(0, 1))
        return np.asarray(windows[::_TILE, ::_TILE].transpose(3, 4, 0, 1, 2))

    def _convolved(self, tiles: Image) -> Image:
        """Convolve a band of tiles to its outputs, a view `[down, 4, across, 4, C_out]`."""
        down, across, channels = tiles.shape[2:]
        points = self._inputs @ tiles.reshape(self._side**2, -1)
        products = points.reshape(self._side**2, -1, channels) @ self._weights
        results = (self._outputs @ products.reshape(self._side**2, -1)).reshape(_TILE, _TILE, down, across, -1)
        results += self._bias
        return np.maximum(results, 0, out=results).transpose(2, 0, 3, 1, 4)


def _transforms(outputs: int, weights: int) -> tuple[NDArray[np.float64], ...]:
    """Compute Aᵀ `[m, n]`, G `[n, r]` and Bᵀ `[n, n]`."""
    points = outputs + weights - 1
    g = _values(points, weights)
    size = np.abs(g).sum(axis=1, keepdims=True)  # any scale per point is correct; this one balances the two factors
    return _values(points, outputs).T, g / size, np.linalg.inv(_values(points, points)).T * size


def _values(points: int, coefficients: int) -> NDArray[np.float64]:
    """Return the matrix that maps a polynomial's coefficients to its values at the points and at infinity."""
    values = np.vander(np.array(_POINTS[: points - 1], float), coefficients, increasing=True)
    return np.vstack([values, np.eye(coefficients)[-1]])
