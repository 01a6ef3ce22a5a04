"""The audit record: what `audit.json` holds, and the only thing that a report knows.

Everything here is data: numbers measured, texts to escape, paths relative to the audit folder. A report that needs a
number that is not here needs a new field here, not a computation there.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from harness.errors import SpacediffError
from harness.files import write_atomically
from harness.redaction import redact
from harness.settings import Origin, Setting, Settings

SCHEMA_VERSION: Literal[1] = 1


class Record(BaseModel):
    """Base of all records: unknown keys are mistakes, records do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _to_number(value: Any) -> Any:
    return math.inf if value == "inf" else value


def _from_number(value: float) -> float | str:
    return "inf" if math.isinf(value) else value


Number = Annotated[float, BeforeValidator(_to_number), PlainSerializer(_from_number, when_used="json")]
"""A float that may be infinite (PSNR of identical frames); JSON has no infinity, so it is written `"inf"`."""


class Role(StrEnum):
    """What a run is for."""

    REFERENCE = "reference"
    REPEAT = "repeat of the reference"
    BASELINE = "baseline"
    VARIANT = "variant"
    RERUN = "rerun"
    SEED = "other seed"


class Verdict(StrEnum):
    """How a clip stands to the reference; docs/drift.md explains them."""

    IDENTICAL = "identical"
    CODEC_ONLY = "codec only"
    NUMERIC_DRIFT = "numeric drift"
    SETTINGS_DIFFER = "settings differ"
    DIFFERS = "differs"
    DIFFERENT_SAMPLE = "different sample"
    POST_PROCESSED = "post-processed"
    NOT_COMPARABLE = "not comparable"
    NOT_MEASURED = "not measured"


class SettingRecord(Record):
    """One setting with its origin."""

    value: Any
    origin: Origin
    where: str = ""


class Ignored(Record):
    """An argument that a library took without using it.

    Attributes:
        argument: Dotted path, such as `load.use_dynamic_cfg`.
        value: What was given.
        given_to: The function that took it.
        advice: Where it would take effect, or an empty text.
    """

    argument: str
    value: Any
    given_to: str
    advice: str = ""


class ClipRecord(Record):
    """A clip in the audit folder.

    Attributes:
        lossless: FFV1 file, relative to the audit folder.
        preview: H.264 file for the page, relative to the audit folder.
        original: A hosted or given file, untouched; None for local clips.
        delivered: The MP4 that a local run's own export writes; None for other sources.
        digest: SHA-256 of the frames.
        frames: Number of frames.
        width: Pixels.
        height: Pixels.
        fps: Frames per second.
        encoding: What the original file says of itself, such as `h264 yuv420p, tv range`; empty for local clips.
    """

    lossless: str
    preview: str
    original: str | None = None
    delivered: str | None = None
    digest: str
    frames: int
    width: int
    height: int
    fps: float
    encoding: str = ""


class RunRecord(Record):
    """One run: what was asked for, what determined it, and the clip or the reason why there is none.

    Attributes:
        key: Identity of the run in the store.
        name: `baseline`, the variant's name, `reference`, `seed 43`.
        role: What it is for.
        prompt: Name of its prompt.
        source: `diffusers`, `space`, `video`.
        described: One line for people: `Space zai-org/CogVideoX-5B-Space /generate`.
        measured: Whether there is a clip.
        reason: Why not; empty when measured.
        hint: What to do about it; may be empty.
        changes: The declared changes against the baseline, dotted path to value.
        settings: All settings, resolved.
        ignored: Arguments accepted but ignored.
        warnings: What the reader should know.
        hosted: What the host says of itself, name to text; empty for local runs.
        seconds: Duration of the generation or the fetch.
        seed_echoed: The seed that a Space said it used.
        clip: The clip, or None.
    """

    key: str
    name: str
    role: Role
    prompt: str
    source: Literal["diffusers", "space", "video"]
    described: str = ""
    measured: bool
    reason: str = ""
    hint: str = ""
    changes: dict[str, Any] = {}
    settings: dict[str, SettingRecord] = {}
    ignored: list[Ignored] = []
    warnings: list[str] = []
    hosted: dict[str, str] = {}
    seconds: float = 0.0
    seed_echoed: int | None = None
    clip: ClipRecord | None = None


class MetricRecord(Record):
    """One metric of one comparison, with its scale.

    Attributes:
        pooled: Over all frames; mean, except PSNR, which is that of the mean squared error.
        worst: The worst frame's value.
        worst_frame: Its number in the reference, from 0.
        floor: The same metric where nothing differs but a re-run; None when not measured.
        ceiling: The same metric between unrelated samples (other seeds), their mean; None when not measured.
        ceiling_spread: Lowest and highest of the other seeds.
        drift: (pooled - floor) / (ceiling - floor), on the metric's error scale; None when floor and ceiling do not
            separate or are missing.
    """

    pooled: Number
    worst: Number
    worst_frame: int
    floor: Number | None = None
    ceiling: Number | None = None
    ceiling_spread: tuple[Number, Number] | None = None
    drift: float | None = None


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


class PartingRecord(Record):
    """When two clips part.

    Attributes:
        metric: The metric that sees it best.
        beyond_floor: First compared pair whose error is more than a re-run's; None when there is none.
        half_way: First compared pair at least half-way to the nearest other seed; None when there is none.
    """

    metric: str
    beyond_floor: int | None
    half_way: int | None


class ControlRecord(Record):
    """A comparison whose outcome is known beforehand; when it fails, no number of the audit can be trusted.

    Attributes:
        prompt: Name of the prompt.
        name: `the reference against itself`, `another seed`.
        expected: What has to come out.
        found: What came out.
        passed: Whether it did.
    """

    prompt: str
    name: str
    expected: str
    found: str
    passed: bool


class ResolutionRecord(Record):
    """What the comparison could have seen, so that "no difference found" is worth something.

    Attributes:
        prompt: Name of the prompt.
        sentence: The finding in words.
        levels: Size of the smallest planted difference that was seen, in levels; None when none was.
        share: Share of one frame's pixels that it changed.
    """

    prompt: str
    sentence: str
    levels: int | None
    share: float


class ComparisonRecord(Record):
    """One clip held against the reference.

    Attributes:
        prompt: Name of the prompt.
        reference: Name of the reference's run.
        candidate: Name of the run held against it.
        path: What both sides went through before scoring, such as `both decoded from export_to_video, quality 5`.
        codec_exact: Whether local frames were encoded exactly as the reference's file was; None without a codec.
        notes: The stated mapping when the clips differ in length, rate, size or geometry; what the codec path could
            not repeat.
        frame_map: Pairs of frame numbers (reference, candidate) that were compared.
        identical: Whether all compared frames are equal, byte for byte, and nothing else differs.
        per_frame: Metric name to one value per compared pair.
        metrics: Metric name to its pooled value and scale.
        measures: Measure name to what it is on both sides.
        parting: When the clips part; None when they do not, or it cannot be told.
        frames_csv: The same table, relative to the audit folder.
        drift: Combined drift; None is "cannot tell".
        verdict: The class.
        evidence: The sentences that the verdict rests on.
    """

    prompt: str
    reference: str
    candidate: str
    path: str
    codec_exact: bool | None = None
    notes: list[str] = []
    frame_map: list[tuple[int, int]] = []
    identical: bool = False
    per_frame: dict[str, list[Number]] = {}
    metrics: dict[str, MetricRecord] = {}
    measures: dict[str, MeasureRecord] = {}
    parting: PartingRecord | None = None
    frames_csv: str = ""
    drift: float | None = None
    verdict: Verdict
    evidence: list[str] = []


class MetricInfo(Record):
    """What a reader needs to know of a metric.

    Attributes:
        name: Short name, such as `psnr`.
        title: `PSNR`.
        unit: `dB`, `levels`, or empty.
        higher_is_closer: Whether a higher value means closer clips.
        about: One sentence with its source.
    """

    name: str
    title: str
    unit: str
    higher_is_closer: bool
    about: str


class PromptRecord(Record):
    """A prompt of the scenario."""

    name: str
    text: str
    seed: int


class GateStatus(StrEnum):
    """Whether the gate holds."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_MEASURED = "not measured"
    NONE = "no gate"


class GateRecord(Record):
    """The gate's outcome with its reasons."""

    status: GateStatus
    variant: str = ""
    max_drift: float | None = None
    reasons: list[str] = []


class EnvironmentRecord(Record):
    """Versions and devices, of this machine and of the host as far as it tells.

    Attributes:
        local: Name to text, such as `torch` to `2.13.0+cpu`.
        hosted: The same for the Space; empty when it says nothing.
    """

    local: dict[str, str]
    hosted: dict[str, str] = {}


class AuditRecord(Record):
    """A whole audit.

    Attributes:
        schema_version: Version of this schema; a reader refuses a newer one.
        spacediff_version: The program that wrote it.
        title: The scenario's title.
        question: The question in one sentence.
        scenario: The scenario's text, as it was run.
        scenario_name: File name of the scenario, without its folder.
        command: What repeats the audit.
        created: ISO 8601, UTC.
        finished: False after the audit was interrupted.
        seconds: Duration of the audit.
        prompts: The prompts.
        reference: Name of the run that the others of its prompt are held against.
        runs: All runs, in the order of the plan.
        comparisons: All comparisons.
        metrics: What was measured between two clips, in order of display.
        measures: What was measured of each clip alone, in order of display.
        controls: Comparisons whose outcome is known beforehand.
        resolutions: What the comparison could have seen, per prompt.
        gate: The gate's outcome.
        environment: Versions and devices.
        warnings: What the reader should know first.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    spacediff_version: str
    title: str
    question: str
    scenario: str
    scenario_name: str
    command: str
    created: str
    finished: bool
    seconds: float
    prompts: list[PromptRecord]
    reference: str
    runs: list[RunRecord]
    comparisons: list[ComparisonRecord]
    metrics: list[MetricInfo]
    measures: list[MetricInfo] = []
    controls: list[ControlRecord] = []
    resolutions: list[ResolutionRecord] = []
    gate: GateRecord
    environment: EnvironmentRecord
    warnings: list[str] = []

    def run(self, prompt: str, name: str) -> RunRecord:
        """Return the run of a name for a prompt; raises KeyError when there is none."""
        for run in self.runs:
            if (run.prompt, run.name) == (prompt, name):
                return run
        raise KeyError((prompt, name))


def record_settings(settings: Settings) -> dict[str, SettingRecord]:
    """Return Settings as they are written into a record."""
    return {
        path: SettingRecord(value=setting.value, origin=setting.origin, where=setting.where)
        for path, setting in settings.items()
    }


def recorded_settings(record: dict[str, SettingRecord]) -> Settings:
    """Return the Settings that a record holds."""
    return Settings({path: Setting(s.value, s.origin, s.where) for path, s in record.items()})


def write_record(record: AuditRecord, folder: Path) -> None:
    """Write `audit.json` into an audit folder, redacted."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(redact(record.model_dump(mode="json")), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "audit.json", text + "\n")


def read_record(folder: Path) -> AuditRecord:
    """Read `audit.json` of an audit folder.

    Raises:
        SpacediffError: There is none, it is broken, or a newer spacediff wrote it.
    """
    path = folder / "audit.json"
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SpacediffError(
            f"{folder} is not an audit folder: audit.json cannot be read ({error.strerror})",
            hint="give the folder that `spacediff audit` named",
        ) from error
    try:
        return AuditRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise SpacediffError(
            f"{path} cannot be read by schema version {SCHEMA_VERSION}: {key}: {first['msg']}",
            hint="run the audit again, or use the spacediff version that wrote it",
        ) from error
