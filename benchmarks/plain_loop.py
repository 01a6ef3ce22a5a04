"""Score videos with the usual loop over imageio, scikit-image and lpips, frame by frame.

`benchmarks.plain_loop [--our-frames] METRIC,... REFERENCE CANDIDATE...` prints each metric's values as JSON. With
`--our-frames` the frames are decoded by spacediff: swscale's default conversion, which imageio uses, gives different
colours, and values can only be compared on equal frames.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Comparison = Callable[[Any, Any], float]


def main() -> None:
    """Score the files named on the command line."""
    own = sys.argv[1] == "--our-frames"
    names, reference, *candidates = sys.argv[1 + own :]
    decode = _our_frames if own else _frames
    comparisons = {name: _comparison(name) for name in names.split(",")}
    values: dict[str, dict[str, list[float]]] = {}
    for path in candidates:
        scores: dict[str, list[float]] = {name: [] for name in comparisons}
        for x, y in zip(decode(reference), decode(path), strict=True):
            for name, compare in comparisons.items():
                scores[name].append(float(compare(x, y)))
        values[Path(path).name] = scores
    print(json.dumps(values))


def _frames(path: str) -> Iterator[Any]:
    import imageio.v3

    yield from imageio.v3.imiter(path, plugin="FFMPEG")


def _our_frames(path: str) -> Iterator[Any]:
    from spacediff.clip import read_frames

    return read_frames(Path(path))


def _comparison(name: str) -> Comparison:
    if name == "lpips":
        return _lpips()
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    def mae(x: Any, y: Any) -> float:
        return float(np.abs(x.astype(float) - y.astype(float)).mean())

    def psnr(x: Any, y: Any) -> float:
        return float(peak_signal_noise_ratio(x, y, data_range=255))

    def ssim(x: Any, y: Any) -> float:
        return float(
            structural_similarity(
                x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1, data_range=255
            )
        )

    return {"mae": mae, "psnr": psnr, "ssim": ssim}[name]


def _lpips() -> Comparison:
    from spacediff.metrics.lpips_package import by_lpips_package  # of the package itself, without a download

    return lambda x, y: by_lpips_package(np.array(x), np.array(y))


if __name__ == "__main__":
    main()
