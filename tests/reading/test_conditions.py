"""Conditions as text: how they combine, and their opposites."""

from __future__ import annotations

import pytest

from spacediff.reading.values import all_of, any_of, contradict, opposite


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ("seed", "not seed"), ("args.seed is not None", "args.seed is None"), ('kind == "a"', 'kind != "a"'),
        ("mode in MODES", "mode not in MODES"), ("a and b", "not (a and b)"), ("f(x)", "not f(x)"), ("", ""),
        ('os.environ.get("KEY")', 'not (os.environ.get("KEY"))'),
    ],
)  # fmt: skip
def test_the_opposite_of_a_condition_is_short_and_undoes_itself(condition: str, other: str) -> None:
    assert opposite(condition) == other
    assert opposite(other) == condition


def test_the_opposite_of_a_negated_call_is_the_call() -> None:
    assert opposite('not os.environ.get("KEY")') == 'os.environ.get("KEY")'


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ("a", "", "a"), ("", "b", "b"), ("a", "b", "a and b"), ("a and b", "b", "a and b"),
        ("a or b", "c", "(a or b) and c"),
        ('x != "a"', 'x == "b"', 'x == "b"'), ("a", "b" * 80, "b" * 80),
    ],
)  # fmt: skip
def test_two_conditions_that_both_hold(left: str, right: str, both: str) -> None:
    assert all_of(left, right) == both


@pytest.mark.parametrize(
    ("left", "right", "either"),
    [
        ("a", "", ""), ("a", "a", "a"), ("a", "not a", ""), ("a", "b", "a or b"), ("a and b", "a", "a"),
        ("a", "a and b", "a"), ("a and b or c", "c and d", "a and b or c"), ("a" * 50, "b" * 50, ""),
    ],
)  # fmt: skip
def test_two_conditions_of_which_one_holds(left: str, right: str, either: str) -> None:
    assert any_of(left, right) == either


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a", "not a", True), ("a and b", "c and not a", True), ("not (a and b)", "a and b", True), ("a", "b", False),
        ("a", "", False), ("a or b", "not a", False), ('k == "x"', 'k != "x" and b', True),
    ],
)  # fmt: skip
def test_conditions_that_cannot_both_hold(left: str, right: str, *, expected: bool) -> None:
    assert contradict(left, right) is expected
