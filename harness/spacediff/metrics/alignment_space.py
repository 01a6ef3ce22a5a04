"""Which pixel of one picture corresponds to which pixel of another: scaled, letterboxed, cropped, or shifted.

The key insight: as in time, a position is accepted only if being off by one pixel is clearly worse. Unrelated pictures
never pass, because they differ by more than one pixel of displacement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame

Grey = NDArray[np.uint8]
"""The luma of a picture, uint8 `[H, W]`."""

CLEARLY = 2.0
"""Required ratio of the squared error without a shift, and of that of unrelated pictures with this contrast."""

_CLEARLY_NEXT = 1.25  # required ratio of the squared error one pixel to any side
_SUBPIXEL = 0.25  # pixels: a shift that is farther from a whole number than this is not a whole-pixel shift
_TILES = 4  # the picture is judged in 4x4 tiles, each without its mean brightness
_AGREEING = 0.75  # share of the decisive tiles that must agree; at least half of all tiles must be decisive
_DECISIVE = 0.25  # squared levels
_FLAT = 16  # levels: black bars of an encoded clip are not perfectly even
_SAMPLED = 4  # every fourth pixel along a bar is examined
_SMALLEST = 8  # pixels: smallest side of a region in which a position is searched
_LARGEST = 4096 * 4096  # pixels of a transform; the complex picture takes 128 MiB


class Box(NamedTuple):
    """A region of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the region out of a picture, without copying."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Geometry:
    """One hypothesis of how the pictures of two clips correspond; the larger one is scaled down to the smaller one.

    Attributes:
        reference_box: The region of the reference that is used: without bars.
        candidate_box: The same for the candidate.
        scale: Size of the candidate's pictures relative to the reference's, x and y.
        cropped: Whether the regions are different crops of a picture, so that any offset is possible.
        natural: Whether the sizes alone suggest it, so that it is used if no other hypothesis is confirmed.
    """

    reference_box: Box
    candidate_box: Box
    scale: tuple[float, float]
    cropped: bool = False
    natural: bool = False

    @property
    def reference_size(self) -> tuple[int, int]:
        """Width and height of the reference's region after scaling."""
        return _scaled(self.reference_box, (min(1.0, self.scale[0]), min(1.0, self.scale[1])))

    @property
    def candidate_size(self) -> tuple[int, int]:
        """Width and height of the candidate's region after scaling."""
        return _scaled(self.candidate_box, (min(1.0, 1 / self.scale[0]), min(1.0, 1 / self.scale[1])))


def _scaled(box: Box, scale: tuple[float, float]) -> tuple[int, int]:
    return max(1, round(box.width * scale[0])), max(1, round(box.height * scale[1]))


def fit(picture: NDArray[np.uint8], box: Box, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Crop a picture to a region and scale it down by area averaging, if needed."""
    region = box.of(picture)
    if (region.shape[1], region.shape[0]) == size:
        return region
    scaled: NDArray[np.uint8] = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    return scaled


def grey(frame: Frame) -> Grey:
    """Compute the luma of a frame."""
    luma: Grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return luma


def without_bars(low: Grey, high: Grey) -> Box:
    """Find the region inside bars of a single colour, from the minimum and maximum of each pixel over the clip."""
    height, width = low.shape
    top, bottom = _edges(low[:, ::_SAMPLED], high[:, ::_SAMPLED])
    left, right = _edges(low[::_SAMPLED].T, high[::_SAMPLED].T)
    if bottom - top < _SMALLEST or right - left < _SMALLEST:
        return Box(0, 0, width, height)
    return Box(left, top, right - left, bottom - top)


def _edges(low: Grey, high: Grey) -> tuple[int, int]:
    """Return the first and the last + 1 row that is not part of a bar.

    The quartiles decide, because ringing of the codec at the edge of a bar is strong but affects few pixels.
    """
    lines = np.flatnonzero(np.percentile(high, 75, axis=1) - np.percentile(low, 25, axis=1) > _FLAT)
    return (int(lines[0]), int(lines[-1]) + 1) if len(lines) else (0, 0)


def geometries(reference: Box, candidate: Box, reference_inside: Box, candidate_inside: Box) -> Iterator[Geometry]:
    """Yield the hypotheses for two pictures of these sizes, the natural one first.

    Args:
        reference: The whole picture of the reference.
        candidate: The whole picture of the candidate.
        reference_inside: The region inside the reference's bars.
        candidate_inside: The region inside the candidate's bars.
    """
    yield _stretched(reference, candidate, natural=_same_shape(reference, candidate))
    if (reference_inside, candidate_inside) != (reference, candidate) and reference_inside != candidate_inside:
        yield _stretched(reference_inside, candidate_inside)
    if reference[2:] != candidate[2:]:
        ratios = candidate.width / reference.width, candidate.height / reference.height
        for scale in dict.fromkeys((1.0, max(ratios), min(ratios))):
            yield Geometry(reference, candidate, (scale, scale), cropped=True)


def _stretched(reference: Box, candidate: Box, *, natural: bool = False) -> Geometry:
    scale = candidate.width / reference.width, candidate.height / reference.height
    return Geometry(reference, candidate, scale, natural=natural)


def _same_shape(reference: Box, candidate: Box) -> bool:
    """Whether one scale explains both sizes: to a pixel, or rounded up to multiples of 16 as imageio does."""
    (w, h), (v, g) = reference[2:], candidate[2:]
    if min(abs(v - w * g / h), abs(g - h * v / w)) <= 1:
        return True
    rounded_up = [tuple(-(-round(side * k) // 16) * 16 for side in (w, h)) for k in (1, 1.5, 2, 3, 4)]
    return (v, g) in rounded_up or (w, h) == tuple(-(-side // 16) * 16 for side in (v, g))


@dataclass(frozen=True)
class Position:
    """The position of the candidate's pictures relative to the reference's.

    Attributes:
        shift: Pixels to the right and down, after scaling.
        confirmed: Whether the pictures distinguish this position from the next pixel.
    """

    shift: tuple[int, int]
    confirmed: bool


PicturePair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""The luma of a frame of the reference and its partner, scaled."""


def find_position(pictures: Sequence[PicturePair], *, cropped: bool) -> Position:
    """Find the whole-pixel shift between the candidate's and the reference's pictures.

    Args:
        pictures: Some pairs of pictures, spread over the clips.
        cropped: Whether any offset is possible; otherwise a shift is small compared with the picture and has to be
            better than no shift.
    """
    shift = _correlation_peak(pictures, cropped=cropped)
    for hypothesis in [shift] if cropped or shift == (0, 0) else [shift, (0, 0)]:
        if _is_distinct(pictures, hypothesis, compared_with=None if cropped else (0, 0)):
            return Position(hypothesis, confirmed=True)
    return Position((0, 0), confirmed=False)


def _correlation_peak(pictures: Sequence[PicturePair], *, cropped: bool) -> tuple[int, int]:
    """Return the highest peak of the phase correlation of gradients, summed over all pairs; x and y, in pixels.

    Kuglin and Hines 1975. Gradients as complex numbers, as in Argyriou and Vlachos 2006, ignore brightness and slow
    shading, so a flat picture does not correlate with everything.
    """
    (rh, rw), (ch, cw) = pictures[0][0].shape, pictures[0][1].shape
    width, height = (cv2.getOptimalDFTSize(max(a, b) * 9 // 8 + 1) for a, b in ((rw, cw), (rh, ch)))
    if width * height > _LARGEST:
        return 0, 0
    total = np.zeros((height, width, 2), np.float32)
    for left, right in pictures:
        total += _correlated(left, right, width, height)
    surface = cv2.dft(total, dst=total, flags=cv2.DFT_INVERSE)[..., 0]
    columns = _allowed(width, rw, cw, cropped=cropped)
    rows = _allowed(height, rh, ch, cropped=cropped)
    allowed = surface[np.ix_(rows % height, columns % width)]
    row, column = np.unravel_index(int(allowed.argmax()), allowed.shape)
    return int(columns[column]), int(rows[row])


def _allowed(size: int, reference: int, candidate: int, *, cropped: bool) -> NDArray[np.intp]:
    """Return the shifts along one side that are searched, without those that the transform cannot distinguish."""
    if not cropped:
        reach = max(1, reference // 8)
        return np.arange(-reach, reach + 1)
    slack = min(size - abs(reference - candidate) - 1, min(reference, candidate) // 4) // 2
    return np.arange(min(0, candidate - reference) - slack, max(0, candidate - reference) + slack + 1)


def _correlated(left: Grey, right: Grey, width: int, height: int) -> NDArray[np.float32]:
    """Return the normalised cross power spectrum of the gradients of two pictures, float32 `[H, W, 2]`."""
    power = _spectrum(right, width, height)  # of large pictures, each array takes 100 MiB: it is overwritten
    cv2.mulSpectrums(power, _spectrum(left, width, height), 0, c=power, conjB=True)
    size = cv2.magnitude(power[..., 0], power[..., 1])
    power /= np.add(cv2.sqrt(size, dst=size), np.float32(1), out=size)[..., None]
    return power


def _spectrum(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    padded = np.zeros((height, width, 2), np.float32)
    for axis in (0, 1):
        gradient = cv2.Sobel(picture, cv2.CV_32F, 1 - axis, axis, ksize=3)
        padded[: picture.shape[0], : picture.shape[1], axis] = gradient
    return np.asarray(cv2.dft(padded, dst=padded, flags=cv2.DFT_COMPLEX_OUTPUT))


def _is_distinct(
    pictures: Sequence[PicturePair], shift: tuple[int, int], compared_with: tuple[int, int] | None
) -> bool:
    """Whether this shift is better than its neighbours and than no shift, nearly everywhere in the pictures."""
    dx, dy = shift
    around = [(dx - 1, dy), (dx + 1, dy), (dx, dy - 1), (dx, dy + 1)]
    others = [*around, compared_with] if compared_with is not None and compared_with != shift else around
    (rh, rw), (ch, cw) = pictures[0][0].shape, pictures[0][1].shape
    left, right = _shared(rw, cw, [x for x, _ in [shift, *others]])
    top, bottom = _shared(rh, ch, [y for _, y in [shift, *others]])
    if min(right - left, bottom - top) < _SMALLEST:
        return False
    window = Box(left, top, right - left, bottom - top)
    here = _tile_errors(pictures, window, shift)
    left_of, right_of, above, below = (_tile_errors(pictures, window, other) for other in around)
    error = here.sum()
    if min(tiles.sum() for tiles in (left_of, right_of, above, below)) <= _CLEARLY_NEXT * error:
        return False
    if max(abs(_vertex(a.sum(), error, b.sum())) for a, b in ((left_of, right_of), (above, below))) > _SUBPIXEL:
        return False
    if CLEARLY * error > _contrast(pictures, window, shift):
        return False
    rest = (left_of + right_of + above + below) / 4
    if others is not around:
        rest = _tile_errors(pictures, window, (0, 0))
        if rest.sum() < CLEARLY * error:
            return False
    decisive = np.abs(rest - here) > _DECISIVE
    return bool(2 * decisive.sum() >= decisive.size and (rest > here)[decisive].mean() >= _AGREEING)


def _shared(reference: int, candidate: int, shifts: Sequence[int]) -> tuple[int, int]:
    """Return begin and end of the range of the reference that has a partner under each of these shifts."""
    return max(0, -min(shifts)), min(reference, candidate - max(shifts))


def _vertex(before: float, here: float, after: float) -> float:
    """Return the position of the minimum of the parabola through three errors, in pixels relative to the middle one."""
    return float(0.5 * (before - after) / (before - 2 * here + after))


def _tile_errors(pictures: Sequence[PicturePair], window: Box, shift: tuple[int, int]) -> NDArray[np.float64]:
    """Compute the variance of the difference in each tile of each pair, in squared levels, float64 `[pairs, 16]`."""
    moved = window._replace(left=window.left + shift[0], top=window.top + shift[1])
    return np.stack([_tile_variances(cv2.subtract(window.of(a), moved.of(b), dtype=cv2.CV_32F)) for a, b in pictures])


def _contrast(pictures: Sequence[PicturePair], window: Box, shift: tuple[int, int]) -> float:
    """Return the sum of the tiles' errors expected for unrelated pictures: the variances of both sides."""
    moved = window._replace(left=window.left + shift[0], top=window.top + shift[1])
    sides = [side for a, b in pictures for side in (window.of(a), moved.of(b))]
    return float(sum(_tile_variances(side.astype(np.float32)).sum() for side in sides))


def _tile_variances(picture: NDArray[np.float32]) -> NDArray[np.float64]:
    height, width = (side // _TILES * _TILES for side in picture.shape)
    rows = np.split(
        picture[:height, :width], _TILES
    )  # one after the other, since the variance of a row takes several times its memory
    tiles = [row.reshape(height // _TILES, _TILES, width // _TILES).var(axis=(0, 2), dtype=np.float64) for row in rows]
    return np.concatenate(tiles)
