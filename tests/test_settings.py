from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spacediff.settings import Origin, Setting, Settings, diff

KEYS = st.text("abcdefgh_", min_size=1, max_size=4)
VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.lists(st.integers())
)
NESTED = st.dictionaries(
    KEYS, st.recursive(VALUES, lambda inner: st.dictionaries(KEYS, inner, min_size=1), max_leaves=6)
)


def declared(nested: dict[str, Any]) -> Settings:
    return Settings.of(nested, Origin.DECLARED, "here")


def test_tables_become_dotted_paths_and_back() -> None:
    settings = declared({"call": {"attention_kwargs": {"scale": 1}, "guidance_scale": 6.0}, "placement": "cpu"})
    assert list(settings) == ["call.attention_kwargs.scale", "call.guidance_scale", "placement"]
    assert settings.table("call") == {"attention_kwargs": {"scale": 1}, "guidance_scale": 6.0}
    assert settings["placement"] == Setting("cpu", Origin.DECLARED, "here")


def test_each_path_has_its_own_location() -> None:
    settings = Settings.of({"rng": {"seed": 1, "device": "cpu"}}, Origin.DECLARED, {"rng.seed": "a.toml:3"})
    assert (settings["rng.seed"].where, settings["rng.device"].where) == ("a.toml:3", "")


def test_a_change_overrides_a_value_and_a_default_does_not() -> None:
    baseline = declared({"call": {"guidance_scale": 6.0}})
    other = Settings.of({"call": {"guidance_scale": 7.0, "eta": 0.0}}, Origin.DEFAULT)
    assert baseline.changed_by(other).value("call.guidance_scale") == 7.0
    filled = baseline.filled_from(other)
    assert filled.value("call.guidance_scale") == 6.0
    assert filled["call.eta"].origin is Origin.DEFAULT


def test_a_value_replaces_a_table_and_a_table_replaces_a_value() -> None:
    table, value = declared({"call": {"kwargs": {"a": 1, "b": 2}}}), declared({"call": {"kwargs": "none"}})
    assert dict(table.changed_by(value)) == dict(value)
    assert dict(value.changed_by(table)) == dict(table)


def test_only_changed_and_missing_paths_are_listed() -> None:
    left = declared({"a": 1, "b": 2, "same": [1, 2]})
    right = declared({"a": 1.5, "c": 3, "same": [1, 2]})
    assert [(d.path, d.left and d.left.value, d.right and d.right.value) for d in diff(left, right)] == [
        ("a", 1, 1.5),
        ("b", 2, None),
        ("c", None, 3),
    ]


def test_an_unknown_value_never_counts_as_equal() -> None:
    unknown = Settings({"model.commit": Setting(None, Origin.UNKNOWN)})
    assert [d.path for d in diff(unknown, unknown)] == ["model.commit"]


def test_an_integer_equals_its_float_but_true_is_not_one() -> None:
    assert diff(declared({"scale": 6}), declared({"scale": 6.0})) == []
    assert len(diff(declared({"on": True}), declared({"on": 1}))) == 1


patient = hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
"""A busy machine takes long to draw nested tables."""


@patient
@given(NESTED)
def test_settings_do_not_differ_from_themselves(nested: dict[str, Any]) -> None:
    settings = declared(nested)
    assert diff(settings, settings) == []
    assert settings.digest() == Settings(dict(reversed(list(settings.items())))).digest()


@patient
@given(NESTED, NESTED)
def test_settings_that_differ_have_different_digests(left: dict[str, Any], right: dict[str, Any]) -> None:
    ours, theirs = declared(left), declared(right)
    if diff(ours, theirs):
        assert ours.digest() != theirs.digest()
    assert dict(ours.changed_by(theirs)) | dict(theirs) == dict(ours.changed_by(theirs))
