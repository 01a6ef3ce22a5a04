"""What an audit asks the process that speaks with a Space, and what that answers: one JSON object each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from spacediff.sources.space.overhearing import UsedCache


class _Message(BaseModel):
    # a probe may have seen numbers that are not finite
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Copies(_Message):
    """The files of one input that are uploaded.

    Attributes:
        paths: Their copies.
        listed: Whether the parameter gets a list.
    """

    paths: tuple[str, ...]
    listed: bool


class Ask(_Message):
    """What is asked.

    Attributes:
        kind: `list` only connects and reads the API; `look` also checks the request against it; `fetch` sends the job
            and downloads its clip.
        request: The fields of a `SpaceRequest`, with placeholders.
        seconds: How long it may take.
        prompt: The prompt's text.
        seed: Its seed.
        files: What is uploaded, by the name of the input.
        folder: The folder for the file.
        most_bytes: The largest file.
        private_texts: What is removed from all texts, before they are cut.
    """

    kind: Literal["list", "look", "fetch"]
    request: dict[str, Any]
    seconds: float
    prompt: str = ""
    seed: int = 0
    files: dict[str, Copies] = {}
    folder: str = ""
    most_bytes: int = 0
    private_texts: tuple[str, ...] = ()


class Declared(_Message):
    """An endpoint as the Space declares it.

    Attributes:
        inputs: Its parameters, in order: label, component, type and default.
        outputs: Label and component of each output, in order.
        schema_digest: SHA-256 of what it takes and returns.
    """

    inputs: dict[str, dict[str, Any]]
    outputs: tuple[tuple[str, str], ...]
    schema_digest: str


class Answered(_Message):
    """What was found.

    Attributes:
        kind: Says that this is an answer.
        hosted: What is known about the Space, name to text.
        inputs: The endpoint's parameters as the Space declares them, in order: label, component and default.
        outputs_listed: Its outputs, as text.
        probed: Whether the Space has a probe.
        endpoints: Every endpoint by its name, where they were asked for.
        file: The name of the downloaded file in the folder; empty if none was asked for.
        schema_digest: SHA-256 of what the endpoint takes and returns.
        seed: The seed that the outputs report; None if they report none.
        prompt: The prompt that the outputs report; None if they report none.
        seed_at: The index of the output that reports the seed.
        prompt_at: The index of the output that reports the prompt.
        used_cache: Whether the answer came from a cache of Gradio.
        work_seconds: How long the Space worked, without the queue; None if it did not say when it began.
        recorded: What the probe recorded, as a `RecordedCall`; None if that is unknown.
        recorded_warnings: Why it is unknown, or what of it is.
    """

    kind: Literal["answered"] = "answered"
    hosted: dict[str, str]
    inputs: dict[str, dict[str, Any]]
    outputs_listed: str
    probed: bool
    endpoints: dict[str, Declared] = {}
    file: str = ""
    schema_digest: str = ""
    seed: int | None = None
    prompt: str | None = None
    seed_at: int | None = None
    prompt_at: int | None = None
    used_cache: UsedCache = "unknown"
    work_seconds: float | None = None
    recorded: dict[str, Any] | None = None
    recorded_warnings: tuple[str, ...] = ()


class Failed(_Message):
    """Why there is no answer.

    Attributes:
        kind: Says that this is a failure.
        code: The code of the error.
        message: What happened.
        hint: What to do about it.
        wait_seconds: When a quota is renewed, in seconds from now; None if nobody says.
    """

    kind: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str
    wait_seconds: float | None = None
