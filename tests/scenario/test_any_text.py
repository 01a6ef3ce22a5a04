from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from spacediff.errors import ScenarioError
from spacediff.scenario.owned import OWNED
from spacediff.scenario.scenario import parse_scenario
from support.scenarios import DESIGN, HERE, MINIMAL, keys_of

# Properties
words = st.sampled_from(
    [*DESIGN.split(), *DESIGN.splitlines(keepends=True), "\n", " = ", ".", "[", "]", "{", "}", '"', "'", "nan", "1e999"]
)


@given(st.text() | st.lists(words | st.text(max_size=3)).map("".join))
@example("[[prompts]]\n[baseline]\nmodel=[{}]\n[[variants.x]]\nfrom={}\n[reference]\nvideo=[]\n")
@example("prompts=[]\nvariants=1\nreference={space=[],video={files=[{}]}}\nexplain=[]\ngate=''\nscale=[{}]")
def test_any_text_is_a_scenario_or_a_list_of_mistakes(text: str) -> None:
    try:
        parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)


@given(st.data())
def test_a_damaged_scenario_is_still_one_or_a_list_of_mistakes(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DESIGN)))
    end = data.draw(st.integers(start, min(start + 40, len(DESIGN))))
    text = DESIGN[:start] + data.draw(words | st.text(max_size=8)) + DESIGN[end:]
    try:
        scenario = parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)
    else:
        assert all(scenario.settings_of(name) for name in ("baseline", *scenario.variant_names()))


def assert_clear(error: ScenarioError, text: str) -> None:
    assert error.mistakes
    for mistake in error.mistakes:
        assert 1 <= mistake.line <= text.count("\n") + 1
        assert mistake.found
        assert mistake.expected
        assert "Input should" not in mistake.expected
        assert mistake.key.isprintable()


arguments = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: f"call.{name}" not in OWNED)


inner_keys = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="."), min_size=1, max_size=6
).filter(
    lambda key: key != "python"  # a table with this key says a value that TOML lacks
)


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)


scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts


json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(inner_keys, inner, max_size=3),
    max_leaves=6,
)


known_keys = st.sampled_from(sorted({part for path in keys_of(tomllib.loads(DESIGN)) for part in path})) | inner_keys


misfits = st.recursive(
    scalars | st.sampled_from(["baseline", "dpm", "as-hosted", "{prompt}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(known_keys, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(keys_of(tomllib.loads(DESIGN))), misfits), max_size=3))
def test_any_value_at_any_place_is_accepted_or_a_mistake(changes: list[tuple[tuple[str, ...], Any]]) -> None:
    data: dict[str, Any] = tomllib.loads(DESIGN)
    for where, value in changes:
        table = data
        for part in where[:-1]:
            table = table[part] if isinstance(table.get(part), dict) else {}
        table[where[-1]] = value
    text = "".join(f"{json.dumps(key, ensure_ascii=False)} = {toml(value)}\n" for key, value in data.items())
    try:
        scenario = parse_scenario(text, HERE)
    except ScenarioError as error:
        assert_clear(error, text)
    else:
        assert all(scenario.settings_of(name) for name in ("baseline", *scenario.variant_names()))


@given(st.dictionaries(arguments, json_values, min_size=1, max_size=4), st.dictionaries(arguments, scalars, max_size=3))
def test_any_nesting_of_values_survives(call: dict[str, Any], changed: dict[str, Any]) -> None:
    text = f"{MINIMAL}baseline.call = {toml(call)}\nvariants.x.call = {toml(changed)}\n"
    scenario = parse_scenario(text, HERE)
    declared = scenario.settings_of("baseline")
    assert declared.table("call") == call
    assert all(declared[path].where == f"{HERE.name}:5" for path in declared if path.startswith("call."))
    assert scenario.settings_of("x") == declared.changed_by(scenario.changes_of("x"))
    assert scenario.settings_of("x").table("call") == {**call, **changed}


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k, ensure_ascii=False)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
