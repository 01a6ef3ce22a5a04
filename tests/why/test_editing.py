"""Edits of a file: what is not edited stays as it was, byte for byte."""

from __future__ import annotations

import ast

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.why.editing import (
    AddedArgument,
    AddedLine,
    NotEditableError,
    Operation,
    RemovedArgument,
    RemovedStatement,
    Replacement,
    Script,
)
from support.fuzzing import examples
from support.paths import ROOT

CALLS = {
    b"f()": b"f(new=1)",
    b"f(a)": b"f(a, new=1)",
    b"f(a,)": b"f(a, new=1)",
    b"f( a , b=2 )": b"f( a , b=2, new=1 )",
    b"f(*a, **b)": b"f(*a, **b, new=1)",
    b"f(\n    a,\n    b=2,\n)": b"f(\n    a,\n    b=2,\n    new=1,\n)",
    b"f(\n    a,\n    b=2\n)": b"f(\n    a,\n    b=2,\n    new=1\n)",
    b"f(\r\n\ta,\t# one\r\n\tb=2,  # two\r\n)": b"f(\r\n\ta,\t# one\r\n\tb=2,  # two\r\n\tnew=1,\r\n)",
    b"f(\n    a,\n    b=(2)  # two, the last\n)": b"f(\n    a,\n    b=(2),  # two, the last\n    new=1\n)",
    b"f(a,\n  b=2)": b"f(a,\n  b=2, new=1)",
    b"f(\n    a, b=2,\n    # nothing more\n)": b"f(\n    a, b=2,\n    new=1,\n    # nothing more\n)",
    b"if x:\n\tf(\n\t\ta,\n\t)": b"if x:\n\tf(\n\t\ta,\n\t\tnew=1,\n\t)",
}


def first_call(script: Script) -> cst.Call:
    return next(script.every(cst.Call))


@pytest.mark.parametrize("before", CALLS)
def test_an_argument_is_added_in_the_layout_of_the_others(before: bytes) -> None:
    script = Script(before)
    assert script.edited([AddedArgument(first_call(script), "new", "1")]) == CALLS[before]


@pytest.mark.parametrize("before", [each for each in CALLS if each != b"f(a,)"])
def test_an_argument_that_is_added_and_removed_leaves_no_trace(before: bytes) -> None:
    script = Script(CALLS[before])
    removed = script.edited([RemovedArgument(first_call(script), "new")])
    assert removed == before or removed.replace(b"(2),  #", b"(2)  #") == before
    assert ast.dump(ast.parse(removed)) == ast.dump(ast.parse(before))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a = 1\nb = 2\nc = 3\n", b"a = 1\nnew()\nc = 3\n"),
        (b"a = 1\n\n# why\nb = 2\n", b"a = 1\nnew()\n# why\n"),
        (b"if a:\n    # why\n    b = 2\nc = 3", b"if a:\n    new()\n    # why\nc = 3"),
    ],
)
def test_a_removed_statement_leaves_its_comment_and_an_added_one_comes_in_its_place(
    before: bytes, after: bytes
) -> None:
    script = Script(before)
    statement = next(node for node in script.every(cst.SimpleStatementLine) if script.source_of(node).endswith("b = 2"))
    assert script.edited([RemovedStatement(statement), AddedLine(statement, "new()")]) in {
        after,
        after.replace(b"new()\n# why\n", b"# why\nnew()\n"),
        after.replace(b"    new()\n    # why\n", b"    # why\n    new()\n"),
    }


def test_the_only_statement_of_a_block_becomes_pass() -> None:
    script = Script(b"if a:\n    b = 2\nc = 3\n")
    statement = next(node for node in script.every(cst.SimpleStatementLine) if script.line_of(node) == 2)
    assert script.edited([RemovedStatement(statement)]) == b"if a:\n    pass\nc = 3\n"


def test_a_line_comes_between_blank_lines_and_the_comment_of_a_statement() -> None:
    script = Script(b"a = 1\n\n# why\nb = 2\n")
    statement = next(node for node in script.every(cst.SimpleStatementLine) if script.line_of(node) == 4)
    assert script.edited([AddedLine(statement, "new()", before=True)]) == b"a = 1\n\nnew()\n# why\nb = 2\n"


def test_edits_of_one_call_go_together_and_those_that_exclude_each_other_do_not() -> None:
    script = Script(b"f(a, b=g(1), c=3)\n")
    call = first_call(script)
    one = next(script.every(cst.Integer))
    edits: list[Operation] = [Replacement(one, "2"), AddedArgument(call, "d", "4"), RemovedArgument(call, "c")]
    assert script.edited(edits) == b"f(a, b=g(2), d=4)\n"
    every: tuple[list[Operation], ...] = (
        [Replacement(one, "2"), Replacement(one, "3")],
        [AddedArgument(call, "b", "2")],
        [RemovedArgument(call, "x")],
        [Replacement(one, "2 +")],
        [AddedLine(next(script.every(cst.SimpleStatementLine)), "return")],
    )
    for wrong in every:
        with pytest.raises(NotEditableError):
            script.edited(wrong)


SOURCES = sorted((ROOT / "harness" / "spacediff" / "why").rglob("*.py"))


@settings(max_examples=examples(8))
@given(st.sampled_from(SOURCES), st.booleans(), st.booleans(), st.integers(0, 1000))
def test_a_replacement_changes_nothing_else(path: object, bom: bool, windows: bool, which: int) -> None:  # noqa: FBT001
    content = path.read_bytes()  # type: ignore[attr-defined]
    content = b"\xef\xbb\xbf" * bom + (content.replace(b"\n", b"\r\n") if windows else content)
    script = Script(content)
    assert script.edited([]) == content
    names = [node for node in script.every(cst.Name) if node.value == "site"]
    if names:
        edited = script.edited([Replacement(names[which % len(names)], "site_")])
        assert len(edited) == len(content) + 1
        assert edited.replace(b"site_", b"site") == content


@pytest.mark.parametrize(
    "content",
    [b"a = 1\rb = 2\r", b"x = '\xe9'", b"def f(:", b"a = " + b"-" * 400 + b"1", b"\0", b"(" * 300 + b")" * 300],
)
def test_what_cannot_be_edited_is_refused(content: bytes) -> None:
    with pytest.raises(NotEditableError):
        Script(content)
