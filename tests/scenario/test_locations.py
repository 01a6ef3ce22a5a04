from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacediff.scenario.locations import DEEPEST, Places, dotted, places

TEXT = """\
title = "x"                       # 1
a.b."c d".e = [1, {x = 1, y.z = 2},
  # a comment is no item            3
  "s"]
[[shots]]                         # 5
x = 1
[shots.lens]                      # 7
note = \"\"\"
[not.a.table]
key = "no"
\"\"\"
[[shots]]                         # 12
x = 3
[[shots.cuts]]                    # 14
at = 3
[[shots.cuts]]                    # 16
at = 4
[ q . "r.s" ]                     # 18
'literal' = 1
[q]                               # 20
"tab\\there" = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("title", 1),
        ("a", 2),
        ("a.b", 2),
        ('a.b."c d".e', 2),
        ('a.b."c d".e.1.y.z', 2),
        ('a.b."c d".e.2', 4),
        ("shots", 5),
        ("shots.0.x", 6),
        ("shots.0.lens", 7),
        ("shots.0.lens.note", 8),
        ("shots.1", 12),
        ("shots.1.cuts.0.at", 15),
        ("shots.1.cuts.1", 16),
        ('q."r.s"', 18),
        ('q."r.s".literal', 19),
        ("q", 20),  # its own header, not the one that merely implies it
        ('q."tab\\there"', 21),
    ],
)
def test_every_key_and_table_has_its_line(path: str, line: int) -> None:
    assert places(TEXT)[path] == line


def test_text_inside_a_value_is_not_a_key() -> None:
    found = places(TEXT)
    assert "not.a.table" not in found
    assert "shots.0.lens.key" not in found
    assert len(found) == len(list(found))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shots.1.cuts.1.missing", 16),
        ("shots.1.missing.deeper", 12),
        ('q."r.s"."no such.key"', 18),
        ('q."no such"', 20),
        ("missing", 1),
        ("", 1),
    ],
)
def test_a_missing_path_has_the_line_of_its_nearest_ancestor(path: str, line: int) -> None:
    found = places(TEXT)
    assert path not in found
    assert found.line_of(path) == line


def test_outermost_path_on_a_line() -> None:
    found = places("[a]\nb = { c = 1, long_name = 2 }\n\nb = 3\n")
    assert [found.path_on(line) for line in (1, 2, 3, 4)] == ["a", "a.b", "", "a.b"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_broken_text_keeps_the_places_around_the_break(end: str) -> None:
    found = places(end.join(["[first]", "good = 1", "bad = ", "", "[second]", "also = = 2", "fine = 3"]))
    assert (found["first.good"], found["first.bad"], found["second"], found["second.fine"]) == (2, 3, 5, 7)


def test_deep_nesting_is_cut_off_not_followed() -> None:
    found = places("x = " + "[" * 20_000 + "\n" + ".".join(["deep"] * 2_000) + " = 1\n")
    assert max(path.count(".") for path in found) < DEEPEST


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        (("a", "b-c", 3), "a.b-c.3"),
        (("a.b", "c"), '"a.b".c'),
        (("ключ", 'say "hi"'), '"ключ"."say \\"hi\\""'),
        (("\x1b[2J",), '"\\u001b[2J"'),
        (("",), '""'),
    ],
)
def test_dotted_paths_quote_what_toml_would_quote(parts: tuple[str | int, ...], written: str) -> None:
    assert dotted(parts) == written
    assert Places([(written, 7)]).line_of(f"{written}.missing") == 7


@given(st.text())
@example("[[a]]\n[a.b]\n[[a]]\n[[a.b]]\n")
@example("a.\n")
@example('"\\ud800" = 1')
@example("\0 = [")
def test_any_text_has_places_inside_it(text: str) -> None:
    found = places(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


keys = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=6)
tables: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    keys,
    st.recursive(
        st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
        lambda inner: st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(tables)
def test_every_key_of_a_valid_text_has_a_place(data: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key, ensure_ascii=False)} = {_inline(value)}" for key, value in data.items()]
    text = "\n".join(lines)
    assert tomllib.loads(text) == data
    found = places(text)
    for number, (key, value) in enumerate(data.items(), start=1):
        assert {found[path] for path in _paths((key,), value)} == {number}


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k, ensure_ascii=False)} = {_inline(v)}' for k, v in value.items())}}}"
    return json.dumps(value)


def _paths(where: tuple[str | int, ...], value: Any) -> list[str]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [dotted(where), *(path for key, item in inside for path in _paths((*where, key), item))]
