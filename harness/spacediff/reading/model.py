"""What was read from a source: settings, and everything about them that a reader has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from spacediff.settings import Setting, Settings


@dataclass(frozen=True, slots=True)
class Input:
    """A value that whoever runs the source may give.

    Attributes:
        kind: What asks for it: a component such as `Slider`, `argument`, `environment variable`, `parameter`.
        label: What the user sees, or the name of the argument.
        default: What it is when nobody says anything; None when there is no default or it cannot be read.
        where: File and line of the component.
    """

    kind: str
    label: str
    default: Any
    where: str


@dataclass(frozen=True, slots=True)
class IgnoredArgument:
    """An argument that the library takes at this place without using it."""

    argument: str
    value: Any
    given_to: str
    where: str
    advice: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that changes the result and is not a setting.

    Attributes:
        kind: One of few words, such as `upscaling` or `prompt rewriting`.
        text: What the source does.
        where: File and line.
        only_if: The condition under which it happens; empty when always.
    """

    kind: str
    text: str
    where: str
    only_if: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"{self.kind}: {self.text} ({self.where})" + (f", only if {self.only_if}" if self.only_if else "")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a Gradio app offers the call that was read.

    Attributes:
        name: Its name in the API, without the slash; empty where it has none, or none that can be told.
        former_name: The same by the rules of Gradio 4 and 5.
        has_own_name: Whether the source says that name itself.
        inputs: Parameter to the component that it comes from, in order.
        outputs: The components of its results, in order.
        prompt: The parameter that takes the prompt; empty where that cannot be told.
        seed: The parameter that takes the seed; empty where there is none or it cannot be told.
        where: File and line of the event.
        results: What the function's `return` calls each of the outputs, in order; empty where it calls it nothing.
    """

    name: str
    former_name: str
    has_own_name: bool
    inputs: Mapping[str, Input]
    outputs: tuple[Input, ...]
    prompt: str
    seed: str
    where: str
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a source says.

    Attributes:
        settings: The values, each with file and line; one that cannot be read is unknown.
        inputs: Path to the input that its value comes from.
        alternatives: Path to every value that it may have, the usual one first where there is a usual one.
        ignored: Arguments without effect.
        notes: What else changes the result.
        unknowns: Path to why its value is unknown, in the source's own words.
        facts: What is known about the source, such as commit, hardware, requirements.
        scheduler_base: The checkpoint that the scheduler's config begins from, empty for the class alone; None for the
            pipeline's own.
        endpoint: Where the call that was read is offered to others.
        called_at: File and line of the call that was read; empty when there is none.
        exported_by: The function that makes the frames a file, such as `export_to_video`; empty when there is none.
    """

    settings: Settings = field(default_factory=Settings)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    alternatives: Mapping[str, list[Setting]] = field(default_factory=dict)
    ignored: list[IgnoredArgument] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unknowns: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    scheduler_base: Setting | None = None
    endpoint: Endpoint | None = None
    called_at: str = ""
    exported_by: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain tables and lists."""
        return {
            "settings": {path: asdict(setting) for path, setting in self.settings.items()},
            "inputs": {path: asdict(asked) for path, asked in self.inputs.items()},
            "alternatives": {path: [asdict(one) for one in each] for path, each in self.alternatives.items()},
            "ignored": [asdict(argument) for argument in self.ignored],
            "notes": [asdict(note) for note in self.notes],
            "unknowns": dict(self.unknowns),
            "facts": dict(self.facts),
            "scheduler_base": asdict(self.scheduler_base) if self.scheduler_base else None,
            "endpoint": asdict(self.endpoint) if self.endpoint else None,
            "called_at": self.called_at,
            "exported_by": self.exported_by,
        }
