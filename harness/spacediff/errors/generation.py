"""Local generations: what this machine, its libraries or the checkpoint cannot do."""

from __future__ import annotations

from spacediff.errors.base import Exit, NotMeasuredError, SpacediffError


class DiskFull(SpacediffError):
    """A disk or a quota that is full: it ends an audit, since no further run could be kept."""

    code = "disk-full"
    exit_code = Exit.NOT_MEASURED


class MachineTooSmall(SpacediffError):
    """A machine whose memory or disk certainly cannot hold what an audit is about to generate."""

    code = "machine-too-small"
    exit_code = Exit.NOT_MEASURED


class CheckpointUnavailable(NotMeasuredError):
    """A checkpoint that is missing, cannot be downloaded, or does not load."""

    code = "checkpoint-unavailable"


class DeviceUnavailable(NotMeasuredError):
    """A device or a placement that this machine does not have."""

    code = "device-unavailable"


class EnvironmentUnavailable(NotMeasuredError):
    """An environment with other versions that cannot be resolved or built here."""

    code = "environment-unavailable"


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


class TransferFailed(NotMeasuredError):
    """A file of a run that did not arrive as it was sent, or for which a cluster's object store has no room."""

    code = "transfer-failed"


class ClusterUnavailable(SpacediffError):
    """A cluster that cannot be reached or started, or whose machines have another version of spacediff."""

    code = "cluster-unavailable"
    exit_code = Exit.NOT_MEASURED


class DoesNotFit(NotMeasuredError):
    """A generation whose weights alone need more memory than the device or the machine has."""

    code = "does-not-fit"


class UnsupportedSetting(NotMeasuredError):
    """A setting that the installed libraries or the pipeline do not accept."""

    code = "unsupported-setting"


class InputUnusable(NotMeasuredError):
    """An input picture or video that is missing, broken, too large, changed, or not what the pipeline takes."""

    code = "input-unusable"


class PackageUnavailable(NotMeasuredError):
    """A package that a pipeline uses, does not require, and that is not installed."""

    code = "package-unavailable"


class GenerationFailed(NotMeasuredError):
    """A generation that failed, or that returned NaN or infinite values."""

    code = "generation-failed"
