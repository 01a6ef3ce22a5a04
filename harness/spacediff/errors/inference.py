"""APIs: an inference provider, or an address that serves a model, gives no clip."""

from __future__ import annotations

from spacediff.errors.base import NotMeasuredError


class ApiUnavailable(NotMeasuredError):
    """An API that gives no clip; base class of the errors of APIs."""

    code = "api-unavailable"


class ApiRefused(ApiUnavailable):
    """An API that wants another token, or does not serve this model for this task."""

    code = "api-refused"


class ApiQuotaExceeded(ApiUnavailable):
    """An API whose credits are used up."""

    code = "api-quota-exceeded"


class ApiBusy(ApiUnavailable):
    """An API that limits the rate of requests, or whose model is not loaded yet."""

    code = "api-busy"


class ApiTimedOut(ApiUnavailable):
    """An API that gave no clip before the deadline."""

    code = "api-timed-out"


class ApiOutputUnusable(ApiUnavailable):
    """An answer of an API that is no clip that can be decoded, or is too large."""

    code = "api-output-unusable"
