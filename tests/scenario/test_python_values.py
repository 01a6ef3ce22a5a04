"""Values that TOML lacks, in a scenario: None, tuples, nested lists."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.errors import ScenarioError
from spacediff.scenario.literals import LONGEST, literal
from spacediff.scenario.scenario import Scenario, parse_scenario
from spacediff.scenario.writing import toml_value

BEGINNING = """
title = "t"
prompts.p = { text = "x", seed = 1 }
reference.variant = "baseline"
baseline.model = { id = "org/name" }
"""


def parsed(lines: str) -> Scenario:
    return parse_scenario(BEGINNING + lines, Path("s.toml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", None),
        (" (32, 32) ", [32, 32]),
        ("[('a', None), ['b', 1.5]]", [["a", None], ["b", 1.5]]),
        ("-1", -1),
        ("{'a': (1,)}", {"a": [1]}),
    ],
)
def test_a_literal_is_evaluated(text: str, value: Any) -> None:
    assert literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "1 +", "__import__('os')", "1e999", "float('nan')", "2 ** 3", "b'x'", "{1, 2}", "1j", "9" * 30,
        "(" * 5000, "-" * 19_000 + "1", "[" * 20 + "]" * 20, "[" + "1," * LONGEST + "]", "{1: 2}", "f'{1}'",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"literal|hold|malformed"):
        literal(text)


def test_settings_hold_none_and_lists() -> None:
    scenario = parsed("""
        [baseline.load]
        safety_checker = { python = "None" }
        [variants.a]
        scheduler.timesteps = { python = "None" }
        call.original_size = { python = "(32, 32)" }
        call.prompt_2 = [["a", "b"], [{ python = "None" }]]
        call.options.deep = { python = "None" }
    """)
    assert scenario.settings_of("baseline")["load.safety_checker"].value is None
    changes = scenario.changes_of("a")
    assert {path: one.value for path, one in changes.items()} == {
        "scheduler.timesteps": None,
        "call.original_size": [32, 32],
        "call.prompt_2": [["a", "b"], [None]],
        "call.options.deep": None,
    }
    assert changes["call.original_size"].where == "s.toml:11"


@pytest.mark.parametrize(
    ("line", "key", "found"),
    [
        ('baseline.call.a = { python = "x" }', "baseline.call.a.python", "'x'"),
        ("baseline.call.a = { python = 3 }", "baseline.call.a.python", "3"),
        ('baseline.call.a = { python = "1", b = 2 }', "baseline.call.a.python", "python beside other keys"),
        (r"""baseline.call.a = { python = '"\ud800"' }""", "baseline.call.a.python", r"""'"\\ud800"'"""),
        (r"""baseline.call.a = { python = '["\0"]' }""", "baseline.call.a.python", r"""'["\\0"]'"""),
        ('variants.v.load.a = [1, { python = "[" }]', "variants.v.load.a.1.python", "'['"),
        ('variants.v.model.variant = { python = "None" }', "variants.v.model.variant", "a table"),
        ('baseline.vae = { python = "None" }', "baseline.vae.python", "the unknown key 'python'"),
    ],
)
def test_a_mistake_has_line_and_key(line: str, key: str, found: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parsed(line)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.key, mistake.found) == (6, key, found)


TEXTS = st.characters(codec="utf-8", exclude_characters="\0")
"""What a literal may hold: no NUL, which no record can hold."""
LITERALS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(TEXTS, max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(LITERALS)
def test_what_is_written_is_read_back(value: Any) -> None:
    item = toml_value(value)
    read = tomllib.loads(f"value = {item.as_string()}")["value"]
    assert (literal(read["python"]) if isinstance(read, dict) else read) == value
