"""What a comparison through a codec can detect: plant a known difference, encode both clips, check whether it shows.

The key insight: an encoder does not attenuate small differences evenly. It may remove one entirely, or decide
otherwise and make it larger. Only a trial with this clip and these options shows which.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip, read_frames
from spacediff.codec.encoding import Encoding
from spacediff.codec.matching import encode_like
from spacediff.codec.stills import StillEncoding
from spacediff.record import Fact, FactKind, fact

MAX_FRAMES = 9
LADDER = ((1, 0.01), (1, 0.1), (1, 1.0), (2, 1.0), (4, 1.0), (8, 1.0), (16, 1.0))
"""Planted differences: levels, and the share of one frame's pixels. Seven steps are searched with three encodes."""

_SEED = 20


@dataclass(frozen=True)
class Resolution:
    """The smallest planted difference that survives the codec.

    Attributes:
        seen: Whether any planted difference survives.
        levels: By how many levels pixels were changed; the largest tried when none survives.
        share: Share of one frame's pixels that were changed.
        frames: Frames encoded.
        psnr_before: PSNR between the planted and the plain frames before the codec, over all frames, in dB.
        psnr_after: The same after the codec; infinite when none survives.
        exact: Whether the frames were encoded exactly like the hosted ones.
    """

    seen: bool
    levels: int
    share: float
    frames: int
    psnr_before: float
    psnr_after: float
    exact: bool

    @property
    def fact(self) -> Fact:
        """All this for the record."""
        planted = {"levels": self.levels, "share": self.share, "before": self.psnr_before}
        if not self.seen:
            return fact(FactKind.PLANTED_DIFFERENCE_LOST, **planted)
        smallest = (self.levels, self.share) == LADDER[0]
        return fact(FactKind.PLANTED_DIFFERENCE_SEEN, **planted, after=self.psnr_after, smallest_tried=smallest)


def planted_resolution(clip: Clip, encoding: Encoding | StillEncoding) -> Resolution:
    """Find the smallest planted difference that survives the hosted file's codec.

    Costs at most four encodes of at most nine frames. A difference larger than a surviving one is taken to survive.

    Args:
        clip: Local frames; the first `MAX_FRAMES` are used, and the middle one of these is changed.
        encoding: What the hosted file says.

    Raises:
        NotMeasuredError: The frames cannot be encoded.
    """
    plain = Clip(clip.frames[:MAX_FRAMES], clip.fps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"planted{encoding.suffix}"
        exact = encode_like(plain, encoding, path).exact
        decoded = _decoded(path)
        low, high, after = 0, len(LADDER), np.inf
        while low < high:
            middle = (low + high) // 2
            encode_like(planted(plain, *LADDER[middle]), encoding, path)
            changed = _decoded(path)
            if np.array_equal(changed, decoded):
                low = middle + 1
            else:
                high, after = middle, _psnr(changed, decoded)
    levels, share = LADDER[min(high, len(LADDER) - 1)]
    before = _psnr(planted(plain, levels, share).frames, plain.frames)
    frames, seen = len(plain.frames), high < len(LADDER)
    return Resolution(seen, levels, share, frames, before, after, exact)


def planted(clip: Clip, levels: int, share: float) -> Clip:
    """Change some pixels of the middle frame up or down, always the same ones, each within 0..255."""
    random = np.random.default_rng(_SEED)
    middle = len(clip.frames) // 2
    frame = clip.frames[middle].astype(np.int16)
    height, width = frame.shape[:2]
    chosen = random.permutation(height * width).reshape(height, width, 1) < max(1, round(share * height * width))
    step = np.where(random.random((height, width, 1)) < 0.5, levels, -levels) * chosen  # noqa: PLR2004 - an even chance
    changed = frame + step
    changed = np.where((changed < 0) | (changed > np.iinfo(np.uint8).max), frame - step, changed)
    frames = clip.frames.copy()
    frames[middle] = changed.astype(np.uint8)
    return Clip(frames, clip.fps)


def _decoded(path: Path) -> NDArray[np.uint8]:
    return np.stack(list(read_frames(path)))


def _psnr(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    error = np.square(left.astype(np.float32) - right).mean(dtype=np.float64)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
