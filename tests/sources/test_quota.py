from __future__ import annotations

import pytest

from spacediff.errors import GpuAborted, GpuDurationTooLong, GpuUnavailable, QuotaExceeded, SpaceFailed
from spacediff.hub.zerogpu import refusal_of, wait_of
from spacediff.sources.quota import QuotaWait
from support.space_requests import RememberingListener


def used_up(wait_seconds: float | None) -> QuotaExceeded:
    error = QuotaExceeded("the quota is used up")
    error.wait_seconds = wait_seconds
    return error


class Space:
    """Refuses with some errors, and then gives a clip."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "clip"


def test_a_quota_whose_renewal_is_named_is_waited_for() -> None:
    space, listener = Space(used_up(0.1), used_up(0.1)), RememberingListener()
    assert QuotaWait(1.0, margin=0.0).kept(space, listener) == "clip"
    assert space.asked == 3
    assert listener.texts == ["waiting for the GPU quota: 0:00:00 left"] * 2


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(0.0, used_up(0.1)), (10.0, used_up(60.0)), (10.0, used_up(None)), (10.0, GpuUnavailable("none")),
     (100.0, SpaceFailed("out of memory")), (100.0, GpuAborted("ended"))],
)  # fmt: skip
def test_nothing_else_is_waited_for(seconds: float, error: Exception) -> None:
    space = Space(error)
    with pytest.raises(type(error)):
        QuotaWait(seconds, margin=0.0).kept(space, RememberingListener())
    assert space.asked == 1


def test_all_waits_together_are_limited() -> None:
    space = Space(*(used_up(0.1) for _ in range(9)))
    with pytest.raises(QuotaExceeded):
        QuotaWait(0.25, margin=0.0).kept(space, RememberingListener())
    assert space.asked == 3


@pytest.mark.parametrize(
    ("text", "error", "wait"),
    [
        ("You have exceeded your free ZeroGPU quota (120s requested vs. 3s left). Try again in 1:02:03. Subscribe",
         QuotaExceeded, 3723.0),
        ("You have exceeded your GPU quota (60s requested vs. 0s left). Try again in 1 day, 0:00:10",
         QuotaExceeded, 86_410.0),
        ("You have exceeded your ZeroGPU runs limit. ", QuotaExceeded, None),
        ("Space app has reached its GPU limit. Try re-running outside of examples", QuotaExceeded, None),
        ("You have too many ZeroGPU credits allocated to running tasks.", QuotaExceeded, None),
        ("The requested GPU duration (300s) is larger than the maximum allowedSubscribe", GpuDurationTooLong, None),
        ("No GPU was available after 60s. Retry later", GpuUnavailable, None),
        ("No GPU is currently available for you after 60s", GpuUnavailable, None),
        ("GPU task aborted", GpuAborted, None),
    ],
)  # fmt: skip
def test_the_texts_of_zerogpu_are_told_apart(text: str, error: type[Exception], wait: float | None) -> None:
    refusal = refusal_of(text)
    assert refusal is not None
    assert refusal.error is error
    assert wait_of(text) == wait


@pytest.mark.parametrize("text", ["CUDA out of memory", "You have exceeded your patience", "the GPU is available"])
def test_other_texts_are_not_those_of_zerogpu(text: str) -> None:
    assert refusal_of(text) is None
