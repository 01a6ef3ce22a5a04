"""The result of reading a source: settings, where they come from, and what else changes the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from spacediff.reading.machines import Machine
from spacediff.settings import Origin, Setting, Settings


@dataclass(frozen=True, slots=True)
class Input:
    """A value that the user of the source can give.

    Attributes:
        kind: What asks for it: a component such as `Slider`, `argument`, `environment variable`, `parameter`.
        label: What the user sees, or the name of the argument.
        default: Its value if the user gives nothing; None if there is no default or it is unknown.
        where: File and line that ask for it.
    """

    kind: str
    label: str
    default: Any
    where: str


@dataclass(frozen=True, slots=True)
class IgnoredArgument:
    """An argument that the library accepts at this place and ignores.

    Attributes:
        argument: Its name.
        value: Its value; None if it is unknown.
        given_to: What accepts it.
        where: File and line.
        advice: Where to pass it instead.
    """

    argument: str
    value: Any
    given_to: str
    where: str
    advice: str


NoteKind = Literal[
    "LoRA",
    "attention",
    "caching",
    "checkpoint",
    "compile",
    "frame interpolation",
    "input resizing",
    "machine",
    "no pipeline",
    "not read",
    "not read to the end",
    "patched part",
    "pipeline",
    "post-processing",
    "prompt rewriting",
    "prompt template",
    "prompt translation",
    "quantisation",
    "random",
    "refused argument",
    "resizing",
    "reused generator",
    "upscaling",
    "weights replaced",
]
"""What a note is about; docs/reading.md describes each."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not a setting but changes the result, or that limits what was read.

    Attributes:
        kind: What it is about.
        text: The expression, or a sentence.
        where: File and line.
        only_if: The condition for it; empty if there is none.
        usual: Whether the default inputs may lead there.
        perhaps: Whether it is unknown if they do.
        setting: Path of the setting that says the same; empty if none does.
    """

    kind: NoteKind
    text: str
    where: str
    only_if: str = ""
    usual: bool = True
    perhaps: bool = False
    setting: str = ""

    @property
    def sentence(self) -> str:
        """The note as one line."""
        return f"{self.kind}: {self.text} ({self.where})" + (f", only if {self.only_if}" if self.only_if else "")


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """What a function asks of ZeroGPU by `@spaces.GPU`.

    Attributes:
        where: File and line.
        seconds: Its `duration`, for which the quota must suffice; None where only running the source would show it.
    """

    where: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint through which a Gradio app offers the call that was read.

    Attributes:
        name: Its name in the API, without the slash; empty if it has none or an unknown one.
        former_name: The same by the rules of Gradio 4 and 5.
        has_own_name: Whether the source gives this name with `api_name`.
        inputs: Parameter to the component that it comes from, in order.
        outputs: The components of its results, in order.
        prompt: The parameter for the prompt; empty if it is unknown.
        seed: The parameter for the seed; empty if there is none or it is unknown.
        where: File and line of the event.
        results: The variable name of each output in the function's `return`, in order; empty without one.
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


CallRole = Literal["main", "stage", "alternative", "other"]
"""What a call is for: the one that was read, work on its result or for its input, made instead of it, or none of
these."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a pipeline that the source may make.

    Attributes:
        pipeline: The class of the pipeline.
        where: File and line.
        only_if: The condition for it; empty if there is none.
        usual: Whether the default inputs lead there, for another call than the main one if they lead to that; None if
            it is unknown.
        role: What it is for.
    """

    pipeline: str
    where: str
    only_if: str
    usual: bool | None
    role: CallRole

    @property
    def sentence(self) -> str:
        """The call as one line."""
        return f"{self.role}: {self.pipeline} ({self.where})" + (f", only if {self.only_if}" if self.only_if else "")


@dataclass(frozen=True, slots=True)
class Alternative:
    """A value that a setting has under another input or on another branch.

    Attributes:
        setting: The value, with file and line.
        only_if: The condition for it; empty if it is unknown.
    """

    setting: Setting
    only_if: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the main call was read.

    Attributes:
        read: Number of settings whose value is known.
        unknown: Number of settings whose value is unknown.
    """

    read: int
    unknown: int


@dataclass(frozen=True)
class Reading:
    """What a source sets.

    Attributes:
        settings: The settings of the chosen call, each with file and line; some are unknown.
        inputs: Path of a setting to the input that its value comes from.
        alternatives: Path of a setting to all values that it may have; the value for default inputs is the first.
        calls: Every call of a pipeline that the source may make, in order.
        command: The script and its arguments, if it was read as a command runs it; otherwise empty.
        undecided: One sentence for each reason why this reading is not enough to say that nothing differs.
        ignored: Arguments without effect.
        notes: What else changes the result.
        unknowns: Path of a setting to the expression that makes it unknown.
        facts: Facts about a Space, such as commit, hardware, requirements.
        scheduler_base: The checkpoint that the config of the scheduler comes from; an empty value if it has only the
            defaults of its class; None if it is the pipeline's own.
        endpoint: The endpoint of the chosen call; None if there is none or it is unknown.
        called_at: File and line of the chosen call; empty if there is none.
        signature: The class of diffusers whose `__call__` the chosen call has; empty if its class is another package's
            or defines a `__call__` of its own.
        own_defaults: Argument to default of a `__call__` that the source itself defines.
        exported_by: The function that writes the frames to a file, such as `export_to_video`; empty if there is none.
        asked_of_machine: The types of accelerators whose presence the source asks for, such as `cuda`.
        gpu_requests: What the source asks of ZeroGPU, for each function with `@spaces.GPU`.
        answer_caches: The decorators that keep what a function of a prompt or a seed returned, with file and line.
        machine: The machine for which the source was read; None if it is unknown, or if the source asks nothing of it.
        described: The settings whose value is the name of something that the source or a library defines, such as a
            function, and not a constant.
        unturned: The files that the call gets as pictures on their side, where their EXIF orientation says so.
        by_machine: Path of a setting that depends on the machine to its value for each type of accelerator, `cpu` for
            a machine without one; empty if the machine is known.
    """

    settings: Settings = field(default_factory=Settings)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    alternatives: Mapping[str, list[Alternative]] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    undecided: tuple[str, ...] = ()
    command: str = ""
    ignored: list[IgnoredArgument] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unknowns: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    scheduler_base: Setting | None = None
    endpoint: Endpoint | None = None
    called_at: str = ""
    signature: str = ""
    own_defaults: Mapping[str, Any] = field(default_factory=dict)
    exported_by: str = ""
    asked_of_machine: tuple[str, ...] = ()
    gpu_requests: tuple[GpuRequest, ...] = ()
    answer_caches: tuple[str, ...] = ()
    machine: Machine | None = None
    described: frozenset[str] = frozenset()
    unturned: frozenset[str] = frozenset()
    by_machine: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)

    @property
    def uses_zero_gpu(self) -> bool:
        """Whether the source uses `@spaces.GPU`."""
        return bool(self.gpu_requests)

    @property
    def coverage(self) -> Coverage:
        """How much of the main call was read."""
        unknown = sum(setting.origin is Origin.UNKNOWN for setting in self.settings.values())
        return Coverage(len(self.settings) - unknown, unknown)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON objects and lists."""
        return {
            "settings": {path: asdict(setting) for path, setting in self.settings.items()},
            "inputs": {path: asdict(asked) for path, asked in self.inputs.items()},
            "alternatives": {path: [asdict(one) for one in each] for path, each in self.alternatives.items()},
            "calls": [asdict(call) for call in self.calls],
            "undecided": list(self.undecided),
            "command": self.command,
            "coverage": asdict(self.coverage),
            "ignored": [asdict(argument) for argument in self.ignored],
            "notes": [asdict(note) for note in self.notes],
            "unknowns": dict(self.unknowns),
            "facts": dict(self.facts),
            "scheduler_base": asdict(self.scheduler_base) if self.scheduler_base else None,
            "endpoint": asdict(self.endpoint) if self.endpoint else None,
            "called_at": self.called_at,
            "signature": self.signature,
            "own_defaults": dict(self.own_defaults),
            "exported_by": self.exported_by,
            "asked_of_machine": list(self.asked_of_machine),
            "gpu_requests": [asdict(each) for each in self.gpu_requests],
            "answer_caches": list(self.answer_caches),
            "described": sorted(self.described),
            "unturned": sorted(self.unturned),
            "machine": asdict(self.machine) if self.machine else None,
            "by_machine": {
                path: {device: asdict(setting) for device, setting in each.items()}
                for path, each in self.by_machine.items()
            },
        }
