"""How far clips of the tiny world agree with a text, told by its detector: the semantic measure for the tiny model.

The key insight: in a world of few words "the ball is missing" and "it does not move" can be told from the pixels alone.
So the report's numbers about what a clip shows can be held against the truth, which no CLIP checkpoint allows.
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
_WHOLE_WAY = 28.0  # pixels; the shortest way that is drawn
_TOWARDS = {
    "left": (-1, 0), "right": (1, 0), "up": (0, -1), "rises": (0, -1), "down": (0, 1), "falls": (0, 1)
}  # fmt: skip


@dataclass(frozen=True)
class _Named:
    """What a text names.

    Attributes:
        colours: Of things.
        towards: Steps to the right and down; None where no direction is named.
        floor: Its colour; None where none is named.
    """

    colours: tuple[str, ...]
    towards: tuple[int, int] | None
    floor: str | None


class Detector:
    """Looks for the things and the direction that a text names; see `spacediff.metrics.semantic.Semantic`."""

    @property
    def identity(self) -> str:
        """Its version."""
        return f"tiny-detector {_VERSION}"

    @property
    def version(self) -> str:
        """Its version."""
        return _VERSION

    @property
    def about(self) -> str:
        """One sentence."""
        return (
            "The tiny world's detector, by colour alone: for each thing named 1 where it is seen and 0 where not, for "
            "a direction the way gone so far (1 at 28 of 96 pixels); their mean, then the mean over all frames."
        )

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        """Measure a clip.

        A direction is that of the text's first thing; a text that names none borrows the first that any text names,
        and the floor, which is no thing, in the same way.

        Raises:
            NotMeasuredError: A text names nothing that the tiny world has.
        """
        said = [_named(text) for text in texts]
        asked = _completed(said)
        for text, one in zip(texts, asked, strict=True):
            if not one.colours:
                raise MetricUnavailable(
                    f"the tiny world's detector finds nothing to look for in “{text}”",
                    hint=f"name things by colour ({', '.join(COLOURS)}), or a direction ({', '.join(_TOWARDS)})",
                )
        wanted = dict.fromkeys((colour, one.floor) for one in asked for colour in one.colours)
        found: dict[tuple[str, str | None], list[Track]] = {key: [] for key in wanted}
        size = (HEIGHT, WIDTH)
        for number, frame in enumerate(frames, 1):
            size = frame.shape[:2]
            for (colour, floor), seen in found.items():
                seen.append(track(frame[None], colour, floor))
            on_frame(number)
        tracks = {key: _joined(seen, size) for key, seen in found.items()}
        columns = [
            _score(one, [tracks[colour, one.floor] for colour in one.colours], borrowed=not itself.colours)
            for one, itself in zip(asked, said, strict=True)
        ]
        return Agreement(np.stack(columns, axis=1))

    def close(self) -> None:
        """Nothing was loaded."""


def _named(text: str) -> _Named:
    said = re.findall(r"[a-z]+", text.lower())
    floor = next((a for a, b in itertools.pairwise(said) if b == "floor" and a in FLOORS), None)
    colours = [a for n, a in enumerate(said) if a in COLOURS and said[n + 1 : n + 2] != ["floor"]]
    towards = next((_TOWARDS[word] for word in said if word in _TOWARDS), None)
    return _Named(tuple(dict.fromkeys(colours)), towards, floor)


def _completed(named: list[_Named]) -> list[_Named]:
    floor = next((one.floor for one in named if one.floor), None)
    first = next((one.colours[:1] for one in named if one.colours), ())
    return [
        replace(one, floor=one.floor or floor, colours=one.colours or (first if one.towards else ()))
        for one in named
    ]  # fmt: skip


def _joined(seen: list[Track], size: tuple[int, ...]) -> Track:
    """Return the track of a clip from those of its frames, in pixels of the tiny world."""
    height, width = size
    share, x, y = (np.concatenate([np.zeros(0), *(getattr(one, name) for one in seen)]) for name in ("share", "x", "y"))
    return Track(share, x * (WIDTH / width), y * (HEIGHT / height))


def _score(asked: _Named, tracks: list[Track], *, borrowed: bool) -> NDArray[np.float64]:
    """Return the score of each frame, `[T]`; things that were borrowed for their direction do not count themselves."""
    parts = [] if borrowed else [one.seen.astype(float) for one in tracks]
    if asked.towards:
        parts.append(_way_gone(tracks[0], asked.towards))
    mean: NDArray[np.float64] = np.mean(parts, axis=0)
    return mean


def _way_gone(track: Track, towards: tuple[int, int]) -> NDArray[np.float64]:
    """Return how far a thing has come in each frame since it was first seen, `[T]`, 0 to 1; 0 where it is not seen."""
    seen = np.flatnonzero(track.seen)
    gone = np.zeros(len(track.share))
    if len(seen):
        along = track.x * towards[0] + track.y * towards[1]
        gone[seen] = np.clip((along[seen] - along[seen[0]]) / _WHOLE_WAY, 0.0, 1.0)
    return gone
