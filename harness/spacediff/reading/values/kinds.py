"""The kinds of value that an expression can have when nothing is run: constant, input, one of several, object, unknown.

The key insight is that "not known" has kinds. An input has a default, a branch has two sides, and the result of a
pipeline is known to be one. Each kind is a class of its own, and operations pass through all of them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Literal, Self

from spacediff.reading.model import Input

Key = str | float | bool | None
"""A constant that is a key of a dict, or a `Token`; equal keys are those that Python calls equal."""

ObjectKind = Literal[
    "pipeline",
    "part",
    "scheduler",
    "generator",
    "accelerator",
    "parser",
    "namespace",
    "instance",
    "member",
    "event",
    "file",
]
"""What an `Object` represents.

`part` is a model or tokenizer of a pipeline, `accelerator` accelerate's, `parser` a command line's parser, `namespace`
its parsed arguments or the names of a file, `instance` an instance of a class of the source, `member` one of an `Enum`,
`event` an event of a user interface that others may follow, `file` a file that the source reads.
"""


@dataclass(frozen=True, slots=True)
class Value:
    """Base of all values; `where` is the file and line where the value was written."""

    where: str


class Token(str):
    """A key of a dict that is no constant, such as a class, a tuple or an unknown value.

    Attributes:
        value: The key.
    """

    __slots__ = ("value",)
    value: Value

    def __new__(cls, text: str, value: Value) -> Self:
        """Return the token of a value.

        Args:
            text: Equal for the same key and for no other one.
            value: The key.
        """
        made = super().__new__(cls, f"\0{text}")
        made.value = value
        return made


@dataclass(frozen=True, slots=True)
class Known(Value):
    """A constant."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class LoadedFile(Known):
    """What a function such as `load_image` returns, shown as the path that it was given; it is no text.

    Attributes:
        is_rgb: Whether it is certainly a picture in RGB.
        is_turned: Whether it is turned as its EXIF orientation says, as an input of a scenario is.
        prepared: What was done to it, by the keys of a scenario's `inputs.NAME`; None where they cannot say it.
        said: The places and expressions that did it.
    """

    is_rgb: bool = False
    is_turned: bool = False
    prepared: tuple[tuple[str, Value], ...] | None = ()
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown(Value):
    """A value that only running the source would show.

    Attributes:
        text: The expression, as the source writes it.
        results: Numbers of the pipeline calls that the value comes from, the latest first.
        random: Whether the value comes from a random number generator.
        template: For what the user surely gives, the text with `{name}` for it, such as `{prompt}, sharp`; empty for
            any other value.
        rewritten: Numbers of the language models and translators that the value comes from.
        inside_of: The pipeline or part of one whose layer or weight it is; None for any other value.
        clip: The number of the pipeline call whose frames it is, as one list of frames; None for any other value.
        holds: The pipeline that the unknown function was given, and that it may have returned; None without one.
    """

    text: str
    results: tuple[int, ...] = ()
    random: bool = False
    template: str = ""
    holds: Object | None = None
    rewritten: tuple[int, ...] = ()
    inside_of: Object | None = None
    clip: int | None = None


@dataclass(frozen=True, slots=True)
class Absent(Value):
    """No value on this side of a branch: the name, key or setting is not set there."""


@dataclass(frozen=True, slots=True)
class Asked(Value):
    """A value that the user gives, with its default."""

    source: Input
    value: Value


@dataclass(frozen=True, slots=True)
class Either(Value):
    """One of several values; if `decided`, the first is the one that the default inputs lead to.

    Attributes:
        options: The values.
        decided: Whether the default inputs lead to the first.
        only_if: The condition for each option as text, empty where it is unknown.
    """

    options: tuple[Value, ...]
    decided: bool
    only_if: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The condition for each option as text, empty where it is unknown."""
        return self.only_if or ("",) * len(self.options)


@dataclass(frozen=True, slots=True)
class External(Value):
    """Something of a library, by its dotted name, such as `torch.bfloat16`."""

    name: str

    @property
    def package(self) -> str:
        """The beginning of the name, such as `torch`."""
        return self.name.partition(".")[0]

    @property
    def last_name(self) -> str:
        """The end of the name, such as `bfloat16`."""
        return last_part(self.name)


@dataclass(frozen=True, slots=True)
class Items(Value):
    """A list, tuple or set.

    Attributes:
        items: The known items.
        open: Whether there may be more.
        identity: The same number wherever the source holds the same list; 0 for what cannot be changed in place.
    """

    items: tuple[Value, ...]
    open: bool = False
    identity: int = 0


@dataclass(frozen=True, slots=True)
class Table(Value):
    """A dict with constant keys; `open` and `identity` mean what they mean for `Items`."""

    items: tuple[tuple[Key, Value], ...]
    open: bool = False
    identity: int = 0

    @property
    def named(self) -> dict[str, Value]:
        """The items whose keys are texts, as keyword arguments are."""
        return {key: value for key, value in self.items if isinstance(key, str) and not isinstance(key, Token)}

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, None if there is none."""
        return dict(self.items).get(key)

    def with_item(self, key: Key, value: Value) -> Table:
        """Return a copy with one item set."""
        return replace(self, items=tuple({**dict(self.items), key: value}.items()))

    def without(self, key: Key) -> Table:
        """Return a copy without one item."""
        return replace(self, items=tuple(item for item in self.items if item[0] != key))


@dataclass(frozen=True, slots=True)
class Function(Value):
    """A function of the source.

    Attributes:
        node: Its definition.
        scopes: The cells of the scopes that it sees, the innermost first.
        file: Name of the file that defines it.
        defaults: Parameter to default value.
        given: Positional and named arguments that are bound already, as by a method or `functools.partial`.
        kind: `staticmethod`, `classmethod` or `property`; empty for a plain function.
        wrapped: The unknown value that an unknown decorator may pass on instead of an argument; None without one.
        stands_for: The function whose name and parameters it shows because of `functools.wraps`.
        cell: Its own attributes; 0 for a lambda, which has none.
        inside: Context managers that it is decorated with, so that its body runs inside them.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: tuple[int, ...]
    file: str
    defaults: tuple[tuple[str, Value], ...] = ()
    given: tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]] = ((), ())
    kind: str = ""
    wrapped: Unknown | None = None
    stands_for: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None = None
    cell: int = 0
    inside: tuple[ast.expr, ...] = ()

    @property
    def name(self) -> str:
        """The name that it shows."""
        return getattr(self.stands_for or self.node, "name", "lambda")

    @property
    def parameters(self) -> ast.arguments:
        """The parameters that it shows."""
        return (self.stands_for or self.node).args


@dataclass(frozen=True, slots=True)
class Partial(Value):
    """A callable with some arguments bound, as `functools.partial` creates it."""

    function: Value
    positional: tuple[Value, ...]
    named: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Class(Value):
    """A class of the source; `cell` holds its attributes."""

    name: str
    cell: int
    bases: tuple[Value, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Object(Value):
    """Something with a state of its own, such as a pipeline; `cell` holds the state."""

    kind: ObjectKind
    cell: int


@dataclass(frozen=True, slots=True)
class Super(Value):
    """`super()` in a method: what it was called on, and the cell of the class that defines the method."""

    owner: Value
    after: int


@dataclass(frozen=True, slots=True)
class Attribute(Value):
    """An attribute of a value, usually a method that is about to be called."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True)
class Widget(Value):
    """A component of a user interface; a function that gets it as an input receives the user's value.

    Attributes:
        source: The component as an input.
        value: What a function receives for it if the user changes nothing.
        number: A number that no other component has.
        is_given: Whether the source gives its value, which otherwise is that of every such component.
    """

    source: Input
    value: Value
    number: int = 0
    is_given: bool = True

    @property
    def key(self) -> str:
        """The key under which a dict holds it, as in `{slider: 3}`."""
        return Token(f"component {self.number}", self)


@dataclass(frozen=True, slots=True)
class Module(Value):
    """Another file of the same source; `cell` holds its names."""

    cell: int


@dataclass(slots=True)
class Arguments:
    """The arguments of a call.

    Attributes:
        positional: Positional arguments, as far as they are known.
        named: Keyword arguments, as far as they are known.
        open: The text of a `*` or `**` argument that may hold more; empty if there is none.
    """

    positional: list[Value]
    named: dict[str, Value]
    open: str = ""

    def get(self, name: str, position: int | None = None) -> Value | None:
        """Return an argument by name or by position."""
        if name in self.named:
            return self.named[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def every(self) -> list[Value]:
        """Return all known arguments."""
        return [*self.positional, *self.named.values()]


def last_part(name: str) -> str:
    """Return the last part of a dotted name."""
    return name.rpartition(".")[2]
