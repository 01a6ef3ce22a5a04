"""Recognisers of libraries: the documented example, their order, and that each answers only for its own library."""

from __future__ import annotations

import ast
import re

from spacediff.reading import read_text
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries import LIBRARIES
from spacediff.reading.values import Arguments, External, Function, Known, Object, Value
from support.paths import ROOT

SCRIPT = """
import somelib
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("a/b")
pipe("x", num_frames={frames})
"""


class Constant(Library):
    """Recognises `somelib.f(...)` as a constant."""

    def __init__(self, value: int) -> None:
        self.value = value

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        return Known(state.where(node), self.value) if function.name == "somelib.f" else None


def frames_read(frames: str, *libraries: Library) -> int | None:
    reading = read_text(SCRIPT.format(frames=frames), "run.py", libraries=(*libraries, *LIBRARIES))
    value = reading.settings.value("call.num_frames")
    return value if isinstance(value, int) else None


def test_the_example_of_the_documentation_works() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reading.md").read_text("utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "docs/reading.md", "exec"), names)  # noqa: S102 - our own documentation
    assert "reading" in names


def test_a_library_without_a_recogniser_is_unknown() -> None:
    assert frames_read("somelib.f(9)") is None


def test_a_recogniser_answers_for_its_own_functions_only() -> None:
    assert frames_read("somelib.f(9)", Constant(17)) == 17
    assert frames_read("somelib.g(9)", Constant(17)) is None


def test_the_first_recogniser_that_answers_counts() -> None:
    assert frames_read("somelib.f(9)", Constant(17), Constant(33)) == 17
    assert frames_read("int(49.0)", Constant(17)) == 49


class Everything(Library):
    """Recognises methods, attributes, items, assignments, decorators and functions of somelib."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        return Object(state.where(node), "instance", state.heap.new()) if function.name == "somelib.Thing" else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        own = isinstance(owner, Object) and owner.kind == "instance"
        return Known(state.where(node), 1) if own and name in {"method", "__call__"} else None

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        return Known(state.where(node), 2) if name == "size" else None

    def item(self, state: State, owner: Value, key: Value, node: ast.AST) -> Value | None:
        return Known(state.where(node), 3) if isinstance(owner, External) and owner.name == "somelib.options" else None

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        self.seen.append(f"attribute {name}")
        return True

    def set_item(self, state: State, owner: Value, key: Value | None, node: ast.AST) -> bool:
        self.seen.append("item")
        return True

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        return function if decorator.name == "somelib.kept" else None

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        self.seen.append(f"defined {function.name}")

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        self.seen.append(f"called {function.name}")


def test_a_recogniser_is_asked_for_everything_that_a_source_does_with_a_library() -> None:
    lines = {
        "thing = somelib.Thing()\npipe('x', num_frames=thing.method())": 1,
        "thing = somelib.Thing()\npipe('x', num_frames=thing())": 1,
        "thing = somelib.Thing()\npipe('x', num_frames=thing.size)": 2,
        "pipe('x', num_frames=somelib.options['n'])": 3,
        "@somelib.kept\ndef f(n):\n    pipe('x', num_frames=n)\nf(4)": 4,
    }
    beginning = SCRIPT.partition("pipe(")[0]
    for text, expected in lines.items():
        reading = read_text(beginning + text, "run.py", libraries=(Everything(), *LIBRARIES))
        assert reading.settings.value("call.num_frames") == expected, text
        alone = read_text(beginning + text, "run.py").settings.value("call.num_frames")
        assert alone is None, f"without its recogniser it is unknown: {text}"


def test_a_recogniser_learns_of_assignments_and_functions() -> None:
    everything = Everything()
    text = "somelib.options.fast = True\nsomelib.options.table['k'] = 1\nx = somelib.Thing().rest\nx['k'] = 1\n"
    read_text(SCRIPT.partition("pipe =")[0] + text + "def f(): pass\nf()", "run.py", libraries=(everything,))
    assert everything.seen == ["attribute fast", "item", "item", "defined f", "called f"]
