"""What comparing leaves: the numbers of one clip compared with the reference, on their scale."""

from __future__ import annotations

from enum import StrEnum

from spacediff.record.base import Number, Record
from spacediff.record.fact import Fact


class Verdict(StrEnum):
    """How a clip compares with the reference; docs/drift.md explains each."""

    IDENTICAL = "identical"
    CODEC_ONLY = "codec only"
    NUMERIC_DRIFT = "numeric drift"
    SETTINGS_DIFFER = "settings differ"
    DIFFERS = "differs"
    DIFFERENT_SAMPLE = "different sample"
    POST_PROCESSED = "post-processed"
    NOT_COMPARABLE = "not comparable"
    NOT_MEASURED = "not measured"

    @property
    def matches(self) -> bool:
        """Whether the clip is the reference's, but for the codec at most."""
        return self in {Verdict.IDENTICAL, Verdict.CODEC_ONLY}

    @property
    def comparable(self) -> bool:
        """Whether it says anything about the frames; what is not measured or not comparable is never green."""
        return self not in {Verdict.NOT_MEASURED, Verdict.NOT_COMPARABLE}


class RankRecord(Record):
    """A run's place among the scored runs of its prompt.

    Attributes:
        place: Its place, from 1 for the closest to the reference.
        shared: Whether another run is exactly as close.
    """

    place: int
    shared: bool = False


class MetricRecord(Record):
    """One metric of one comparison, with its scale.

    Attributes:
        pooled: Over all frames; mean, except PSNR, which is that of the mean squared error.
        worst: The worst frame's value.
        worst_frame: Its number in the reference, from 0.
        worst_frames: Numbers of the few worst frames in the reference, the worst first; empty for identical clips.
        floor: The same metric where nothing differs but a re-run; None when not measured.
        ceiling: The same metric between unrelated samples (other seeds), their mean; None when not measured.
        ceiling_spread: Lowest and highest of the other seeds.
        codec: The same metric between a clip and its own encoding, which is what `numeric drift` is judged by; None
            where no codec is used, as with pictures, or it was not measured.
        drift: (pooled - floor) / (ceiling - floor), on the metric's error scale; None when floor and ceiling do not
            separate or are missing.
        codec_drift: Where `codec` stands on the same scale.
    """

    pooled: Number
    worst: Number
    worst_frame: int
    worst_frames: list[int] = []
    floor: Number | None = None
    ceiling: Number | None = None
    ceiling_spread: tuple[Number, Number] | None = None
    codec: Number | None = None
    drift: float | None = None
    codec_drift: float | None = None


class MeasureRecord(Record):
    """One measure of a single clip, for both sides of a comparison: users say "less motion", "washed out".

    Attributes:
        reference: Over the compared frames of the reference.
        candidate: Over those of the candidate.
        ratio: candidate / reference; None where the reference has none of it.
        reference_frames: One value per compared frame of the reference.
        candidate_frames: The same for the candidate.
    """

    reference: float
    candidate: float
    ratio: float | None
    reference_frames: list[float]
    candidate_frames: list[float]


class MapRecord(Record):
    """Where in the pictures two clips differ: SSIM of every compared pair in cells.

    Attributes:
        file: A grey 8-bit PNG, relative to the audit folder: one tile for each pair, from left to right, then down;
            level 255 is an SSIM of 1, level 0 one of 0 or below, each the mean over its cell.
        columns: Cells across a tile.
        rows: Cells down a tile.
        across: Tiles side by side; more than one where the picture would be too high for a browser.
    """

    file: str
    columns: int
    rows: int
    across: int = 1


class TileRecord(Record):
    """The tile of a frame that differs most.

    Attributes:
        frame: Number of the frame, from 0.
        x: Pixels from the left edge of the frame to the tile.
        y: Pixels from its upper edge.
        width: Pixels.
        height: Pixels.
        error: Mean absolute difference of the 8-bit RGB values in the tile, in levels (0 to 255).
    """

    frame: int
    x: int
    y: int
    width: int
    height: int
    error: float


class WorstTileRecord(TileRecord):
    """The tile in which a clip differs most from the reference, of all frames, with the scale of such tiles.

    Attributes:
        floor: The error of the worst tile where nothing differs but a re-run; None when not measured.
        ceiling: The same between unrelated samples (other seeds), their mean; None when not measured.
        ceiling_spread: Lowest and highest of the other seeds.
        codec: The same between a clip and its own encoding; None where no codec is used or it was not measured.
        drift: (error - floor) / (ceiling - floor); None when floor and ceiling do not separate or are missing.
    """

    floor: float | None = None
    ceiling: float | None = None
    ceiling_spread: tuple[float, float] | None = None
    codec: float | None = None
    drift: float | None = None


class FirstDivergenceRecord(Record):
    """When two clips diverge.

    Attributes:
        metric: The metric that sees it best.
        beyond_floor: First compared pair whose error is more than that of any frame of a re-run; None when there is
            none.
        half_way: First compared pair at least half-way to the nearest other seed; None when there is none.
    """

    metric: str
    beyond_floor: int | None
    half_way: int | None


class Control(StrEnum):
    """Comparisons whose outcome is known beforehand."""

    ITSELF = "reference with itself"
    RERUN = "re-run"
    SEED = "different seed"


class ControlRecord(Record):
    """A comparison whose outcome is known beforehand; when it fails, no number of the audit can be trusted.

    Attributes:
        prompt: Name of the prompt.
        control: Which one: the reference with itself, the baseline's re-run, or a different seed.
        run: Name of the run with another seed; empty for the other two, and where none could be compared.
        found: What came out.
        passed: Whether that is what has to come out.
    """

    prompt: str
    control: Control
    run: str = ""
    found: list[Fact]
    passed: bool


class ResolutionRecord(Record):
    """What the comparison could have seen, so that "no difference found" is worth something.

    Attributes:
        prompt: Name of the prompt.
        finding: What was tried and what came out.
        levels: Size of the smallest planted difference that was seen, in levels; None when none was.
        share: Share of one frame's pixels that it changed.
    """

    prompt: str
    finding: Fact
    levels: int | None
    share: float


class ComparisonRecord(Record):
    """One clip compared with the reference.

    Attributes:
        prompt: Name of the prompt.
        reference: Name of the reference's run.
        candidate: Name of the run compared with it.
        path: What both sides went through before scoring, such as an encoding like that of the hosted file.
        codec_exact: Whether local frames were encoded exactly as the reference's file was; None without a codec.
        notes: The stated mapping when the clips differ in length, rate, size or geometry; what the codec path could
            not repeat; metrics that frames of this size have not.
        frame_map: Pairs of frame numbers (reference, candidate) that were compared.
        identical: Whether all compared frames are equal, byte for byte, and nothing else differs.
        per_frame: Metric name to one value per compared pair.
        metrics: Metric name to its pooled value and scale.
        worst_tile: Where the compared frames differ most; None when no pixel differs, or nothing was compared.
        measures: Measure name to what it is on both sides.
        first_divergence: When the clips diverge; None when they do not, or it is unknown.
        frames_csv: The same table, relative to the audit folder.
        map: Where in the pictures they differ; None when they are equal, or the frames are too small for SSIM.
        drift: Combined drift; None is unknown.
        rank: The candidate's place among the scored runs; None for controls and for what has no score.
        verdict: The class.
        evidence: The facts that the verdict rests on, the weightiest first.
    """

    prompt: str
    reference: str
    candidate: str
    path: list[Fact] = []
    codec_exact: bool | None = None
    notes: list[Fact] = []
    frame_map: list[tuple[int, int]] = []
    identical: bool = False
    per_frame: dict[str, list[Number]] = {}
    metrics: dict[str, MetricRecord] = {}
    worst_tile: WorstTileRecord | None = None
    measures: dict[str, MeasureRecord] = {}
    first_divergence: FirstDivergenceRecord | None = None
    frames_csv: str = ""
    map: MapRecord | None = None
    drift: float | None = None
    rank: RankRecord | None = None
    verdict: Verdict
    evidence: list[Fact] = []
