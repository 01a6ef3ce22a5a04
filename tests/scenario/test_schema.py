from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from spacediff.scenario.scenario import scenario_schema
from support.scenarios import DESIGN, MINIMAL, keys_of, mistakes_in


# The schema
def permits(node: dict[str, Any], where: tuple[str, ...]) -> bool:
    """Whether a schema knows a key, by its own reading of the JSON Schema words that ours uses."""
    schema = scenario_schema()
    for part in where:
        node = {**schema["$defs"][node["$ref"].removeprefix("#/$defs/")], **node} if "$ref" in node else node
        if part in node.get("properties", {}):
            node = node["properties"][part]
        elif "patternProperties" in node:
            [node] = node["patternProperties"].values()
        else:
            return node.get("additionalProperties") is True and part not in node.get("propertyNames", {}).get(
                "not", {}
            ).get("enum", ())
    return True


def test_the_schema_knows_every_key_of_the_example() -> None:
    paths = keys_of(tomllib.loads(DESIGN))
    assert ("variants", "dpm", "scheduler", "class") in paths
    assert all(permits(scenario_schema(), path) for path in paths)


@pytest.mark.parametrize(
    "key", ["titel", "baseline.modle", "baseline.rng.sed", "baseline.call.prompt", "variants.x.from_", "gate.drift"]
)
def test_the_schema_refuses_what_loading_refuses(key: str) -> None:
    assert not permits(scenario_schema(), tuple(key.split(".")))
    assert key in {mistake.key for mistake in mistakes_in(f"{MINIMAL}{key} = 1\n")}


def test_the_schema_suits_an_editor() -> None:
    schema = scenario_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["required"] == ["title", "prompts", "baseline", "reference"]
    text = json.dumps(schema)
    assert "null" not in text  # TOML has none
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        for key, node in definition["properties"].items():
            assert "$ref" in node or node["description"], f"{name}.{key}"
    both = schema["$defs"]["Variant"]["properties"]["from"]["anyOf"]
    assert [option["type"] for option in both] == ["string", "array"]
