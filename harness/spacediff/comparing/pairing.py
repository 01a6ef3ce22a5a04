"""Pairing: which frames of two clips are compared, once both have gone through the same steps.

The key insight: a hosted clip has been encoded before anyone sees it, and may have been cut, resized or interpolated
too. So a local clip first goes through the same encoder, then the two are aligned, and only what is left is a
difference; each of the steps is stated.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from spacediff.clip import Frame, read_clip, read_frames
from spacediff.codec import Encoding, Match, StillEncoding, encode_like
from spacediff.errors import EncodingFailed, NotComparable
from spacediff.metrics.alignment import Alignment, FrameSource, align
from spacediff.metrics.levels import Levels, levels
from spacediff.record import ClipRecord, Fact, RunRecord

MAX_SECONDS = 1800.0
"""What encoding a prompt's clips may take in all: an untrusted file may ask for days of motion search."""

_LEVELS_EVERY = 8
"""A wrong range of levels is the same in all frames; every eighth is read."""


@dataclass(frozen=True)
class Side:
    """A clip of a comparison.

    Attributes:
        run: The run that made it.
        clip: Its clip.
        file: The file whose frames are scored.
        match: How closely its encoding repeats the reference's; None where it was not encoded for the comparison.
    """

    run: RunRecord
    clip: ClipRecord
    file: Path
    match: Match | None = None

    def source(self) -> FrameSource:
        """Return its frames; they can be read more than once."""
        return FrameSource(lambda: read_frames(self.file), self.clip.fps)


@dataclass(frozen=True)
class Pair:
    """A reference and a candidate, aligned."""

    reference: Side
    candidate: Side
    alignment: Alignment
    levels: Levels = Levels.KEPT

    @property
    def alike(self) -> bool:
        """Whether whole frames are compared by number, in place, as they are."""
        return self.alignment.trivial and self.levels is Levels.KEPT

    @property
    def notes(self) -> tuple[Fact, ...]:
        """What was done to align the two."""
        return (*self.alignment.notes, *self.levels.notes)

    def reference_frames(self) -> Iterator[Frame]:
        """Yield the compared frames of the reference."""
        return self.alignment.of_reference(read_frames(self.reference.file))

    def candidate_frames(self) -> Iterator[Frame]:
        """Yield the compared frames of the candidate, each of the size of its partner."""
        return map(self.levels.corrected, self.alignment.of_candidate(read_frames(self.candidate.file)))


class Encoder:
    """Puts local clips through the encoder of a reference's file, equal clips once.

    Args:
        encoding: The encoding of the reference's file; None where it has been through no codec.
        folder: The audit folder.

    Attributes:
        seconds: The time that encoding has taken so far.
    """

    def __init__(self, encoding: Encoding | StillEncoding | None, folder: Path) -> None:
        self.encoding = encoding
        self.folder = folder
        self.seconds = 0.0
        self._made: dict[str, tuple[Path, Match]] = {}

    def side(self, run: RunRecord, clip: ClipRecord) -> Side:
        """Return the side of a run's clip, encoded where the reference is.

        Raises:
            NotMeasuredError: The frames cannot be encoded, or those before them took longer than `MAX_SECONDS`.
        """
        if clip.original is not None:
            return Side(run, clip, self.folder / clip.original)
        if self.encoding is None:
            return Side(run, clip, self.folder / clip.lossless)
        if clip.digest not in self._made:
            path = self.folder / "comparisons" / run.prompt / run.name / f"matched{self.encoding.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with self.timed() as encoding:
                self._made[clip.digest] = path, encode_like(read_clip(self.folder / clip.lossless), encoding, path)
        return Side(run, clip, *self._made[clip.digest])

    @contextmanager
    def timed(self) -> Iterator[Encoding | StillEncoding]:
        """Give the reference's encoding to a block that encodes, and count its time.

        Raises:
            NotMeasuredError: No time is left, or the reference was not encoded.
        """
        if self.encoding is None:
            raise EncodingFailed("the reference has been through no codec")
        if self.seconds > MAX_SECONDS:
            raise EncodingFailed(f"encoding as hosted took longer than {MAX_SECONDS:.0f} s for the clips before")
        began = time.monotonic()
        try:
            yield self.encoding
        finally:
            self.seconds += time.monotonic() - began


def paired(reference: Side, candidate: Side, frames: FrameSource) -> Pair:
    """Align a candidate with the reference; several may be aligned in threads of their own.

    Args:
        reference: The reference.
        candidate: The clip that is compared with it.
        frames: The reference's frames; one object for all candidates, so that they are analysed once.

    Raises:
        NotMeasuredError: They cannot be aligned; the message says why.
    """
    _refuse_other_counts(reference, candidate)
    theirs = frames if candidate is reference else candidate.source()
    pair = Pair(reference, candidate, align(frames, theirs))
    return replace(pair, levels=levels(_some(pair, frames.overview.kept, theirs.overview.kept)))


def _some(pair: Pair, ours: Mapping[int, Frame], theirs: Mapping[int, Frame]) -> Iterable[tuple[Frame, Frame]]:
    """Choose some pairs of frames, spread over the clips: those that were kept, where nothing has to be aligned."""
    if pair.alignment.trivial:
        return ((frame, theirs[number]) for number, frame in ours.items() if number in theirs)
    return islice(zip(pair.reference_frames(), pair.candidate_frames(), strict=False), 0, None, _LEVELS_EVERY)


def _refuse_other_counts(reference: Side, candidate: Side) -> None:
    """Refuse pictures of which one side has more, and one frame against many: which belong together is unknown."""
    counts, media = (reference.clip.frames, candidate.clip.frames), {reference.clip.medium, candidate.clip.medium}
    if counts[0] == counts[1] or not ("pictures" in media or 1 in counts):
        return
    ours, theirs = (_counted(side.clip) for side in (reference, candidate))
    of_pictures = "choose one with outputs.index, or generate as many with call.num_images_per_prompt"
    raise NotComparable(
        f"the reference has {ours}, and this run has {theirs}: which of them belong together is unknown",
        hint=of_pictures if "pictures" in media else "generate as many frames with call.num_frames",
    )


def _counted(clip: ClipRecord) -> str:
    """Count what a clip has: `4 pictures`, `49 frames of a video`."""
    what = "picture" if clip.medium == "pictures" else "frame"
    plural = "" if clip.frames == 1 else "s"
    return f"{clip.frames} {what}{plural}{' of a video' if what == 'frame' else ''}"
