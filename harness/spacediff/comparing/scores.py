"""The scores of a prompt's candidates against its reference, in as many passes as candidates arrive.

A pass prepares each frame of the reference once for all its candidates. So on a CPU, where scoring and generating share
the processors, one pass at the end is cheapest; beside an accelerator, passes during the generation cost no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spacediff.clip import read_frames
from spacediff.codec import Encoding, StillEncoding, encoding_of
from spacediff.comparing.comparison import Scored
from spacediff.comparing.failures import Failed, attempt, attempt_each, succeeded
from spacediff.comparing.pairing import Encoder, Pair, Side, paired
from spacediff.metrics import Metric
from spacediff.metrics.scoring import score
from spacediff.record import ClipRecord, RunRecord, Verdict, quoted

OnFrame = Callable[[int, int], None]
"""Called with the number of scored frames of the reference, and the number of all."""

ITSELF = ""
"""Stands for the reference as its own candidate; no run has this name."""


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
        self._frames = self.reference.source()

    def add(self, candidates: Sequence[RunRecord], on_frame: OnFrame = lambda *_: None) -> None:
        """Score candidates that have not been scored, in one pass.

        Args:
            candidates: Runs of the prompt.
            on_frame: Called after each scored frame of the reference.
        """
        sides = {run.name: self._side(run) for run in candidates if run.name not in self.sides}
        pairs = self._paired(sides)
        if ITSELF not in self.scored:
            pairs = {ITSELF: attempt(lambda: paired(self.reference, self.reference, self._frames)), **pairs}
        self.scored |= self._scored(pairs, on_frame)
        self.sides |= sides

    def _side(self, run: RunRecord) -> Side | Failed:
        clip = run.clip
        if clip is None:
            return Failed(Verdict.NOT_MEASURED, quoted(run.reason))
        return attempt(lambda: self.encoder.side(run, clip))

    def _paired(self, sides: Mapping[str, Side | Failed]) -> dict[str, Pair | Failed]:
        return attempt_each(sides, lambda side: paired(self.reference, side, self._frames), Verdict.NOT_COMPARABLE)

    def _scored(self, pairs: Mapping[str, Pair | Failed], on_frame: OnFrame) -> dict[str, Scored | Failed]:
        """Score pairs: equal files once, and in one pass where nothing was aligned."""
        alike = {str(pair.candidate.file): pair.candidate_frames() for pair in succeeded(pairs).values() if pair.alike}
        frames = self.reference.clip.frames
        tables = score(
            read_frames(self.reference.file), alike, self._metrics, on_frame=lambda done: on_frame(done, frames)
        )

        def scored(pair: Pair) -> Scored:
            if pair.alike:
                return Scored(pair, tables[str(pair.candidate.file)])
            return Scored(pair, score(pair.reference_frames(), {"": pair.candidate_frames()}, self._metrics)[""])

        return attempt_each(pairs, scored)


def lossy_encoding(file: Path) -> Encoding | StillEncoding | None:
    """Read how a file was encoded; None where that lost nothing, so that local frames need no encoder."""
    found = encoding_of(file)
    return None if isinstance(found, StillEncoding) and found.lossless else found
