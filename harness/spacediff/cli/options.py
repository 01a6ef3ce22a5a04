"""The options of each command, as parsed: one frozen dataclass per command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from spacediff.api.running import ExecutorName
    from spacediff.results import IssueTemplate, ReportFormat


class Verbosity(Enum):
    """How much a command says while it works, and of what came out."""

    QUIET = "only the result"
    NORMAL = "a line for each clip"
    VERBOSE = "also the work on each clip"


@dataclass(frozen=True)
class AuditOptions:
    """`spacediff audit`."""

    scenarios: tuple[Path, ...]
    out: Path | None
    only: tuple[str, ...]
    fresh: bool
    budget: float | None
    reuse: bool
    against: Path | None
    strict: bool
    approximate: bool
    anyway: bool
    wait: float
    executor: ExecutorName
    shared_folder: str
    reference_from: Path | None
    stop_without_reference: bool
    verbosity: Verbosity
    as_json: bool
    open_page: bool


@dataclass(frozen=True)
class CompareOptions:
    """`spacediff compare`."""

    reference: Path
    candidate: Path
    out: Path | None
    metrics: tuple[str, ...]
    semantics: str
    parts: tuple[str, ...]
    max_frames: int | None
    verbosity: Verbosity
    as_json: bool
    open_page: bool


@dataclass(frozen=True)
class VersionsOptions:
    """`spacediff versions`."""

    scenario: Path
    package: str
    first: str
    last: str | None
    out: Path | None
    executor: ExecutorName
    shared_folder: str
    verbosity: Verbosity
    as_json: bool
    open_page: bool


@dataclass(frozen=True)
class EnvironmentOptions:
    """`spacediff environment`."""

    space: str
    torch: str | None
    python: str | None
    verbosity: Verbosity
    as_json: bool


@dataclass(frozen=True)
class RecordOptions:
    """`spacediff record`."""

    script: Path
    arguments: tuple[str, ...]
    out: Path | None
    python: Path | None
    call: int | None
    private: bool
    tensors: bool
    tensors_steps: tuple[int, ...]


@dataclass(frozen=True)
class ProbeOptions:
    """`spacediff probe`."""

    file: Path


@dataclass(frozen=True)
class ReportOptions:
    """`spacediff report`."""

    folder: Path
    formats: tuple[ReportFormat, ...]
    out: Path | None
    against: Path | None
    variant: str
    template: IssueTemplate | None


@dataclass(frozen=True)
class ApproveOptions:
    """`spacediff approve`."""

    scenario: Path
    out: Path | None


@dataclass(frozen=True)
class ReadOptions:
    """`spacediff read`."""

    source: str
    format: Literal["table", "json"]
    call: str
    block: int
    folder: str
    arguments: str | None


@dataclass(frozen=True)
class WhyOptions:
    """`spacediff why`."""

    script: str
    space: str
    call: str
    space_call: str
    block: int
    folder: str
    arguments: str | None
    plan_only: bool
    run: bool
    versions: bool
    format: Literal["table", "json"]
    scenario: Path | None
    patch: Path | None
    budget: float | None
    approximate: bool
    verbosity: Verbosity


@dataclass(frozen=True)
class CheckOptions:
    """`spacediff check`."""

    space: str
    calls: int
    endpoint: str
    deadline: float | None
    as_json: bool
    verbosity: Verbosity


@dataclass(frozen=True)
class DoctorOptions:
    """`spacediff doctor`."""

    as_json: bool


@dataclass(frozen=True)
class CacheOptions:
    """`spacediff cache`."""

    prune: bool
    everything: bool
    as_json: bool


@dataclass(frozen=True)
class CompletionOptions:
    """`spacediff completion`."""

    shell: str


@dataclass(frozen=True)
class InitOptions:
    """`spacediff init`."""

    folder: Path


@dataclass(frozen=True)
class SchemaOptions:
    """`spacediff schema`."""

    record: bool


Options: TypeAlias = (
    AuditOptions
    | RecordOptions
    | ProbeOptions
    | CompareOptions
    | ReportOptions
    | ApproveOptions
    | ReadOptions
    | WhyOptions
    | CheckOptions
    | DoctorOptions
    | EnvironmentOptions
    | CacheOptions
    | VersionsOptions
    | CompletionOptions
    | InitOptions
    | SchemaOptions
)
