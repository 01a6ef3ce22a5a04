"""What a check of a Space finds: one answer for each question, with the number of calls that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from spacediff.errors import Exit
from spacediff.privacy.redaction import redact
from spacediff.record import Fact
from spacediff.wording import sentence


class Question(StrEnum):
    """What is asked of a Space, in the order in which it is shown."""

    REPEATS = "repeats itself"
    CACHE = "cache"
    SEED = "seed"
    RANDOMISED = "randomising switch"
    GUIDANCE = "guidance"
    STEPS = "steps"
    PROMPT = "prompt"
    OUTPUTS = "outputs"
    COST = "cost"


class Standing(StrEnum):
    """What an answer means for whoever wants to compare with the Space."""

    FINE = "fine"
    CONCERN = "concern"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        question: What was asked.
        standing: What it means.
        fact: What was found.
        calls: The number of calls that it rests on; 0 for what the Space's description, its source or the Hub says.
    """

    question: Question
    standing: Standing
    fact: Fact
    calls: int


class Purpose(StrEnum):
    """What a call is made for."""

    FIRST = "the first call"
    AGAIN = "the same call again"
    PAST_CACHE = "the same call with a blank after the prompt"
    SEED = "another seed"
    INPUT = "another value"


@dataclass(frozen=True)
class Call:
    """A call that was made.

    Attributes:
        purpose: What for.
        question: The question for which an input was changed; None where none was.
        changed: The input that was changed; empty where none was.
        before: Its value in the first call.
        value: Its value in this call.
        seconds: How long it took, queue and download included.
        work_seconds: How long the Space worked on it, without the queue; None if it did not say when it began.
        frames: SHA-256 of each decoded frame.
        described: What came, in one line.
        used_cache: Whether the answer came from a cache of Gradio: `full`, `partial`, `no` or `unknown`.
        seed: The seed that the Space reports; None if it reports none.
        prompt: Whether the prompt that the Space reports is the one that it was sent; None if it reports none.
        prompt_text: That prompt; empty if it is the one that was sent, and of a private prompt.
        code: Which failure it is (docs/errors.md); empty for a call that gave a clip.
        reason: Why there is no clip.
        hint: What to do about it.
    """

    purpose: Purpose
    question: Question | None = None
    changed: str = ""
    before: Any = None
    value: Any = None
    seconds: float = 0.0
    work_seconds: float | None = None
    frames: tuple[str, ...] = ()
    described: str = ""
    used_cache: str = "unknown"
    seed: int | None = None
    prompt: bool | None = None
    prompt_text: str = ""
    code: str = ""
    reason: str = ""
    hint: str = ""

    @property
    def measured(self) -> bool:
        """Whether it gave a clip."""
        return not self.code

    @property
    def cached(self) -> bool:
        """Whether the server says that the answer came from a cache, as a whole or in part."""
        return self.used_cache in {"full", "partial"}


@dataclass(frozen=True)
class SpaceCheck:
    """What a check found.

    Attributes:
        space: The Space, as it was named.
        endpoint: Its endpoint.
        inputs: What the first call sent, with placeholders for prompt and seed.
        schema: SHA-256 of what the endpoint takes and returns.
        hosted: What is known about the Space, name to text.
        most_calls: How many calls could be made.
        calls: Those that were made.
        answers: The answers, by question.
        finished: Whether it was not interrupted.
    """

    space: str
    endpoint: str
    inputs: Mapping[str, Any]
    schema: str
    hosted: Mapping[str, str]
    most_calls: int
    calls: tuple[Call, ...] = ()
    answers: tuple[Answer, ...] = ()
    finished: bool = True
    unreadable: str = field(default="")
    """Why the Space's source was not read; empty if it was, and for what is no Space of the Hub."""

    @property
    def exit_code(self) -> Exit:
        """What `spacediff check` exits with: 0 if nothing speaks against comparing with the Space."""
        if not self.finished:
            return Exit.INTERRUPTED
        repeats = next((each for each in self.answers if each.question is Question.REPEATS), None)
        if any(each.standing is Standing.CONCERN for each in self.answers):
            return Exit.GATE_FAILED
        settled = repeats is not None and repeats.standing is Standing.FINE
        return Exit.GATE_PASSED if settled else Exit.NOT_MEASURED

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON objects and lists, redacted."""
        return dict(
            redact({
                "space": self.space,
                "endpoint": self.endpoint,
                "inputs": dict(self.inputs),
                "schema": self.schema,
                "hosted": dict(self.hosted),
                "most_calls": self.most_calls,
                "finished": self.finished,
                "exit_code": int(self.exit_code),
                "unreadable": self.unreadable,
                "answers": [
                    {
                        "question": each.question.value,
                        "standing": each.standing.value,
                        "calls": each.calls,
                        "kind": each.fact.kind.value,
                        "values": each.fact.model_dump(mode="json")["values"],
                        "sentence": sentence(each.fact),
                    }
                    for each in self.answers
                ],
                "calls": [_call_json(each) for each in self.calls],
            })
        )  # fmt: skip


def _call_json(call: Call) -> dict[str, Any]:
    return {
        "purpose": call.purpose.value,
        "changed": call.changed,
        "value": call.value,
        "seconds": call.seconds,
        "work_seconds": call.work_seconds,
        "frames": list(call.frames),
        "described": call.described,
        "used_cache": call.used_cache,
        "seed": call.seed,
        "prompt_as_sent": call.prompt,
        "code": call.code,
        "reason": call.reason,
    }
