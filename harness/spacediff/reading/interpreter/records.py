"""What the interpreter writes down while it follows a source: pipeline calls, exports, events of the user interface."""

from __future__ import annotations

from dataclasses import dataclass, field

from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.parsing import Source
from spacediff.reading.values import Arguments, Function, Value


@dataclass(frozen=True, slots=True)
class PipelineCall:
    """A call of a pipeline.

    Attributes:
        number: Its place among the calls of the source.
        name: The class of the pipeline.
        paths: Dotted path of every setting to its value at that moment.
        where: File and line.
        usual: Whether it is reached when every input has its default.
        fed_by: Numbers of the calls whose results it is given.
    """

    number: int
    name: str
    paths: dict[str, Value]
    where: str
    usual: bool
    fed_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A call that writes frames to a file.

    Attributes:
        name: The function, such as `export_to_video`.
        paths: Dotted path of its settings to their values.
        results: Numbers of the pipeline calls whose frames it writes.
        where: File and line.
        usual: Whether it is reached when every input has its default.
    """

    name: str
    paths: dict[str, Value]
    results: tuple[int, ...]
    where: str
    usual: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a Gradio app, which becomes an endpoint; inputs and outputs are None if they are unknown."""

    kind: str
    functions: tuple[Function, ...]
    api_name: Value | None
    inputs: tuple[Value, ...] | None
    outputs: tuple[Value, ...] | None
    where: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that the user interface calls; it is followed after the file that defines it."""

    function: Value
    arguments: Arguments
    where: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """An undecided branch that is being followed; `usual` says whether the default inputs lead there."""

    text: str
    usual: bool | None


@dataclass(frozen=True, slots=True)
class End:
    """One end of a function: its value, the heap it leaves, and whether the default inputs lead there."""

    value: Value
    heap: Heap
    usual: bool | None


@dataclass(slots=True)
class Frame:
    """A function or a file that is being followed.

    Attributes:
        source: The file.
        scopes: The cells of the scopes that are visible, the innermost first.
        function: The function; None for a file.
        globals_: Names declared `global`.
        nonlocals: Names declared `nonlocal`.
        returns: The ends that were reached so far.
        yields: The values that were yielded so far.
        iterations: The heaps at which an iteration of the innermost loop was left by `break` or `continue`.
        comprehensions: How many of the innermost scopes belong to comprehensions.
        outer_conditions: How many undecided branches there were when the function was entered.
    """

    source: Source
    scopes: tuple[int, ...]
    function: Function | None = None
    globals_: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    returns: list[End] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    iterations: list[Heap] = field(default_factory=list)
    comprehensions: int = 0
    outer_conditions: int = 0
