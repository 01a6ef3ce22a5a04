"""Everything that a Space and the Hub do wrong in the tests, and what comes of it: the table of docs/faults.md."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from spacediff.errors import NotMeasuredError
from spacediff.progress import SilentListener
from spacediff.sources.space import SpaceRequest, fetch
from spacediff.sources.space.asking import look
from support import faulty_space as ways
from support.faulty_space import FaultySpace, Way, refusing

QUOTA = "You have exceeded your free ZeroGPU quota (120s requested vs. 3s left). Try again in 1:02:03. "


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: What the Space or the Hub does.
        code: Code of the error; empty if the clip is fetched nevertheless.
        place: Where, a place of `faulty_space`.
        way: How; None where the answers differ only in `messages` or `stages`.
        messages: What the event stream says.
        stages: What the Hub says of the state, one a look-up.
        retried: Whether the place is asked again.
        deadline: Seconds.
        by_id: Whether the Space is named by its id, so that the Hub is asked.
        quick: Whether it is tested in the fast lane.
    """

    name: str
    code: str
    place: str = ""
    way: Way | None = None
    messages: tuple[dict[str, Any], ...] | None = None
    stages: tuple[str, ...] = ("RUNNING",)
    retried: bool = False
    deadline: float = 1.0
    by_id: bool = False
    quick: bool = False


LATE, LARGE, BROKEN, LOST = "deadline-exceeded", "space-answer-too-large", "space-unavailable", "space-unreachable"
UNUSABLE, HUB = "space-output-unusable", "hub-unavailable"
_WHERE = {
    "config": "`/config`",
    "info": "the API page",
    "join": "the answer to the job",
    "stream": "the event stream",
    "file": "the clip",
    "hub": "the Hub's answer",
}
_PATIENT = 20.0
"""Seconds of a deadline that only a hanging process reaches."""


def _everywhere() -> Iterator[Fault]:
    """Yield what can go wrong with the bytes of every answer."""
    for place, where in _WHERE.items():
        free = place in {"config", "info", "file", "hub"}  # what costs the Space nothing is asked for again
        of: dict[str, Any] = {"place": place, "by_id": place == "hub"}
        quick = place == "info"
        yield Fault(f"{where} comes one byte at a time", LATE, way=ways.dripped, quick=quick, **of)
        yield Fault(f"a header of {where} comes one byte at a time", LATE, way=ways.dripped_headers, **of)
        yield Fault(f"{where} never comes", LATE, way=ways.silent, **of)
        yield Fault(f"{where} stops in its middle", LATE, way=ways.stalled, **of)
        if place != "file":
            large: dict[str, Any] = {"deadline": _PATIENT, **of}
            if place != "stream":  # gradio_client looks for the end of an event so slowly that the deadline comes first
                yield Fault(f"{where} has no end", LARGE, way=ways.endless, quick=place == "config", **large)
            yield Fault(f"{where} unpacks to gigabytes (gzip)", LARGE, way=ways.gzip_bomb, **large)
            yield Fault(f"{where} unpacks to a gigabyte (brotli)", LARGE, way=ways.brotli_bomb, **large)
        patient: dict[str, Any] = {"deadline": _PATIENT, "retried": free, **of}
        lost = HUB if place == "hub" else LOST
        yield Fault(f"the connection breaks before {where}", lost, way=ways.reset, **patient)
        yield Fault(f"{where} ends in its middle", lost, way=ways.halved, **patient)
        if place != "join":  # to gradio_client this says that the queue is full
            refused = BROKEN if place == "info" else lost
            yield Fault(f"{where} is refused with HTTP 503", refused, way=ways.status(503), **patient)
        if free:
            again = ways.once(ways.status(503, Retry_After="1"))
            yield Fault(f"{where} is refused once, with `Retry-After`", "", way=again, **patient)


def _others() -> Iterator[Fault]:
    patient: dict[str, Any] = {"deadline": _PATIENT}
    for name, body in (("a page of HTML", b"<html>"), ("an empty list", b"[]"), ("nested too deeply", b"[" * 10**6)):
        for place in ("config", "info", "join"):
            yield Fault(f"{_WHERE[place]} is {name}", BROKEN, place, ways.sending(body), **patient)
    yield Fault("`/config` asks for a login", "space-needs-login", "config", ways.status(401), **patient)
    yield Fault("`/config` redirects to itself", BROKEN, "config", ways.redirected, **patient)
    yield Fault("`/config` limits the rate", "space-busy", "config", ways.status(429), retried=True, **patient)
    yield Fault("the queue is full", "space-busy", "join", ways.status(503), **patient)
    yield Fault("heartbeats keep the event stream alive", LATE, "stream", ways.heartbeats, quick=True)
    yield Fault("an event has no end", LATE, "stream", ways.endless)
    yield Fault("the job stays next in the queue", LATE, "stream", ways.estimates)
    yield Fault("the download is refused", UNUSABLE, "file", ways.status(403), **patient)
    yield Fault("the clip is larger than allowed", UNUSABLE, "file", ways.endless, **patient)
    yield Fault("the clip is a page of HTML", UNUSABLE, "file", ways.sending(b"<html>"), **patient)
    for name, text, code in (
        ("the quota is used up", QUOTA, "quota-exceeded"),
        ("the Space's own quota is used up", "Space app has reached its GPU limit. Try re-running", "quota-exceeded"),
        ("the call is too long", "The requested GPU duration (300s) is larger than the maximum allowed",
         "gpu-duration-too-long"),
        ("no GPU is free", "No GPU was available after 60s. Retry later", "gpu-unavailable"),
        ("the task is ended", "GPU task aborted", "gpu-aborted"),
    ):  # fmt: skip
        yield Fault(f"ZeroGPU: {name}", code, messages=tuple(refusing(text)), **patient)
    yield Fault("the app fails", "space-failed", messages=tuple(refusing("CUDA error")), **patient)
    yield Fault("the app fails without a text", "space-failed", messages=tuple(refusing("")), **patient)
    empty = (ways.completed({"data": [None, None]}),)
    yield Fault("the job gives nothing", UNUSABLE, messages=empty, **patient)
    elsewhere = (ways.completed({"data": [{"path": "http://10.255.255.1/clip.mp4"}, 42]}),)
    yield Fault("the clip is on another server", UNUSABLE, messages=elsewhere, **patient)
    of: dict[str, Any] = {"by_id": True, **patient}
    yield Fault("the Space sleeps, and wakes", "", stages=("SLEEPING", "APP_STARTING", "RUNNING"), retried=True, **of)
    yield Fault("the Space sleeps on", "space-sleeping", stages=("SLEEPING",), retried=True, by_id=True, deadline=8.0)
    yield Fault("the Space builds on", "space-starting", stages=("BUILDING",), retried=True, by_id=True, deadline=8.0)
    yield Fault(
        "the Space starts on", "space-starting", stages=("APP_STARTING",), retried=True, by_id=True, deadline=8.0
    )
    yield Fault("the Space crashes as it wakes", "space-broken", stages=("SLEEPING", "RUNTIME_ERROR"), retried=True,
                **of)  # fmt: skip
    yield Fault("the Space is paused", "space-paused", stages=("PAUSED",), **of)
    building = ("RUNNING", "BUILDING", "BUILDING", "RUNNING")
    yield Fault("the Space is rebuilt while it is connected to", "", "config", ways.once(ways.status(404), 2),
                stages=building, retried=True, **of)  # fmt: skip


FAULTS = tuple({each.name: each for each in (*_everywhere(), *_others())}.values())


@dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    Attributes:
        code: Code of the error; empty if the clip was fetched.
        message: Its message.
        seconds: How long it took.
        again: Whether the place was asked again.
        jobs: How often the job was sent.
        memory: Bytes by which this process and its children grew together at most.
    """

    code: str
    message: str
    seconds: float
    again: bool
    jobs: int
    memory: int


def show(fault: Fault, space: FaultySpace) -> None:
    """Let a Space fail from now on as a fault says."""
    space.fails(fault.place, fault.way)
    space.messages = None if fault.messages is None else list(fault.messages)
    space.stages = list(fault.stages)


def outcome_of(fault: Fault, space: FaultySpace, folder: Path) -> Outcome:
    """Let a Space fail, and see what comes of it. `HF_ENDPOINT` is that of the Space."""
    request = SpaceRequest(
        "org/faulty" if fault.by_id else space.url,
        "/generate",
        {"prompt": "{prompt}", "seed": "{seed}"},
        {"video": 0, "seed": 1},
        deadline=fault.deadline,
    )
    space.fails()
    look(request, time.monotonic() + 60)  # so that the deadline is not spent on starting a process
    show(fault, space)
    code = message = ""
    with _measured() as peak:
        began = time.monotonic()
        try:
            fetch(request, "a lemon", 42, folder, SilentListener())
        except NotMeasuredError as error:
            code, message = error.code, error.message
        seconds = time.monotonic() - began
    counted = "hub" if fault.stages != ("RUNNING",) and not fault.place else fault.place
    honest = 2 if counted == "config" else 1  # its status is looked at before it is read
    return Outcome(code, message, seconds, space.asked[counted] > honest, space.asked["join"], peak.bytes)


@dataclass
class _Peak:
    bytes: int = 0
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _measured() -> Iterator[_Peak]:
    peak, before = _Peak(), _memory()

    def look_often() -> None:
        while not peak.done.wait(0.02):
            peak.bytes = max(peak.bytes, _memory() - before)

    thread = threading.Thread(target=look_often)
    thread.start()
    try:
        yield peak
    finally:
        peak.done.set()
        thread.join()


def _memory() -> int:
    total = 0
    own = psutil.Process(os.getpid())
    for each in (own, *own.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.Error:
            continue
    return total
