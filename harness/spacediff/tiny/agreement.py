"""The semantic measure for the tiny model: how well clips match a text, according to the detector.

The key insight: in a world of few words "the ball is missing" and "it does not move" follow from the pixels alone. So
the report's numbers about the content of a clip can be compared with the truth, which no CLIP checkpoint allows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame
from spacediff.errors import MetricUnavailable
from spacediff.metrics.semantic import Agreement
from spacediff.tiny.architecture import HEIGHT, WIDTH
from spacediff.tiny.detector import Track, track
from spacediff.tiny.world import COLOURS, FLOORS

_VERSION = "1"
_FULL_WAY = 28.0  # pixels; the shortest displacement in the training data
_DIRECTIONS = {
    "left": (-1, 0), "right": (1, 0), "up": (0, -1), "rises": (0, -1), "down": (0, 1), "falls": (0, 1)
}  # fmt: skip


@dataclass(frozen=True)
class _Query:
    """What a text names.

    Attributes:
        colours: The colours of objects.
        direction: Steps to the right and down; None if no direction is named.
        floor: The colour of the floor; None if it is not named.
    """

    colours: tuple[str, ...]
    direction: tuple[int, int] | None
    floor: str | None


class Detector:
    """Looks for the objects and the direction that a text names; see `spacediff.metrics.semantic.Semantic`."""

    @property
    def identity(self) -> str:
        """Name and version."""
        return f"tiny-detector {_VERSION}"

    @property
    def version(self) -> str:
        """Version of the detector."""
        return _VERSION

    @property
    def about(self) -> str:
        """One sentence that describes the measure."""
        return (
            "The tiny world's detector, by colour alone: for each named object 1 if it is visible and 0 if not, for a "
            "direction the share of the way covered so far (1 at 28 of 96 pixels); their mean, then the mean over all "
            "frames."
        )

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip.

        A direction refers to the first object of the text. A text without an object uses the first object of any text;
        a text without a floor uses the first floor of any text.

        Raises:
            MetricUnavailable: A text names nothing that exists in the tiny world.
        """
        stated = [_parse(text) for text in texts]
        queries = _completed(stated)
        for text, query in zip(texts, queries, strict=True):
            if not query.colours:
                raise MetricUnavailable(
                    f"the tiny world's detector finds nothing to look for in “{text}”",
                    hint=f"name objects by colour ({', '.join(COLOURS)}), or a direction ({', '.join(_DIRECTIONS)})",
                )
        targets = dict.fromkeys((colour, query.floor) for query in queries for colour in query.colours)
        of_frames: dict[tuple[str, str | None], list[Track]] = {key: [] for key in targets}
        size = (HEIGHT, WIDTH)
        for number, frame in enumerate(frames, 1):
            size = frame.shape[:2]
            for (colour, floor), found in of_frames.items():
                found.append(track(frame[None], colour, floor))
            on_frame(number)
        tracks = {key: _joined(found, size) for key, found in of_frames.items()}
        columns = [
            _score(query, [tracks[colour, query.floor] for colour in query.colours], only_direction=not own.colours)
            for query, own in zip(queries, stated, strict=True)
        ]
        return Agreement(np.stack(columns, axis=1))

    def close(self) -> None:
        """Do nothing: nothing was loaded."""


def _parse(text: str) -> _Query:
    words = re.findall(r"[a-z]+", text.lower())
    floor = next((a for a, b in itertools.pairwise(words) if b == "floor" and a in FLOORS), None)
    colours = [a for n, a in enumerate(words) if a in COLOURS and words[n + 1 : n + 2] != ["floor"]]
    direction = next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), None)
    return _Query(tuple(dict.fromkeys(colours)), direction, floor)


def _completed(queries: list[_Query]) -> list[_Query]:
    floor = next((one.floor for one in queries if one.floor), None)
    first = next((one.colours[:1] for one in queries if one.colours), ())
    return [
        replace(one, floor=one.floor or floor, colours=one.colours or (first if one.direction else ()))
        for one in queries
    ]  # fmt: skip


def _joined(tracks: list[Track], size: tuple[int, ...]) -> Track:
    """Join the tracks of single frames, in pixels of the tiny world."""
    height, width = size
    share, x, y = (
        np.concatenate([np.zeros(0), *(getattr(one, name) for one in tracks)]) for name in ("share", "x", "y")
    )
    return Track(share, x * (WIDTH / width), y * (HEIGHT / height))


def _score(query: _Query, tracks: list[Track], *, only_direction: bool) -> NDArray[np.float64]:
    """Score each frame, `[T]`; with `only_direction`, the presence of the objects does not count."""
    scores = [] if only_direction else [one.seen.astype(float) for one in tracks]
    if query.direction:
        scores.append(_way_covered(tracks[0], query.direction))
    mean: NDArray[np.float64] = np.mean(scores, axis=0)
    return mean


def _way_covered(track: Track, direction: tuple[int, int]) -> NDArray[np.float64]:
    """Return the share of the way covered since the first visible frame, `[T]`, 0 to 1; 0 if not visible."""
    seen = np.flatnonzero(track.seen)
    covered = np.zeros(len(track.share))
    if len(seen):
        along = track.x * direction[0] + track.y * direction[1]
        covered[seen] = np.clip((along[seen] - along[seen[0]]) / _FULL_WAY, 0.0, 1.0)
    return covered
