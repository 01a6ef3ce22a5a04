"""Ask a Space through a process of its own, which ends with the deadline, and take nothing of its answer on trust."""

from __future__ import annotations

import math
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spacediff.errors import (
    DeadlineExceeded,
    DiskFull,
    NotMeasuredError,
    QuotaExceeded,
    SpaceAnswerTooLarge,
    SpaceOutputUnusable,
    WorkerDied,
    error_from_record,
)
from spacediff.files import remove_file
from spacediff.hub.partners import Partner
from spacediff.hub.space_errors import plain
from spacediff.privacy.private_prompts import private_texts
from spacediff.progress import Progress
from spacediff.scenario.tables.reference import RESULTS
from spacediff.sources.space.answers import MAX_BYTES, PART
from spacediff.sources.space.messages import Answered, Ask, Copies, Failed
from spacediff.sources.space.request import SpaceRequest

_MODULE = "spacediff.sources.space.conversation"
_SILENCE_SECONDS = 130.0
"""Seconds without news while a Space describes itself: more than the longest `Retry-After` and the request after it."""


def listed(space: str, deadline: float, progress: Progress) -> Answered:
    """Connect to a Space, wake it where it sleeps, and read all its endpoints; nothing is generated.

    Args:
        space: Its id, or the address of an app.
        deadline: Seconds.
        progress: Receives what is waited for.

    Raises:
        NotMeasuredError: The Space does not answer.
    """
    request = SpaceRequest(space, "/", {}, {RESULTS[0]: 0}, deadline)
    asked = Ask(kind="list", request=asdict(request), seconds=deadline, private_texts=private_texts())
    return _answer(asked, time.monotonic() + deadline, _describing(request), progress)


def look(request: SpaceRequest, ends: float) -> Answered:
    """Connect to a Space and read its API; nothing is generated.

    Args:
        request: The request that it is checked against.
        ends: When the answer must be here, on the monotonic clock.

    Raises:
        NotMeasuredError: The Space does not answer, or not as the request needs it.
    """
    asked = Ask(kind="look", request=asdict(request), seconds=ends - time.monotonic(), private_texts=private_texts())
    return _answer(asked, ends, _describing(request), None)


def generate(
    request: SpaceRequest,
    ends: float,
    progress: Progress,
    *,
    prompt: str,
    seed: int,
    files: Mapping[str, Copies],
    folder: Path,
) -> tuple[Answered, Path]:
    """Make a Space generate a clip, and download its file.

    Args:
        request: The request, with placeholders.
        ends: When everything must be here, on the monotonic clock.
        progress: Receives the state of the job.
        prompt: The prompt's text.
        seed: Its seed.
        files: What is uploaded, by the name of the input.
        folder: The folder for the file.

    Returns:
        The answer, and the file.

    Raises:
        NotMeasuredError: There is no clip; the message says why.
        DiskFull: There is no space for it.
    """
    asked = Ask(
        kind="fetch",
        request=asdict(request),
        seconds=ends - time.monotonic(),
        prompt=prompt,
        seed=seed,
        files=dict(files),
        folder=str(folder),
        most_bytes=MAX_BYTES,
        private_texts=private_texts(),
    )
    try:
        answer = _answer(asked, ends, _generating(request), progress)
    finally:
        remove_file(folder / PART)  # a process that was ended leaves it
    return answer, _file_of(answer, folder)


def _generating(request: SpaceRequest) -> Partner:
    def overdue(last: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"the Space returned no result within {request.deadline:g} s, queue included{last}",
            hint="set a longer deadline, or run the same command again when the queue is shorter",
        )

    return _partner(request, overdue)


def _describing(request: SpaceRequest) -> Partner:
    began = time.monotonic()

    def overdue(last: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"Space {plain(request.id)} did not describe itself within {time.monotonic() - began:.0f} s{last}",
            hint=f"run the same command again later, or {_OPEN_IT}",
        )

    return _partner(request, overdue, most_silence=_SILENCE_SECONDS)


_OPEN_IT = "open it in a browser: does a Gradio app run there?"


def _partner(
    request: SpaceRequest, overdue: Callable[[str], DeadlineExceeded], most_silence: float = math.inf
) -> Partner:
    return Partner(
        _MODULE,
        f"Space {plain(request.id)}",
        overdue,
        overgrown=SpaceAnswerTooLarge,
        ended=WorkerDied,
        look_at=_OPEN_IT,
        most_silence=most_silence,
    )


def _answer(asked: Ask, ends: float, space: Partner, progress: Progress | None) -> Answered:
    return _valid(space.answer(asked.model_dump(mode="json"), ends, progress), space)


def _valid(found: Mapping[str, Any], space: Partner) -> Answered:
    try:
        if found.get("kind") != "failed":
            return Answered.model_validate(found)
        failed = Failed.model_validate(found)
    except ValidationError as error:
        raise space.misunderstood() from error
    if failed.code == DiskFull.code:
        raise DiskFull(failed.message, hint=failed.hint)
    raised: NotMeasuredError = error_from_record(failed.code, failed.message, failed.hint)
    if isinstance(raised, QuotaExceeded):
        raised.wait_seconds = failed.wait_seconds
    raise raised


def _file_of(answer: Answered, folder: Path) -> Path:
    """Return the downloaded file, which must be a plain one in the folder."""
    file = folder / Path(answer.file).name
    if not answer.file or not stat.S_ISREG(file.lstat().st_mode):
        raise SpaceOutputUnusable("the Space gave no file")
    return file
