"""The messages between an audit and a worker process: one JSON object per line, in both directions.

The audit sends `Begin` once, then requests. The worker answers `Begin` with `Ready`, and each `Check` and `Produce`
with `Done`, `Produced` or `Failed`, after any number of `Status` and `Step`. Clips and traces travel as files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from spacediff.inputs.files import Input
from spacediff.record import Role
from spacediff.run import Prompt, Run, Stop
from spacediff.settings import Origin, Setting, Settings

PROTOCOL = 4
"""Version of these messages; both sides must have the same."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlainRun(_Message):
    """A run as plain data; a setting is its value, its origin and where it comes from."""

    name: str
    role: Role
    prompt: tuple[str, str, int, bool]
    inputs: tuple[Input, ...]
    source: Literal["diffusers", "script", "space", "video", "recording", "command", "inference"]
    settings: dict[str, tuple[Any, Origin, str]]
    changes: dict[str, tuple[Any, Origin, str]]
    request: dict[str, Any]
    repeat: int
    fed_by: dict[str, tuple[Any, Origin, str]] | None
    fed_from: str
    against: str
    stop: Stop | None
    is_target: bool
    anyway: bool

    @classmethod
    def of(cls, run: Run) -> PlainRun:
        """Describe a run."""
        return cls(
            name=run.name,
            role=run.role,
            prompt=(run.prompt.name, run.prompt.text, run.prompt.seed, run.prompt.private),
            inputs=run.prompt.inputs,
            source=run.source,
            settings=_plain(run.settings),
            changes=_plain(run.changes),
            request=dict(run.request),
            repeat=run.repeat,
            fed_by=None if run.fed_by is None else _plain(run.fed_by),
            fed_from=run.fed_from,
            against=run.against,
            stop=run.stop,
            is_target=run.is_target,
            anyway=run.anyway,
        )

    def run(self) -> Run:
        """Return the run."""
        return Run(
            name=self.name,
            role=self.role,
            prompt=Prompt(*self.prompt, inputs=self.inputs),
            source=self.source,
            settings=_settings(self.settings),
            changes=_settings(self.changes),
            request=self.request,
            repeat=self.repeat,
            fed_by=None if self.fed_by is None else _settings(self.fed_by),
            fed_from=self.fed_from,
            against=self.against,
            stop=self.stop,
            is_target=self.is_target,
            anyway=self.anyway,
        )


def _plain(settings: Settings) -> dict[str, tuple[Any, Origin, str]]:
    return {path: (setting.value, setting.origin, setting.where) for path, setting in settings.items()}


def _settings(plain: Mapping[str, tuple[Any, Origin, str]]) -> Settings:
    return Settings({path: Setting(*setting) for path, setting in plain.items()})


class Begin(_Message):
    """The first message to a worker.

    Attributes:
        protocol: The version of the messages.
        reuse: Whether a run reuses the results of an earlier one.
        keep_latents: Whether the latents of each step are kept.
        ends: Folder for the ends of denoisings.
    """

    kind: Literal["begin"] = "begin"
    protocol: int = PROTOCOL
    reuse: bool
    keep_latents: bool
    ends: str


class Prepare(_Message):
    """Load what a run will need; there is no answer."""

    kind: Literal["prepare"] = "prepare"
    run: PlainRun


class Check(_Message):
    """Check whether this machine can produce a run."""

    kind: Literal["check"] = "check"
    run: PlainRun


class Produce(_Message):
    """Produce a run, and write its files into a folder."""

    kind: Literal["produce"] = "produce"
    run: PlainRun
    key: str
    folder: str


class Memory(_Message):
    """The memory that a worker uses, in bytes.

    Attributes:
        device: Allocated on accelerators.
        host: Resident in the process.
    """

    device: int
    host: int


class Ready(_Message):
    """The worker can take requests.

    Attributes:
        protocol: The version of the messages.
        environment: The versions and devices of the worker's machine.
    """

    kind: Literal["ready"] = "ready"
    protocol: int
    environment: dict[str, str]


class Status(_Message):
    """What the worker does."""

    kind: Literal["status"] = "status"
    text: str


class Step(_Message):
    """How many denoising steps are done."""

    kind: Literal["step"] = "step"
    done: int
    total: int


class Done(_Message):
    """The check passed."""

    kind: Literal["done"] = "done"


class Produced(_Message):
    """A run was produced.

    Attributes:
        record: Its `RunRecord`.
        memory: Memory in use afterwards.
    """

    kind: Literal["produced"] = "produced"
    record: dict[str, Any]
    memory: Memory


class Failed(_Message):
    """A request failed.

    Attributes:
        code: The code of the error.
        message: What happened.
        hint: What to do about it.
        sound: Whether the worker can go on; a device that reported an error may answer wrongly from then on.
        memory: Memory in use afterwards; None where the worker cannot go on.
    """

    kind: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str
    sound: bool
    memory: Memory | None = None


Request = Begin | Prepare | Check | Produce
Answer = Ready | Status | Step | Done | Produced | Failed

_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def line_of(message: Request | Answer) -> bytes:
    """Return a message as one line of JSON."""
    return json.dumps(message.model_dump(mode="json")).encode() + b"\n"


def request_from(line: bytes) -> Request:
    """Read a request.

    Raises:
        ValueError: The line is not one.
    """
    return _REQUEST.validate_json(line)


def answer_from(line: bytes) -> Answer:
    """Read an answer.

    Raises:
        ValueError: The line is not one.
    """
    return _ANSWER.validate_json(line)
