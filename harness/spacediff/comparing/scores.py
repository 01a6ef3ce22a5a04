"""The scores of a prompt's candidates against its reference, in as many passes as candidates arrive.

A pass prepares each frame of the reference once for all its candidates. So on a CPU, where scoring and generating share
the processors, one pass at the end is cheapest; beside an accelerator, passes during the generation cost no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.clip import Frame, read_frames
from spacediff.clip.bands import is_large
from spacediff.codec import MAX_PIXELS, Encoding, StillEncoding, encoding_of, is_re_encoded
from spacediff.comparing.comparison import Scored
from spacediff.comparing.failures import Failed, attempt, succeeded
from spacediff.comparing.pairing import Encoder, Pair, Side, paired
from spacediff.metrics import Metric
from spacediff.metrics.callers_threads import computing_in_callers
from spacediff.metrics.motion import MeasuredFrames
from spacediff.metrics.scoring import Measured, measure_clips, processors
from spacediff.record import ClipRecord, Fact, FactKind, Role, RunRecord, Verdict, fact, quoted

if TYPE_CHECKING:
    import pandas as pd

OnFrame = Callable[[int, int], None]
"""Called with the number of scored frames of the reference, and the number of all."""

ITSELF = ""
"""Stands for the reference as its own candidate; no run has this name."""
_UNALIGNED = {True: Verdict.NOT_MEASURED, False: Verdict.NOT_COMPARABLE}
"""The verdict where the reference cannot be aligned with itself, and where a candidate cannot."""


class Scores:
    """The scores of one prompt.

    Args:
        reference: The reference's run.
        clip: Its clip.
        folder: The audit folder; encoded clips are written into it.
        metrics: What to measure.

    Attributes:
        reference: The reference.
        encoder: Puts clips through the reference's codec, unless it loses nothing.
        sides: Run name to the candidate's side, or to why it has none.
        scored: Run name to the scored pair, or to why it has no scores; `ITSELF` is the reference with itself.

    Raises:
        NotMeasuredError: The file of the reference cannot be read.
    """

    def __init__(self, reference: RunRecord, clip: ClipRecord, folder: Path, metrics: tuple[Metric, ...]) -> None:
        encoding = lossy_encoding(folder / clip.original) if clip.original else None
        self.reference = Side(reference, clip, folder / (clip.original or clip.lossless))
        self.encoder = Encoder(encoding, folder)
        self.sides: dict[str, Side | Failed] = {}
        self.scored: dict[str, Scored | Failed] = {}
        self._metrics = metrics
        self._large = is_large(clip.height, clip.width)
        self._frames = self.reference.source()

    def add(self, candidates: Sequence[RunRecord], on_frame: OnFrame = lambda *_: None) -> None:
        """Score candidates that have not been scored, in one pass.

        Args:
            candidates: Runs of the prompt.
            on_frame: Called after each scored frame of the reference.
        """
        sides = {run.name: self._side(run) for run in candidates if run.name not in self.sides}
        itself = {} if ITSELF in self.scored else {ITSELF: self.reference}
        with computing_in_callers():
            pairs = self._paired({**itself, **sides})
            self.scored |= self._scored(pairs, on_frame)
        self.sides |= sides

    def _side(self, run: RunRecord) -> Side | Failed:
        clip = run.clip
        if clip is None:
            return Failed(Verdict.NOT_MEASURED, quoted(run.reason))
        return attempt(lambda: self.encoder.side(run, clip))

    def _paired(self, sides: Mapping[str, Side | Failed]) -> dict[str, Pair | Failed]:
        """Align sides with the reference, as many at a time as there are processors; large ones one after another."""
        pool = ThreadPoolExecutor(1 if self._large else processors(), "aligning")
        try:
            aligning = {
                name: side if isinstance(side, Failed) else pool.submit(paired, self.reference, side, self._frames)
                for name, side in sides.items()
            }
            return {
                name: each if isinstance(each, Failed) else attempt(each.result, _UNALIGNED[name == ITSELF])
                for name, each in aligning.items()
            }
        finally:
            pool.shutdown(cancel_futures=True)

    def _scored(self, pairs: Mapping[str, Pair | Failed], on_frame: OnFrame) -> dict[str, Scored | Failed]:
        """Score pairs, while another thread tries whether one file of a pair is the other one, encoded again.

        For large frames, scoring starts after that, so that the memory of both does not add up.
        """
        found = succeeded(pairs)
        with ThreadPoolExecutor(1, "re-encoding") as aside:
            again = {name: aside.submit(encoded_again, pair) for name, pair in found.items()}
            if self._large:
                wait(again.values())
            whole = self._whole([pair for pair in found.values() if pair.alike], on_frame)
            return {
                name: pair
                if isinstance(pair, Failed)
                else attempt(partial(self._scored_pair, pair, whole, again[name].result))
                for name, pair in pairs.items()
            }

    def _scored_pair(
        self, pair: Pair, whole: Mapping[Path, _Measured], encoded_again: Callable[[], Fact | None]
    ) -> Scored:
        measured = whole[pair.candidate.file] if pair.alike else self._aligned(pair)
        return Scored(
            pair=pair,
            table=measured.scores.table,
            map_tiles=measured.scores.map_tiles,
            worst=measured.scores.worst,
            of_reference=measured.of_reference,
            of_candidate=measured.of_candidate,
            encoded_again=encoded_again(),
        )

    def _whole(self, pairs: Sequence[Pair], on_frame: OnFrame) -> dict[Path, _Measured]:
        """Measure pairs of which nothing was aligned, in one pass: each file is read once, the reference once more."""
        count, own = self.reference.clip.frames, self.reference.file
        ours = MeasuredFrames(read_frames(own))
        files = dict.fromkeys(pair.candidate.file for pair in pairs)
        theirs = {file: MeasuredFrames(read_frames(file)) for file in files if file != own}
        streams: dict[str, Iterable[Frame]] = {str(file): theirs.get(file) or read_frames(file) for file in files}
        scores = measure_clips(
            ours, streams, self._metrics, lambda done: on_frame(done, count), mapped=True, tiled=True, large=self._large
        )
        return {file: _Measured(scores[str(file)], ours.table, theirs.get(file, ours).table) for file in files}

    def _aligned(self, pair: Pair) -> _Measured:
        ours, theirs = MeasuredFrames(pair.reference_frames()), MeasuredFrames(pair.candidate_frames())
        scores = measure_clips(ours, {"": theirs}, self._metrics, mapped=True, tiled=True, large=self._large)[""]
        return _Measured(scores, ours.table, theirs.table)


@dataclass(frozen=True, eq=False)
class _Measured:
    """What is measured of a pair's frames: scores and tiles of both, and the measures of each side."""

    scores: Measured
    of_reference: pd.DataFrame
    of_candidate: pd.DataFrame


def encoded_again(pair: Pair) -> Fact | None:
    """Find which of two files is the other one, encoded again; None where neither is, or it is too large to try."""
    ours, theirs = pair.reference, pair.candidate
    if None in (ours.clip.original, theirs.clip.original) or theirs.run.role is not Role.VARIANT or not pair.alike:
        return None
    pixels = ours.clip.frames * ours.clip.width * ours.clip.height
    if pixels > MAX_PIXELS or ours.clip.digest == theirs.clip.digest:
        return None
    for source, result in ((theirs, ours), (ours, theirs)):
        if is_re_encoded(source.file, result.file):
            return fact(FactKind.ENCODED_AGAIN, reference_from_candidate=result is ours)
    return None


def lossy_encoding(file: Path) -> Encoding | StillEncoding | None:
    """Read how a file was encoded; None where that lost nothing, so that local frames need no encoder."""
    found = encoding_of(file)
    return None if isinstance(found, StillEncoding) and found.lossless else found
