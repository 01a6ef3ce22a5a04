"""Spaces and the Hub: what is hosted is unavailable, or gives an answer that cannot be used."""

from __future__ import annotations

from spacediff.errors.base import NotMeasuredError


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
    """A GPU quota that is used up.

    Attributes:
        wait_seconds: When the Space says that it is renewed, in seconds from now; None if it does not say.
    """

    code = "quota-exceeded"
    wait_seconds: float | None = None


class GpuDurationTooLong(SpaceUnavailable):
    """A Space that asks ZeroGPU for more seconds than a call may have."""

    code = "gpu-duration-too-long"


class GpuUnavailable(SpaceUnavailable):
    """A ZeroGPU Space that got no GPU in time; the call cost nothing."""

    code = "gpu-unavailable"


class GpuAborted(SpaceUnavailable):
    """A ZeroGPU Space whose work was ended before it was finished."""

    code = "gpu-aborted"


class SpaceApiMismatch(SpaceUnavailable):
    """A Space that does not have the endpoint, the inputs or the outputs that the scenario names."""

    code = "space-api-mismatch"


class SpaceFailed(SpaceUnavailable):
    """A Space that took the job and reported an error."""

    code = "space-failed"


class SpaceOutputUnusable(SpaceUnavailable):
    """An answer of a Space without a video that can be fetched and decoded."""

    code = "space-output-unusable"


class SpaceAnswerTooLarge(SpaceUnavailable):
    """A Space or a Hub whose answer needs more memory than an honest one."""

    code = "space-answer-too-large"


class DeadlineExceeded(SpaceUnavailable):
    """A Space that returned no clip before the deadline."""

    code = "deadline-exceeded"


class HubUnavailable(NotMeasuredError):
    """The Hugging Face Hub is offline, unreachable, or refuses the request."""

    code = "hub-unavailable"
