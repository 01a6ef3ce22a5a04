"""What the interpreter knows while it follows a source, and the steps that every part of it may ask for."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spacediff.reading.interpreter.heap import Budget, Heap, TooMuchError
from spacediff.reading.model import IgnoredArgument, Note
from spacediff.reading.parsing import Files, Source
from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Either,
    Function,
    Object,
    Table,
    Unknown,
    Value,
    either,
    results_in,
)

MOST_STEPS = 400_000
MOST_DEPTH = 90
"""Nested expressions and statements, those of called functions included; Python's own limit is further off."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a function: its value, the state it leaves, and whether it is reached by default."""

    value: Value
    heap: Heap
    usual: bool | None


@dataclass(slots=True)
class Frame:
    """One function, or one file, being followed.

    `rounds` are the states at which a round of the innermost loop was left early, `comprehensions` how many of the
    scopes, the innermost first, are those of comprehensions.
    """

    source: Source
    scopes: tuple[int, ...]
    function: Function | None = None
    globals_: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    returns: list[End] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    rounds: list[Heap] = field(default_factory=list)
    comprehensions: int = 0
    outer_conditions: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """An undecided branch that is being followed; `usual` says whether it is the one taken by default."""

    text: str
    usual: bool | None


@dataclass(frozen=True, slots=True)
class PipelineCall:
    """A call of a pipeline, with the values of all paths at that moment."""

    number: int
    name: str
    paths: dict[str, Value]
    where: str
    usual: bool
    fed_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """Frames that become a file."""

    name: str
    paths: dict[str, Value]
    results: tuple[int, ...]
    where: str
    usual: bool


@dataclass(frozen=True, slots=True)
class Event:
    """What makes an endpoint: functions, and the components that they are called with; None where they are unknown."""

    kind: str
    functions: tuple[Function, ...]
    api_name: Value | None
    inputs: tuple[Value, ...] | None
    outputs: tuple[Value, ...] | None
    where: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that the user interface calls."""

    function: Value
    arguments: Arguments
    where: str
    event: Event | None = None


class State(ABC):
    """The state of one reading; the steps are filled in by its descendants."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.budget = Budget(MOST_STEPS)
        self.heap = Heap(self.budget)
        self.everywhere = self.heap.new()
        self.frames: list[Frame] = []
        self.conditions: list[Condition] = []
        self.notes: list[Note] = []
        self.ignored: list[IgnoredArgument] = []
        self.calls: list[PipelineCall] = []
        self.exports: list[Export] = []
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self.reached: list[tuple[Event, range]] = []
        self.commands: dict[int, Entry] = {}
        self.defined: list[Function] = []
        self.called: set[int] = set()
        self.modules: dict[str, int] = {}
        self.floors: list[int] = []
        self.touched: list[set[int]] = []
        self.depth = 0
        self.cut = False

    @abstractmethod
    def evaluate(self, node: ast.expr | None) -> Value:
        """Return what an expression is."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a name, an attribute, an item, or several."""

    @abstractmethod
    def call(self, function: Value, arguments: Arguments, node: ast.AST) -> Value:
        """Return what a call gives."""

    @abstractmethod
    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute."""

    @abstractmethod
    def as_table(self, value: Value) -> Table:
        """Return a value as keyword arguments."""

    @abstractmethod
    def run(self, body: Sequence[ast.stmt]) -> bool:
        """Follow statements; return whether the end is reached."""

    def enter(self) -> None:
        """Go one level deeper.

        Raises:
            TooMuchError: The nesting or the budget is exhausted.
        """
        self.cut = self.cut or self.depth >= MOST_DEPTH or self.budget.is_spent
        if self.depth >= MOST_DEPTH:
            raise TooMuchError
        self.budget.spend()
        self.depth += 1

    def leave(self) -> None:
        """Come back."""
        self.depth -= 1

    @property
    def frame(self) -> Frame:
        """The function or file being followed."""
        return self.frames[-1]

    def where(self, node: ast.AST) -> str:
        """Return file and line."""
        return self.frame.source.place(getattr(node, "lineno", 1))

    def words(self, node: ast.AST) -> str:
        """Return the node's own text."""
        return self.frame.source.words(node)

    def unknown(self, node: ast.AST, *values: Value) -> Unknown:
        """Return an unknown value that stands for this expression."""
        results = dict.fromkeys(result for value in values for result in results_in(value))
        return Unknown(self.where(node), self.words(node), tuple(results))

    def note(self, kind: str, node: ast.AST, text: str = "") -> None:
        """Write down what changes the result and is not a setting, once for each line."""
        only_if = " and ".join(condition.text for condition in self.conditions[-3:])
        note = Note(kind, text or self.words(node), self.where(node), only_if)
        if not any((kept.kind, kept.text, kept.where) == (note.kind, note.text, note.where) for kept in self.notes):
            self.notes.append(note)

    def ignore(self, argument: IgnoredArgument) -> None:
        """Write down an argument without effect."""
        if argument not in self.ignored:
            self.ignored.append(argument)

    @property
    def records(self) -> list[list[Any]]:
        """What is written down while a source is followed, in its order."""
        return [self.calls, self.exports, self.entries, self.events, self.notes, self.ignored, self.defined]

    def is_repeated(self, identity: int) -> bool:
        """Return whether what is done here may be done again to something that has this identity."""
        return bool(self.floors) and 0 < identity < self.floors[-1]

    @property
    def usual(self) -> bool:
        """Whether this place is reached when every input has its default."""
        return all(condition.usual is not False for condition in self.conditions)

    def look_up(self, name: str) -> Value | None:
        """Return the value of a name in the scopes of this frame."""
        for scope in self.frame.scopes:
            value = self.heap.cell(scope).get(name)
            if value is not None:
                return present(value)
        return None

    def get(self, target: Object, name: str) -> Value | None:
        """Return what an object holds under a name."""
        return self.heap.cell(target.cell).get(name)

    def put(self, target: Object, name: str, value: Value) -> None:
        """Let an object hold a value."""
        self.heap.put(target.cell, name, value)


def present(value: Value) -> Value | None:
    """Return a value without the branches in which there is none."""
    if isinstance(value, Absent):
        return None
    if isinstance(value, Either) and any(isinstance(option, Absent) for option in value.options):
        kept = [option for option in value.options if not isinstance(option, Absent)]
        decided = value.decided and not isinstance(value.options[0], Absent)
        return either(kept, value.where, decided=decided)
    return value
