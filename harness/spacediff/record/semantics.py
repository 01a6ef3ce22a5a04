"""What clips show, by a semantic measure: a curve for the prompt and for each named part of it."""

from __future__ import annotations

from typing import Literal

from spacediff.record.base import Record
from spacediff.record.fact import Fact


class AgreementRecord(Record):
    """How far one clip agrees with one text.

    Attributes:
        run: Name of the run.
        mean: Over all frames.
        frames: One value per frame, in the clip's own numbering.
        difference: The reference's mean less this one; None without a reference, and for the reference itself.
        place: Where the mean stands to those of the other seeds; empty for these themselves, and where there are none.
    """

    run: str
    mean: float
    frames: list[float]
    difference: float | None = None
    place: Literal["below", "within", "above", ""] = ""


class TextRecord(Record):
    """What was asked of all clips of a prompt, and what came out.

    Attributes:
        part: The named part, such as `hand`; empty for the whole prompt, a number for a private one's.
        asked: The text as the model got it, such as `a photo of hand`; empty for a private prompt.
        clips: All clips that were measured, the reference first.
        seeds: Lowest and highest mean of the baseline with other seeds; None when there are none.
        rerun: How far the mean of a re-run is from the baseline's; None without a re-run.
    """

    part: str
    asked: str
    clips: list[AgreementRecord]
    seeds: tuple[float, float] | None = None
    rerun: float | None = None

    def of(self, run: str) -> AgreementRecord | None:
        """Return what came out for a run."""
        return next((clip for clip in self.clips if clip.run == run), None)


class SemanticsRecord(Record):
    """What the clips of one prompt show.

    Attributes:
        prompt: Name of the prompt.
        model: The model as the scenario names it.
        version: Its commit on the Hub, or the SHA-256 of a folder's files.
        about: What is measured, in a sentence with its source.
        code: Which failure it is (docs/errors.md); empty when it was measured, and in old records.
        reason: Why it was not measured; empty when it was.
        hint: What to do about it; may be empty.
        texts: What was asked: the prompt first, then its parts.
        least_shown: Position in `texts` of what the run that a reader sees first shows least of, by the difference
            from the reference; None where nothing differs.
        notes: What the reader should know, such as a text that was cut.
    """

    prompt: str
    model: str
    version: str = ""
    about: str = ""
    code: str = ""
    reason: str = ""
    hint: str = ""
    texts: list[TextRecord] = []
    least_shown: int | None = None
    notes: list[Fact] = []

    @property
    def measured(self) -> bool:
        """Whether there are numbers."""
        return not self.reason
