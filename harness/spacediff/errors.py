"""The errors of spacediff, as classes that a caller can catch.

Every expected failure is a `SpacediffError`. It has a message (what happened, where), a hint (what to do), an exit code
and a stable `code` such as `space-sleeping`, which the terminal, the record and docs/errors.md share. There is a class
for each failure to which a caller would react differently: wait, sign in, choose another device, fix a file.
"""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

from spacediff.privacy.redaction import redact_text


class Exit(IntEnum):
    """Exit codes of the command."""

    GATE_PASSED = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INTERNAL = 70
    INTERRUPTED = 130


class SpacediffError(Exception):
    """An expected failure: base of all errors that spacediff raises on purpose.

    Args:
        message: What happened, in one or two sentences.
        hint: What to do about it; may be empty.

    Attributes:
        code: Stable name of the failure, in kebab case.
        exit_code: What the command exits with.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[Exit] = Exit.BAD_INPUT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# ---- wrong input: exit code 2


class InvalidArgument(SpacediffError):
    """Options or arguments that do not go together."""

    code = "invalid-argument"


class UnknownName(SpacediffError):
    """A variant or a run that the scenario or the audit does not have."""

    code = "unknown-name"


class MissingPackage(SpacediffError):
    """A metric that was asked for needs a package that is not installed."""

    code = "missing-package"


class SourceNotReadable(SpacediffError):
    """A script, folder or Space in which no pipeline call can be read."""

    code = "source-not-readable"


class CallNotFound(SourceNotReadable):
    """A line at which a source calls no pipeline."""

    code = "call-not-found"


class BlockNotChosen(SourceNotReadable):
    """A Markdown file with several scripts of which none was chosen, or no script in the chosen block."""

    code = "block-not-chosen"


class FileExists(SpacediffError):
    """A file that would be overwritten."""

    code = "file-exists"


class FileNotAccessible(SpacediffError):
    """A file that cannot be read or written."""

    code = "file-not-accessible"


class FolderInUse(SpacediffError):
    """An audit folder into which another audit is writing."""

    code = "folder-in-use"


class FolderOfAnotherAudit(SpacediffError):
    """An audit folder that holds the audit of another scenario or of other files."""

    code = "folder-of-another-audit"


class RecordError(SpacediffError):
    """A record that cannot be read: broken, or written by another version of spacediff."""

    code = "record-not-readable"


class NotAnAuditFolder(RecordError):
    """A folder without an `audit.json` that can be opened."""

    code = "not-an-audit-folder"


class NotAcceptable(SpacediffError):
    """An audit that cannot become the accepted state of a scenario."""

    code = "not-acceptable"


class NothingToShow(SpacediffError):
    """A report for which the audit folder lacks the clips."""

    code = "nothing-to-show"


@dataclass(frozen=True)
class Mistake:
    """One mistake in a scenario file.

    Attributes:
        line: 1-based line in the file; 0 if it is unknown.
        key: Dotted key, such as `variants.dpm.scheduler.class`.
        found: What the file contains there, shortened.
        expected: What is expected there.
        nearest: The nearest known name, or empty.
    """

    line: int
    key: str
    found: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        nearest = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        where = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}found {self.found}; expected {self.expected}{nearest}"


class ScenarioError(SpacediffError):
    """A scenario file with mistakes; the error lists all of them.

    Attributes:
        path: The scenario file.
        mistakes: The mistakes, in the order of their lines.
    """

    code = "scenario-invalid"

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.line, m.key)))
        places = "\n".join(f"  {path}:{m.line or 1}: {str(m).removeprefix(f'line {m.line}: ')}" for m in self.mistakes)
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(
            f"{path.name}: {count}\n{places}", hint="`spacediff schema` prints the keys that a scenario can have"
        )

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[Path, tuple[Mistake, ...]]]:
        return type(self), (self.path, self.mistakes)


class ScenarioApproximate(SpacediffError):
    """A scenario that leaves out what its script does, which nobody has accepted.

    Attributes:
        path: The scenario file.
        approximations: What it leaves out, one sentence each.
    """

    code = "scenario-approximate"

    def __init__(self, path: Path, approximations: Iterable[str]) -> None:
        self.path = path
        self.approximations = tuple(approximations)
        count = "1 thing" if len(self.approximations) == 1 else f"{len(self.approximations)} things"
        lines = "\n".join(f"  {each}" for each in self.approximations)
        super().__init__(
            f"{path.name} is not the script: it leaves out {count}\n{lines}",
            hint="say it in the scenario and remove its entry from [[approximations]], or accept that the scenario is "
            "an approximation",
        )

    def __reduce__(self) -> tuple[type[ScenarioApproximate], tuple[Path, tuple[str, ...]]]:
        return type(self), (self.path, self.approximations)


# ---- this machine: exit code 3


class DiskFull(SpacediffError):
    """A disk or a quota that is full: it ends an audit, since no further run could be kept."""

    code = "disk-full"
    exit_code = Exit.NOT_MEASURED


# ---- not measured: exit code 3


class NotMeasuredError(SpacediffError):
    """Something that was asked for is unavailable here; the record keeps the reason and the code."""

    code = "not-measured"
    exit_code = Exit.NOT_MEASURED


class SpaceUnavailable(NotMeasuredError):
    """A Space that returns no clip; base class of the errors of Spaces."""

    code = "space-unavailable"


class SpaceNotFound(SpaceUnavailable):
    """A Space that is not on the Hub, or is private."""

    code = "space-not-found"


class SpaceSleeping(SpaceUnavailable):
    """A Space that is asleep and wakes when its page is opened."""

    code = "space-sleeping"


class SpaceStarting(SpaceUnavailable):
    """A Space that is being built or is starting."""

    code = "space-starting"


class SpacePaused(SpaceUnavailable):
    """A Space that its owner has paused or stopped."""

    code = "space-paused"


class SpaceBroken(SpaceUnavailable):
    """A Space whose app does not run: its build failed, it crashed, or it has no app."""

    code = "space-broken"


class SpaceSourceUnavailable(SpaceUnavailable):
    """A Space without a Python app file that can be read."""

    code = "space-source-unavailable"


class SpaceUnreachable(SpaceUnavailable):
    """A Space that does not answer, or whose connection broke."""

    code = "space-unreachable"


class SpaceBusy(SpaceUnavailable):
    """A Space whose queue is full, or that limits the rate of requests."""

    code = "space-busy"


class SpaceNeedsLogin(SpaceUnavailable):
    """A Space that requires a login to the app."""

    code = "space-needs-login"


class QuotaExceeded(SpaceUnavailable):
    """A GPU quota that is used up."""

    code = "quota-exceeded"


class SpaceApiMismatch(SpaceUnavailable):
    """A Space that does not have the endpoint, the inputs or the outputs that the scenario names."""

    code = "space-api-mismatch"


class SpaceFailed(SpaceUnavailable):
    """A Space that took the job and reported an error."""

    code = "space-failed"


class SpaceOutputUnusable(SpaceUnavailable):
    """An answer of a Space without a video that can be fetched and decoded."""

    code = "space-output-unusable"


class DeadlineExceeded(SpaceUnavailable):
    """A Space that returned no clip before the deadline."""

    code = "deadline-exceeded"


class HubUnavailable(NotMeasuredError):
    """The Hugging Face Hub is offline, unreachable, or refuses the request."""

    code = "hub-unavailable"


class CheckpointUnavailable(NotMeasuredError):
    """A checkpoint that is missing, cannot be downloaded, or does not load."""

    code = "checkpoint-unavailable"


class DeviceUnavailable(NotMeasuredError):
    """A device or a placement that this machine does not have."""

    code = "device-unavailable"


class OutOfMemory(NotMeasuredError):
    """A generation that needs more memory than this machine has.

    Args:
        message: What happened.
        hint: What to do about it; may be empty.
        host: Whether the machine's own memory ran out, and not that of its accelerator.
    """

    code = "out-of-memory"

    def __init__(self, message: str, *, hint: str = "", host: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.host = host


class DecodingOutOfMemory(OutOfMemory):
    """A decoding that needs more memory than this machine has; the denoised latents are kept for the next attempt."""

    code = "decoding-out-of-memory"


class WorkerDied(NotMeasuredError):
    """A run whose worker process was killed or crashed twice."""

    code = "worker-died"


class DoesNotFit(NotMeasuredError):
    """A generation whose weights alone need more memory than the device or the machine has."""

    code = "does-not-fit"


class UnsupportedSetting(NotMeasuredError):
    """A setting that the installed libraries or the pipeline do not accept."""

    code = "unsupported-setting"


class GenerationFailed(NotMeasuredError):
    """A generation that failed, or that returned NaN or infinite values."""

    code = "generation-failed"


class ReferenceMissing(NotMeasuredError):
    """A run that was skipped because the clip to compare it with is unavailable."""

    code = "reference-missing"


class VideoNotReadable(NotMeasuredError):
    """A video file that is missing, broken, or too large to decode."""

    code = "video-not-readable"
    exit_code = Exit.BAD_INPUT  # it ends a command only if the file was an argument of it


class EncodingFailed(NotMeasuredError):
    """A clip that could not be encoded."""

    code = "encoding-failed"


class NotComparable(NotMeasuredError):
    """Clips or latents of different sizes."""

    code = "not-comparable"


class LatentsNotReadable(NotMeasuredError):
    """Kept latents of an audit that are missing or damaged."""

    code = "latents-not-readable"


class MetricUnavailable(NotMeasuredError):
    """A metric that cannot be computed on these frames, or whose weights are missing."""

    code = "metric-unavailable"


def error_classes() -> Iterator[type[SpacediffError]]:
    """Yield every class of expected failure, base classes first."""
    found: list[type[SpacediffError]] = [SpacediffError]
    for each in found:
        yield each
        found += each.__subclasses__()


def error_from_record(code: str, message: str, hint: str = "") -> NotMeasuredError:
    """Create the error that a record contains as code, reason and hint.

    An unknown code, or no code as in old records, gives a plain `NotMeasuredError`.
    """
    kinds = {each.code: each for each in error_classes() if issubclass(each, NotMeasuredError)}
    return kinds.get(code, NotMeasuredError)(message, hint=hint)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or torch means that memory ran out, on the accelerator or on the machine."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"OutOfMemoryError", "MemoryError"}) or "can't allocate memory" in str(error)


def raise_if_disk_full(error: BaseException) -> None:
    """Raise `DiskFull` if an error means that a disk or a quota is full; it may be the cause of the error.

    Raises:
        DiskFull: The system refused to write for lack of space.
    """
    if full := disk_full(error):
        raise full from error


def disk_full(error: BaseException) -> DiskFull | None:
    """Return the error of a full disk or quota that an error is, or has as its cause; None if there is none."""
    for each in causes_of(error):
        if isinstance(each, DiskFull):
            return each
        if isinstance(each, Exception) and _says_full(each):
            return DiskFull(
                f"the disk is full: {failure(each)}",
                hint="free some space, then run the same command again: finished runs are kept",
            )
    return None


def _says_full(error: Exception) -> bool:
    """Whether an error of the system, of a program or of safetensors is that of a full disk."""
    if isinstance(error, OSError):  # a program such as ffmpeg has only the system's words for it
        return error.errno in _FULL or any(os.strerror(number) in str(error) for number in _FULL)
    # safetensors' writer is no OSError and has the number as Rust prints it
    return type(error).__name__ == "SafetensorError" and any(f"(os error {number})" in str(error) for number in _FULL)


_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The system's errors for a full disk and for a used-up quota; Windows has no number for the second."""


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its cause, the cause of that, and so on."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        yield current
        seen.append(current)
        current = current.__cause__ or current.__context__


def failure(error: Exception) -> str:
    """Describe an exception in one line: its type and the first line of its message, at most 300 characters.

    The text is redacted before it is cut, since a part of a secret would not be recognised.
    """
    lines = [line.strip() for line in redact_text(str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no message'])[0]}"[:300]


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most similar to a misspelt one, or an empty string."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")
