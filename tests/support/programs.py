"""Scenarios whose reference is a program, and the run that they plan for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from spacediff.plan import plan_scenario
from spacediff.run import Run
from spacediff.scenario.scenario import parse_scenario


def scenario_text(run: list[str], *, prompt: str = "a lemon", more: str = "", **command: Any) -> str:
    """Return a scenario of one prompt whose reference is a program; `command` are further keys of its table."""
    keys = {"run": run, **command}
    table = "\n".join(f"{name} = {_toml(value)}" for name, value in keys.items())
    return f"""\
title = "t"
[prompts.p]
text = {_toml(prompt)}
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random", dtype = "float32" }}
{more}
[reference.command]
{table}
"""


def program(folder: Path, source: str, *arguments: str, **given: Any) -> Run:
    """Write a Python program into a folder, and return the run of the reference that calls it."""
    (folder / "own.py").write_text(source, encoding="utf-8")
    asked = [*arguments, "{out}"] if "{out}" not in "".join(arguments) else list(arguments)
    text = scenario_text([sys.executable, "own.py", *asked], **given)
    return reference_of(text, folder)


def reference_of(text: str, folder: Path) -> Run:
    """Return the run of the reference that a scenario plans."""
    (first, *_) = plan_scenario(parse_scenario(text, folder / "s.toml")).runs
    return first


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
