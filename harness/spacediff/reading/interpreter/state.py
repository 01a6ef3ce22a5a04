"""The state of the interpreter, and the five steps that its modules and the libraries ask it for."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from spacediff.reading.interpreter.budget import Budget, TooDeepError
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.library import Libraries
from spacediff.reading.interpreter.records import (
    Condition,
    End,
    Entry,
    Event,
    Export,
    Frame,
    NotePlace,
    Option,
    PipelineCall,
    usual_of,
    words_of,
)
from spacediff.reading.machines import Machine
from spacediff.reading.model import GpuRequest, IgnoredArgument, Note, NoteKind
from spacediff.reading.parsing import Files
from spacediff.reading.values import (
    Absent,
    Arguments,
    Either,
    Function,
    Module,
    Object,
    Unknown,
    Value,
    may_be_absent,
    part_around,
    results_in,
    rewritten_in,
    without_absent,
)

MOST_STEPS = 200_000
"""Steps of the interpreter for one source; the largest demos need a fifth of them."""

MOST_NESTED_CALLS = 12
"""Functions inside each other that are followed."""

_MOST_PLACES = 8
"""Places in the control flow that are kept for one note."""

MOST_DEPTH = 90
"""Nested expressions and statements, those of called functions included; Python's own limit is further away."""


_V = TypeVar("_V", bound=Value)


class State(ABC):
    """What is known while a source is followed.

    Attributes:
        files: The files of the source.
        sources: Those that were followed so far.
        libraries: What is known of the libraries that it uses.
        heap: The cells of names and objects at this moment.
        process_wide: The cell of what holds for the whole process, such as torch's global seed.
        rewriting: What rewrites or translates texts, by number; of interest if such a text becomes the prompt.
        frames: The functions and files that are being followed, the innermost last.
        doubts: One sentence for each reason why the reading is not enough to say that nothing differs.
        entry: What is being followed: 0 for the main file, otherwise the number of an event, in order.
        entry_words: The condition for what each entry leads to, by its number.
        conditions: The undecided branches that are being followed, the innermost last.
        commands: Definition of a function to its entry as a command line.
        defined: Every function, in the order of its definition.
        called: Definitions of the functions that were called.
        options: The cell of a parser to what is added to it.
        open_parsers: The cells of the parsers that may have options that are not known.
        modules: File to the cell of its names.
        import_folders: Folders, with dots, in which modules are looked for besides that of the main file.
        reached: Each event of the user interface with the pipeline calls that it led to.
        loop_starts: For every loop being followed, the first identity that was made inside it.
        changed_in_loop: For every loop being followed, the identities of lists and dicts that its body changes.
        machine: The machine that the source runs on; None if it is unknown.
        asked_of_machine: The types of accelerators whose presence the source asks for, each with the first place.
        gpu_requests: What functions that are decorated with `@spaces.GPU` ask for, in order.
        answer_caches: The decorators that keep what a function of a prompt or a seed returned, with file and line.
        is_cut: Whether something was not followed because a bound was reached.
        cut_at: File and line of the first place that takes too many steps or too much memory; empty if there is none.
        most_nested_calls: How many functions inside each other are followed.
        nested_calls: How many of them were followed at most.
    """

    def __init__(
        self,
        files: Files,
        libraries: Libraries,
        machine: Machine | None = None,
        most_nested_calls: int = MOST_NESTED_CALLS,
    ) -> None:
        self.files = files
        self.sources = [files.main]
        self.libraries = libraries
        self.budget = Budget(MOST_STEPS)
        self.heap = Heap(self.budget)
        self.process_wide = self.heap.new()
        self.frames: list[Frame] = []
        self.conditions: list[Condition] = []
        self.notes: list[Note] = []
        self.rewriting: list[Note] = []
        self.ignored: list[IgnoredArgument] = []
        self.doubts: list[str] = []
        self.entry = 0
        self.entry_words = [""]
        self._note_places: dict[tuple[str, str, str], list[NotePlace]] = {}
        self.calls: list[PipelineCall] = []
        self.exports: list[Export] = []
        self.entries: list[Entry] = []
        self.events: list[Event] = []
        self.reached: list[tuple[Event, range]] = []
        self.commands: dict[int, Entry] = {}
        self.defined: list[Function] = []
        self.called: set[int] = set()
        self.options: dict[int, list[Option]] = {}
        self.open_parsers: set[int] = set()
        self.modules: dict[str, int] = {}
        self.import_folders: list[str] = []
        self.loop_starts: list[int] = []
        self.changed_in_loop: list[set[int]] = []
        self.machine = machine
        self.most_nested_calls = most_nested_calls
        self.nested_calls = 0
        self.asked_of_machine: dict[str, str] = {}
        self.gpu_requests: list[GpuRequest] = []
        self.answer_caches: list[str] = []
        self.depth = 0
        self.is_cut = False
        self.cut_at = ""

    @abstractmethod
    def evaluate(self, node: ast.expr | None) -> Value:
        """Return the value of an expression; that of a missing one, None, is the constant `None`."""

    @abstractmethod
    def run(self, body: Sequence[ast.stmt]) -> bool:
        """Follow statements; return whether their end is reached."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a name, an attribute, an item, or several of them."""

    @abstractmethod
    def call(self, function: Value, arguments: Arguments, node: ast.AST) -> Value:
        """Return the result of a call."""

    @abstractmethod
    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute of a value."""

    @abstractmethod
    def module(self, dotted: str, node: ast.AST, level: int = 0) -> Module | None:
        """Return another file of this source, which is followed when it is first imported; None for a library.

        Args:
            dotted: The module, as the import names it.
            node: The import.
            level: Number of leading dots of a relative import.
        """

    def enter(self) -> None:
        """Go one level deeper.

        Raises:
            TooDeepError: The nesting is too deep.
            TooMuchError: The budget is spent.
        """
        self.is_cut = self.is_cut or self.depth >= MOST_DEPTH or self.budget.is_spent
        if self.depth >= MOST_DEPTH:
            raise TooDeepError
        self.budget.spend()
        self.depth += 1

    def cut(self, node: ast.AST) -> None:
        """Write down that something was not followed to its end because it takes too many steps or too much memory."""
        self.is_cut = True
        self.cut_at = self.cut_at or self.where(node)

    def within_memory(self, value: _V, node: ast.AST) -> _V | Unknown:
        """Return a new value; an unknown one if it would need too much memory."""
        if self.budget.has_room(value):
            return value
        self.cut(node)
        return self.unknown(node, value)

    def leave(self) -> None:
        """Go one level back."""
        self.depth -= 1

    @property
    def frame(self) -> Frame:
        """The function or file that is being followed."""
        return self.frames[-1]

    def where(self, node: ast.AST) -> str:
        """Return file and line of a node."""
        return self.frame.source.place(getattr(node, "lineno", 1))

    def words(self, node: ast.AST) -> str:
        """Return the text of a node."""
        return self.frame.source.words(node)

    def unknown(self, node: ast.AST, *values: Value) -> Unknown:
        """Return an unknown value for an expression that depends on some values; it is random if one of them is."""
        results = dict.fromkeys(result for value in values for result in results_in(value))
        is_random = any(isinstance(value, Unknown) and value.random for value in values)
        rewritten = dict.fromkeys(number for value in values for number in rewritten_in(value))
        return Unknown(self.where(node), self.words(node), tuple(results), is_random, rewritten=tuple(rewritten))

    def unknown_item(self, node: ast.AST, owner: Value) -> Unknown:
        """Return an unknown item of a value; one of a part's layers or weights is inside of that part."""
        return replace(self.unknown(node, owner), inside_of=part_around(owner))

    def note(self, kind: NoteKind, node: ast.AST, text: str = "") -> None:
        """Write down something that changes the result and is not a setting, once for each line."""
        self.budget.spend_on_looks(len(self.notes))
        only_if = words_of(self.conditions)
        note = Note(
            kind, text or self.words(node), self.where(node), only_if, self.usual, usual_of(self.conditions) is None
        )
        places = self._note_places.setdefault((note.kind, note.text, note.where), [])
        place = NotePlace(tuple(self.conditions), self.entry, len(self.calls))
        if place not in places and len(places) < _MOST_PLACES:
            places.append(place)
        if not any((kept.kind, kept.text, kept.where) == (note.kind, note.text, note.where) for kept in self.notes):
            self.notes.append(note)

    def noted_at(self, note: Note) -> Sequence[NotePlace]:
        """Return from where something was noted; empty for what has no place in the control flow."""
        return self._note_places.get((note.kind, note.text, note.where), ())

    def undecided(self, text: str) -> None:
        """Write down a reason why this reading is not enough to say that nothing differs, as one sentence."""
        if text not in self.doubts:
            self.doubts.append(text)

    def ignore(self, argument: IgnoredArgument) -> None:
        """Write down an argument that the library ignores."""
        if argument not in self.ignored:
            self.ignored.append(argument)

    @property
    def records(self) -> list[list[Any]]:
        """Everything that is written down; a loop removes what its body added before it follows the body again."""
        return [
            self.calls,
            self.exports,
            self.entries,
            self.events,
            self.notes,
            self.rewriting,
            self.doubts,
            self.ignored,
            self.defined,
        ]

    def is_repeated(self, identity: int) -> bool:
        """Return whether the current loop may do the same again to what has this identity."""
        return bool(self.loop_starts) and 0 < identity < self.loop_starts[-1]

    @property
    def usual(self) -> bool:
        """Whether this place is reached when every input has its default."""
        return usual_of(self.conditions) is not False

    def end(self, value: Value) -> End:
        """Return the end of the current function at this place."""
        inner = self.conditions[self.frame.outer_conditions :]
        return End(value, self.heap, usual_of(inner), words_of(inner))

    def look_up(self, name: str) -> Value | None:
        """Return the value of a name in the visible scopes; None if it has none."""
        for scope in self.frame.scopes:
            value = self.heap.cell(scope).get(name)
            if value is not None:
                return present(value)
        return None

    def get(self, target: Object, name: str) -> Value | None:
        """Return what an object holds under a name."""
        return self.heap.cell(target.cell).get(name)

    def put(self, target: Object, name: str, value: Value) -> None:
        """Store a value in an object under a name."""
        self.heap.put(target.cell, name, value)


def present(value: Value) -> Value | None:
    """Return a value without the branches where it is absent; None if it is absent on all."""
    if isinstance(value, Absent):
        return None
    if isinstance(value, Either) and may_be_absent(value):
        kept = without_absent(value)
        return None if isinstance(kept, Absent) else kept
    return value
