"""What the interpreter writes down while it follows a source: pipeline calls, exports, events of the user interface."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.parsing import Source
from spacediff.reading.values import Arguments, Function, Value, all_of

_MOST_SHOWN = 3
"""Innermost branches whose conditions are shown."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An undecided branch that is being followed; `usual` says whether the default inputs lead there."""

    text: str
    usual: bool | None


def usual_of(conditions: Sequence[Condition]) -> bool | None:
    """Return whether the default inputs lead to where all of some conditions hold; None if that is unknown."""
    sides = [condition.usual for condition in conditions]
    return False if False in sides else None if None in sides else True


def words_of(conditions: Sequence[Condition]) -> str:
    """Return several conditions as text; of many, the innermost ones."""
    return reduce(all_of, (condition.text for condition in conditions[-_MOST_SHOWN:]), "")


@dataclass(frozen=True, slots=True)
class NotePlace:
    """From where something is noted.

    Attributes:
        conditions: The undecided branches that lead to it, the innermost last.
        entry: What it is reached from: 0 for the main file, otherwise the number of an event, in order.
        calls: How many calls of pipelines were made before it.
    """

    conditions: tuple[Condition, ...]
    entry: int
    calls: int = 0


@dataclass(frozen=True, slots=True)
class PipelineCall:
    """A call of a pipeline.

    Attributes:
        number: Its place among the calls of the source.
        name: The class of the pipeline.
        paths: Dotted path of every setting to its value at that moment.
        where: File and line.
        conditions: The undecided branches that lead to it, the innermost last.
        fed_by: Numbers of the calls whose results it is given.
        entry: What it is reached from: 0 for the main file, otherwise the number of an event, in order.
        signature: The class of diffusers whose `__call__` it is; empty if that is not diffusers'.
        defaults: Argument to default of a `__call__` that the source defines.
        is_guess: Whether it counts only if the source calls nothing that is certainly a pipeline.
    """

    number: int
    name: str
    paths: dict[str, Value]
    where: str
    conditions: tuple[Condition, ...]
    fed_by: tuple[int, ...]
    entry: int
    signature: str
    defaults: dict[str, Value]
    is_guess: bool = False

    @property
    def usual(self) -> bool | None:
        """Whether the default inputs lead to it; None if that is unknown."""
        return usual_of(self.conditions)

    @property
    def only_if(self) -> str:
        """The condition for it as text; empty if there is none."""
        return words_of(self.conditions)


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
    """An event of a Gradio app, which becomes an endpoint.

    Attributes:
        kind: What triggers it, such as `click`.
        functions: What it calls; several if a branch decides.
        api_name: The name that the source gives its endpoint; None if it gives none.
        inputs: The components whose values the function receives; None if they are unknown.
        outputs: The components that show its results; None if they are unknown.
        where: File and line.
        after: The event that it follows, as in `click(...).then(...)`; None if the user triggers it.
        trigger: The label of what the user triggers; empty if it has none.
        calls_unknown: Whether it calls something that is not followed.
    """

    kind: str
    functions: tuple[Function, ...]
    api_name: Value | None
    inputs: tuple[Value, ...] | None
    outputs: tuple[Value, ...] | None
    where: str
    after: Event | None = None
    trigger: str = ""
    calls_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option or a positional argument that a source adds to a parser of command lines.

    Attributes:
        flags: Its names, such as `-s` and `--steps`.
        arguments: What it is added with, such as its type.
        always: Whether it is added on every path through the source.
    """

    flags: tuple[str, ...]
    arguments: Arguments
    always: bool

    @property
    def is_named(self) -> bool:
        """Whether it is an option, and not a positional argument."""
        return self.flags[0].startswith("-")


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that the user interface calls; it is followed after the file that defines it.

    Attributes:
        function: The function.
        arguments: What it receives.
        where: File and line that register it.
        event: The event that calls it; None if none does.
        condition: The condition for it, if it is one of several functions.
        is_last: Whether it is followed after all others, as a worker that waits for their jobs.
    """

    function: Value
    arguments: Arguments
    where: str
    event: Event | None = None
    condition: Condition | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """One end of a function.

    Attributes:
        value: What it returns.
        heap: The heap that it leaves.
        usual: Whether the default inputs lead there; None if that is unknown.
        only_if: The condition for it as text.
    """

    value: Value
    heap: Heap
    usual: bool | None
    only_if: str


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
        at_yield: What happens at the first `yield` of a context manager; None for any other function.
        iterations: The heaps at which an iteration of the innermost loop was left by `break` or `continue`.
        comprehensions: How many of the innermost scopes belong to comprehensions.
        outer_conditions: How many undecided branches there were when the function was entered.
        statement: The innermost statement that is being followed.
    """

    source: Source
    scopes: tuple[int, ...]
    function: Function | None = None
    globals_: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    returns: list[End] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    at_yield: Callable[[Value], None] | None = None
    iterations: list[Heap] = field(default_factory=list)
    comprehensions: int = 0
    outer_conditions: int = 0
    statement: ast.stmt | None = None
