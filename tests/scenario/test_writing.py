"""Any value that is written as TOML is read back equal."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from spacediff.scenario.writing import comment, commented, toml_path, toml_value, written_key

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = (
    texts
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


@given(values)
@example('"]\n[gate]\nvariant = "')
@example("\x7f\x85\u2028\u202e\0\x1b[2J'''\"\"\"\\")
@example({"": {"a.b": [{"c": 1e-300}], "\n": []}, "\0": ""})
@example([1e22, -0.0, 5e-324, 1.0, [True, [{}]]])
def test_a_value_is_read_back_equal(value: Any) -> None:
    document = tomlkit.document()
    document.append("value", toml_value(value))
    written = document.as_string()
    assert tomllib.loads(written) == {"value": value}
    assert written.count("\n") == 1
    assert repr(tomllib.loads(written)["value"]) == repr(value), "1.0 stays a float and -0.0 keeps its sign"


@given(texts.filter(lambda text: "." not in text), texts)
def test_a_setting_is_read_back_from_its_table(table: str, name: str) -> None:
    document = tomlkit.document()
    document.append(toml_path(f"{table}.{name}"), toml_value(1))
    assert tomllib.loads(document.as_string()) == {table: {name: 1}}


@given(texts)
def test_a_key_names_itself_and_is_printable(name: str) -> None:
    key = written_key(name)
    assert tomllib.loads(f"{key} = 1") == {name: 1}
    assert key.isprintable()


@given(texts)
@example("x\n[gate]")
@example("a\r\x85\u2028b")
def test_a_comment_adds_nothing_to_what_is_read(text: str) -> None:
    document = tomlkit.document()
    document.append("a", commented(tomlkit.item(1), text))
    document.add(comment(text))
    document.append("b", tomlkit.item(2))
    assert tomllib.loads(document.as_string()) == {"a": 1, "b": 2}


def test_a_value_that_toml_cannot_express_is_refused() -> None:
    with pytest.raises(tomlkit.exceptions.ConvertError):
        toml_value([{1, 2}])
