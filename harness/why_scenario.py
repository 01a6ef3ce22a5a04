"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.completing import is_plain
from harness.errors import SpacediffError
from harness.reading import Reading
from harness.scenario_tables import SettingsTables
from harness.settings import Origin, Setting
from harness.why import UNSAID, Comparison, matters


def scenario_text(comparison: Comparison, script: Reading, space_id: str) -> str:
    """Return the scenario that measures the differences, as TOML; what could not be read stands in comments."""
    prompt, seed = script.settings.value("call.prompt"), script.settings.value("rng.seed")
    changes = {row.path: row.right for row in comparison.differences}
    lines = [
        f"title = {_toml(f'The script against {space_id}')}",
        "",
        "[prompts.main]",
        f"text = {_toml(prompt if isinstance(prompt, str) and prompt.strip() else 'write the prompt here')}",
        f"seed = {seed if type(seed) is int and seed >= 0 else 42}",
        "",
        "[baseline]                     # what was read of the script",
        *_assignments(script.settings),
        "",
        "[reference.space]",
        f"id = {_toml(space_id)}",
        'endpoint = "/generate"         # the name and the inputs stand on the Space\'s page, under "Use via API"',
        'inputs = { prompt = "{prompt}", seed_value = "{seed}" }',
        "",
        "[variants.as-hosted]           # what was read of the Space, where it differs",
        *_assignments(changes),
        "",
        "[explain]",
        'from = "baseline"',
        'to = "as-hosted"',
        "",
        "[gate]",
        'variant = "as-hosted"',
    ]
    return "\n".join([*lines, *(f"# open: {question}" for question in comparison.questions)]) + "\n"


def write_scenario(text: str, path: Path) -> None:
    """Write a scenario into a new file.

    Raises:
        SpacediffError: There is a file already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SpacediffError(f"{path} is there already", hint="name another file with --write") from error
    except OSError as error:
        raise SpacediffError(f"{path} cannot be written: {error.strerror}") from error


_DECLARABLE = frozenset(SettingsTables.model_fields)


def _assignments(settings: Mapping[str, Setting]) -> list[str]:
    return [
        f"{path} = {_toml(setting.value)}"
        for path, setting in sorted(settings.items())
        if path.split(".", 1)[0] in _DECLARABLE
        and matters(path)
        and path != "call.prompt"
        and setting.origin is not Origin.UNKNOWN
        and setting is not UNSAID
        and is_plain(setting.value)
    ]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
