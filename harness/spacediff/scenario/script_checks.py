"""Checks of a scenario whose baseline is a script: what stands in place of settings, and what a variant can put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spacediff.errors import Mistake, nearest_name
from spacediff.observer.vae_state import SIZES
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.plain_tables import owners, table_at

_GROUP = "group_offload"
_BASELINE: Parts = ("baseline",)
_OF_SCRIPTS = ("args", "python")
_TAKEN = re.compile(
    r"placement|model\.(dtype|revision|variant)|load\.[^.]+(\..*)?|call\.[^.]+(\..*)?|scheduler\.[^.]+(\..*)?|rng\.(seed|device)|lora\.[^.]+\.scale"
    rf"|vae\.(dtype|tiling|slicing|({'|'.join(SIZES)})\w*)"
    r"|numerics\.(attention|compile(\..*)?|tf32|tf32_matmul|tf32_cudnn|deterministic|threads)"
)
"""Settings that are put into a script."""
_PUT_IN = (
    "call.…, scheduler.…, rng.seed, rng.device, vae.dtype, vae.tiling, vae.slicing and the sizes of its tiles, "
    "lora.NAME.scale, numerics.…, placement, load.…, model.dtype, revision or variant"
)


def has_script(data: Mapping[str, Any]) -> bool:
    """Whether the baseline of a scenario is a script."""
    return "script" in table_at(data, "baseline")


def script_checks(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check what the tables say of a script, or that they say nothing of one.

    Args:
        data: The tables from the TOML parser.
        lines: The lines of its keys.
    """
    baseline = table_at(data, "baseline")
    if has_script(data):
        yield from _baseline(baseline, lines)
        yield from _variants(data, lines)
        yield from _others(data, lines)
        return
    if "model" not in baseline and isinstance(data.get("baseline"), Mapping):
        yield mistake_at(
            lines, (*_BASELINE, "model"), "nothing", "a table with the key id; or script = FILE in its place"
        )
    for name in _OF_SCRIPTS:
        if name in baseline:
            yield mistake_at(lines, (*_BASELINE, name), shown(baseline[name]), "script as well: it is the script's")
    if "call" in baseline and isinstance(baseline["call"], int):
        expected = "a table of arguments; only with script, the number of its call"
        yield mistake_at(lines, (*_BASELINE, "call"), shown(baseline["call"]), expected)


def script_file_checks(files: Mapping[str, Path | None], lines: Places) -> Iterator[Mistake]:
    """Find a script or an interpreter that is not there.

    Args:
        files: `script` and `python`, as the baseline has them.
        lines: The lines of the file's keys.
    """
    for name, file in files.items():
        if file is not None and not file.is_file():
            yield mistake_at(lines, (*_BASELINE, name), shown(file.as_posix()), "a file that exists")


def _baseline(baseline: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    for name, value in baseline.items():
        if name not in {"script", "call", *_OF_SCRIPTS}:
            expected = "no settings next to a script, which has its own: what is to differ goes into a variant"
            nearest = "" if isinstance(value, Mapping) else nearest_name(name, _OF_SCRIPTS)
            found = f"the {'table' if isinstance(value, Mapping) else 'key'} {shown(name)}"
            yield mistake_at(lines, (*_BASELINE, name), found, expected, nearest)
        elif name == "call" and isinstance(value, Mapping):
            expected = "the number of the script's call, from 1; its arguments go into a variant"
            yield mistake_at(lines, (*_BASELINE, name), "a table", expected)


def _variants(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    for owner in owners(data)[1:]:
        for name, table in table_at(data, *owner).items():
            if name not in {"from", "about"}:
                yield from _refused((*owner, name), name, table, lines)


def _refused(where: Parts, path: str, value: Any, lines: Places) -> Iterator[Mistake]:
    if path == "placement" and value == _GROUP:
        expected = "another placement: group offloading has arguments that only the script knows"
        yield mistake_at(lines, where, shown(value), expected)
    if _TAKEN.fullmatch(path):
        return
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _refused((*where, name), f"{path}.{name}", inner, lines)
        return
    yield mistake_at(lines, where, f"the setting {shown(path)}", f"what can be put into a script: {_PUT_IN}")


def _others(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find what needs a pipeline of spacediff's own, and a Space that would get no prompt."""
    hosted = bool(table_at(data, "reference", "space"))
    for name, prompt in table_at(data, "prompts").items():
        if not isinstance(prompt, Mapping):
            continue
        if "inputs" in prompt and not hosted:
            expected = "no inputs: the script opens its own pictures and videos"
            yield mistake_at(lines, ("prompts", name, "inputs"), "inputs", expected)
        if hosted and "text" not in prompt and "inputs" not in prompt:
            yield mistake_at(lines, ("prompts", name, "text"), "nothing", "the text that the Space gets")
    if table_at(data, "steps").get("alone"):
        expected = "no such runs: the steps of a script cannot start from the latents of another run"
        yield mistake_at(lines, ("steps", "alone"), shown(table_at(data, "steps")["alone"]), expected)
