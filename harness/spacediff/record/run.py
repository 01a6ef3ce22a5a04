"""What a run leaves: what determined it, and the clip or the reason why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from spacediff.record.base import Record
from spacediff.record.stopped import StoppedRecord
from spacediff.record.trace import TraceRecord
from spacediff.settings import Origin, Setting, Settings


class Role(StrEnum):
    """What a run is for."""

    REFERENCE = "reference"
    REPEAT = "repeat of the reference"
    BASELINE = "baseline"
    VARIANT = "variant"
    RERUN = "rerun"
    SEED = "other seed"
    STEPS = "each step alone"
    SAMPLE = "sample"
    PROBE = "probe for the cause"
    SCREEN = "screen for the cause"
    DETERMINISTIC = "control with deterministic algorithms"

    @property
    def control(self) -> bool:
        """Whether such a run only gives a scale: a repeat, a re-run, another seed."""
        return self in {Role.REPEAT, Role.RERUN, Role.SEED}


ASIDE = frozenset({Role.STEPS, Role.PROBE, Role.SCREEN, Role.SAMPLE, Role.DETERMINISTIC})
"""Runs that serve a question of their own and are no variants."""

UNPAIRED = frozenset({Role.STEPS, Role.SCREEN, Role.SAMPLE, Role.DETERMINISTIC})
"""Runs whose clips are not compared with the reference's, one with one."""


class SettingRecord(Record):
    """One setting with its origin."""

    value: Any
    origin: Origin
    where: str = ""


class SettingGroupsRecord(Record):
    """The settings of a run next to those of the baseline and of the reference; each path is in one group.

    Attributes:
        changed: Paths whose value is known to differ from the baseline's.
        differing: Paths of the run whose value is the baseline's, but is known to differ from the reference's.
        unknown: Paths whose value is unknown on a side, so that it cannot be called equal, unless the sides are runs of
            one script that leaves it open.
        same: All other paths: equal on all sides, or known of one side only.
        as_reference: Paths whose value is known to be the reference's, from all groups.
    """

    changed: list[str] = []
    differing: list[str] = []
    unknown: list[str] = []
    same: list[str] = []
    as_reference: list[str] = []


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


class InsteadRecord(Record):
    """What a Space used in place of what it was asked for, as its answer, its file or its probe says.

    Attributes:
        seed: The seed that it used; None where it is unknown, and where it used the one that was asked for.
        own_seed: Whether it used another seed than it was asked for, be it an unknown one.
        prompt: The text that it used; empty where it used the prompt, and of a private prompt.
        rewritten: Whether it used another text than the prompt.
    """

    seed: int | None = None
    own_seed: bool = False
    prompt: str = ""
    rewritten: bool = False


class SmallPreview(Record):
    """A smaller file of the same frames, for a page with many clips.

    Attributes:
        file: H.264, relative to the audit folder.
        quality: x264's constant rate factor.
    """

    file: str
    quality: int


class ClipRecord(Record):
    """A clip in the audit folder.

    Attributes:
        lossless: FFV1 file, relative to the audit folder; for a file of the user, that file itself.
        preview: The file for the page, relative to the audit folder: H.264, or for pictures a PNG with all of them, one
            below the other.
        small: A smaller preview; None where the preview is small, and in older records.
        original: A hosted or given file, untouched; None for local clips.
        delivered: What a script writes of a local run: an MP4, or for pictures a PNG of each; None for other sources.
        delivered_digest: SHA-256 of the delivered file; empty for other sources.
        digest: SHA-256 of the frames.
        frames: Number of frames.
        width: Pixels.
        height: Pixels.
        fps: Frames per second; 1 for pictures, which have no rate.
        medium: Whether the frames are those of a video, or pictures that stand next to each other.
        encoding: What the original file says of itself, such as `h264 yuv420p, tv range`; empty for local clips.
        colour: The one colour that all frames consist of, as RGB levels; None where there are more, as in any picture,
            and in older records.
    """

    lossless: str
    preview: str
    small: SmallPreview | None = None
    original: str | None = None
    delivered: str | None = None
    delivered_digest: str = ""
    digest: str
    frames: int
    width: int
    height: int
    fps: float
    medium: Literal["video", "pictures"] = "video"
    encoding: str = ""
    colour: list[int] | None = None


class MachineRecord(Record):
    """The machine of a cluster that made a run. Its name stays out of the record.

    Attributes:
        node: The first digits of the id that Ray gives to it.
        worker: Number of the worker, from 1.
        device: Its accelerators, or `cpu`.
        processor: Its processor.
        threads: CPU threads of torch.
    """

    node: str
    worker: int
    device: str
    processor: str
    threads: str


class RunRecord(Record):
    """One run: what was asked for, what determined it, and the clip or the reason why there is none.

    Attributes:
        key: Identity of the run in the store.
        name: `baseline`, the variant's name, `reference`, `seed-43`.
        role: What it is for.
        prompt: Name of its prompt.
        source: `diffusers`, `space`, `video`, `recording`, `command`, `inference`.
        described: One line for people: `Space zai-org/CogVideoX-5B-Space /generate`.
        measured: Whether there is a clip.
        stopped: How far a run went that ended early, which has no clip and is no failure; None for all others.
        code: Which failure it is, such as `space-sleeping` (docs/errors.md); empty when measured, and in old records.
        reason: Why not; empty when measured, and where the run ended early.
        hint: What to do about it; may be empty.
        changes: The declared changes against the baseline, dotted path to value.
        settings: All settings, resolved.
        setting_groups: Its settings next to the baseline's and the reference's; None for a run that is not compared
            with the reference.
        ignored: Arguments accepted but ignored.
        warnings: What the reader should know.
        hosted: What the Space says of itself, name to text; empty for local runs.
        seconds: Duration of the generation or the fetch.
        fetched: When a Space or an API gave the clip, ISO 8601 in UTC; empty for other sources, and in older records.
        seed_echoed: The seed that a Space said it used.
        used_cache: Whether a Space answered from a cache of Gradio: `full`, `partial` or `no`; empty where it does not
            say, of other sources, and in older records.
        instead: What a Space used in place of what it was asked for; None where nothing says that it did, and in older
            records.
        censored: Numbers of the pictures that a safety checker replaced, from 0, as far as the source says so.
        audio: Whether the source gave sound besides the frames, which is not compared.
        clip: The clip, or None.
        fed_by: Name of the run whose latents each step was fed; empty for a run that went its own way.
        trace: What a local generation looked like from inside.
        machine: Which machine of a cluster made it; None for a run of the machine that ran the audit.
    """

    key: str
    name: str
    role: Role
    prompt: str
    source: Literal["diffusers", "script", "space", "video", "recording", "command", "inference"]
    described: str = ""
    measured: bool
    stopped: StoppedRecord | None = None
    code: str = ""
    reason: str = ""
    hint: str = ""
    changes: dict[str, Any] = {}
    settings: dict[str, SettingRecord] = {}
    setting_groups: SettingGroupsRecord | None = None
    ignored: list[Ignored] = []
    warnings: list[str] = []
    hosted: dict[str, str] = {}
    seconds: float = 0.0
    fetched: str = ""
    seed_echoed: int | None = None
    used_cache: Literal["full", "partial", "no", ""] = ""
    instead: InsteadRecord | None = None
    censored: list[int] = []
    audio: bool = False
    clip: ClipRecord | None = None
    fed_by: str = ""
    trace: TraceRecord | None = None
    machine: MachineRecord | None = None

    @property
    def failed(self) -> bool:
        """Whether there should be a clip and is none."""
        return not self.measured and self.stopped is None

    @property
    def cached(self) -> bool:
        """Whether a Space says that it answered from a cache, so that nothing was generated, or only a part."""
        return self.used_cache in {"full", "partial"}

    @property
    def steps_made(self) -> int | None:
        """Number of denoising steps that were computed for this run; None where they were not observed."""
        if self.stopped is not None:
            return self.stopped.made
        return None if self.trace is None else self.trace.steps_made


def record_settings(settings: Settings) -> dict[str, SettingRecord]:
    """Return Settings as they are written into a record."""
    return {
        path: SettingRecord(value=setting.value, origin=setting.origin, where=setting.where)
        for path, setting in settings.items()
    }


def recorded_settings(record: dict[str, SettingRecord]) -> Settings:
    """Return the Settings that a record holds."""
    return Settings({path: Setting(s.value, s.origin, s.where) for path, s in record.items()})
