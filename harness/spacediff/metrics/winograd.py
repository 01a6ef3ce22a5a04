"""A convolution with stride 1 and fewer multiplications (Winograd; Lavin and Gray 2016, arXiv:1509.09308).

The key insight: the correlation of n values with r weights has m = n - r + 1 outputs and is equivalent to a product of
two polynomials. Evaluate both at n points, multiply point by point, and interpolate:

    y = Aᵀ ((G g) ∘ (Bᵀ d))

The direct computation takes m r multiplications, this one takes n; in two dimensions, with a tile of 4x4 outputs, 36
instead of 144 for 3x3 weights and 64 instead of 400 for 5x5. The products of all tiles and channels at one point are
one matrix product.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

_TILE = 4  # outputs on a side; more would need points so far apart that float32 loses digits
_TILES_AT_ONCE = 128  # keeps the products (64 x 192 values per tile) in the cache and bounds memory for large frames
_POINTS = (0, 1, -1, 1 / 2, -2, -1 / 2, 2)  # and infinity; small ratios keep the rounding error low


class Winograd:
    """`torch.nn.functional.conv2d` with stride 1, on a CPU and without gradients.

    Args:
        weights: float32 `[C_out, C_in, r, r]`.
        bias: float32 `[C_out]`.
        padding: Zeros added on every side.
    """

    def __init__(self, weights: torch.Tensor, bias: torch.Tensor, padding: int) -> None:
        kernel = weights.shape[-1]
        self._padding, self._bias = padding, bias
        self._side = _TILE + kernel - 1
        outputs, kernels, inputs = (torch.from_numpy(np.kron(a, a)) for a in _transforms(_TILE, kernel))
        self._outputs, self._inputs = outputs.float(), inputs.float()
        self._weights = torch.einsum("pr,oir->pio", kernels, weights.double().flatten(2)).float().contiguous()

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Convolve float32 `[N, C, H, W]`; fastest in the channels_last layout, which the result has as well."""
        number, _, height, width = images.shape
        lost = self._side - _TILE - 2 * self._padding
        down, across = -(-(height - lost) // _TILE), -(-(width - lost) // _TILE)
        missing = (down * _TILE + lost - height, across * _TILE + lost - width)  # the last tiles extend past the edge
        padded = torch.nn.functional.pad(
            images.permute(0, 2, 3, 1),
            (0, 0, self._padding, self._padding + missing[1], self._padding, self._padding + missing[0]),
        )
        tiles = padded.unfold(1, self._side, _TILE).unfold(2, self._side, _TILE)  # [N, down, across, C, side, side]
        bands = tiles.split(max(_TILES_AT_ONCE // (number * across), 1), dim=1)
        joined = torch.cat([self._convolved(band) for band in bands], dim=1)
        return (joined[:, : height - lost, : width - lost] + self._bias).permute(0, 3, 1, 2)

    def _convolved(self, tiles: torch.Tensor) -> torch.Tensor:
        """Convolve tiles `[N, down, across, C_in, side, side]` to outputs `[N, 4 down, 4 across, C_out]`."""
        number, down, across, channels = tiles.shape[:4]
        points = self._inputs @ tiles.permute(4, 5, 0, 1, 2, 3).reshape(self._side**2, -1)
        products = torch.bmm(points.view(self._side**2, -1, channels), self._weights)
        results = (self._outputs @ products.flatten(1)).view(_TILE, _TILE, number, down, across, -1)
        return results.permute(2, 3, 0, 4, 1, 5).reshape(number, down * _TILE, across * _TILE, -1)


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
