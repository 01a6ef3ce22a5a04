"""What can be known of a Space before the first run, when nothing is generated and no quota is spent.

A morning of GPU time is lost on a scenario whose Space sleeps, has renamed an input, or draws its own seeds. So the
Space is looked at first: whether it runs, whether the request fits what it declares, which of its inputs draw seeds,
and what a call costs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from spacediff.errors import (
    DeadlineExceeded,
    NotMeasuredError,
    SpacediffError,
    SpaceSleeping,
    SpaceStarting,
    WorkerDied,
)
from spacediff.hub.asking import zero_gpu_quota
from spacediff.hub.ids import is_repository_id
from spacediff.hub.space_errors import plain
from spacediff.reading.hub import read_space
from spacediff.reading.model import GpuRequest
from spacediff.record import Fact, FactKind, fact
from spacediff.run import Run
from spacediff.sources.space.asking import look
from spacediff.sources.space.messages import Answered
from spacediff.sources.space.own_seeds import own_seeds
from spacediff.sources.space.request import Api, SpaceRequest

_LONGEST = 30.0
"""Seconds that looking at a Space may take before the first run; the run itself waits longer."""
_LEFT_TO_THE_RUN = (DeadlineExceeded, WorkerDied)
"""What says nothing of the run, which waits longer."""


def known_before(runs: Iterable[Run]) -> list[Fact]:
    """Return what is known of the Spaces of some runs.

    A Space that does not answer in half a minute is left to its run, which says why.

    Args:
        runs: Runs whose source is a Space that has an address.
    """
    requests = {repr(request): request for request in (SpaceRequest(**run.request) for run in runs)}
    found = [each for request in requests.values() for each in _known(request)]
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _known(request: SpaceRequest) -> Iterator[Fact]:
    seconds = min(request.deadline, _LONGEST)
    try:
        answer = look(replace(request, deadline=seconds), time.monotonic() + seconds)
    except NotMeasuredError as error:
        yield from own_seeds(request)
        if not isinstance(error, _LEFT_TO_THE_RUN):
            passing = isinstance(error, SpaceSleeping | SpaceStarting)
            hint = "" if passing else error.hint
            yield fact(FactKind.SPACE_NOT_READY, reason=error.message, hint=hint, waited_for=passing)
        return
    yield from own_seeds(request, Api(answer.inputs, answer.outputs_listed))
    yield from _cost(request, answer)


def _cost(request: SpaceRequest, answer: Answered) -> Iterator[Fact]:
    hardware = answer.hosted.get("hardware", "")
    if "zero" not in hardware:
        return
    quota = zero_gpu_quota()
    yield fact(
        FactKind.SPACE_ON_QUOTA,
        space=plain(request.id),
        hardware=hardware,
        left=quota and quota.left,
        of=quota and quota.of,
        resets_at=quota.resets_at if quota else "",
    )
    for each in _gpu_requests(request.id):
        calls = quota.calls(each.seconds) if quota else None
        yield fact(FactKind.SPACE_GPU_REQUEST, seconds=each.seconds, where=plain(each.where, 100), calls=calls)


def _gpu_requests(space: str) -> tuple[GpuRequest, ...]:
    """Return what the source of a Space asks of ZeroGPU; nothing where it cannot be read."""
    if not is_repository_id(space):
        return ()
    try:
        return read_space(space).gpu_requests
    except SpacediffError:
        return ()
