"""The trace that a program has written with `spacediff.trace.write`, read as that of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spacediff.observer.scaling import EXPLODING, FLOW, PRESERVING
from spacediff.record import NoiseRecord, StepRecord, TraceRecord
from spacediff.scenario.tables.settings import SettingsTables
from spacediff.settings import Origin, Settings, numbers_only
from spacediff.trace import VERSION

_SCALINGS = ("", PRESERVING, EXPLODING, FLOW)
_MOST_BYTES = 64_000_000
_NOT_WRITTEN = ("inputs", "conditions", "decoding")
"""What the file cannot say: encoded inputs, all conditions of a step, the decoded pictures."""


def read_trace(file: Path, *, private: bool = False) -> tuple[TraceRecord | None, Settings, tuple[str, ...]]:
    """Read the trace of a program.

    Args:
        file: The file, which need not be there.
        private: Whether the prompt is private: then only numbers of the settings are kept, and no reason is quoted.

    Returns:
        The trace, the settings in it, and warnings. Of a broken file, nothing is used.
    """
    if not file.is_file():
        return None, Settings(), ('the program wrote no trace to "{trace}"',)
    try:
        trace, settings = _read(file)
        return trace, numbers_only(settings) if private else settings, ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        said = "the trace that the program wrote cannot be read"
        return None, Settings(), (said if private else f"{said}: {reason}",)


def _read(file: Path) -> tuple[TraceRecord | None, Settings]:
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    first, *lines = (_parsed(line) for line in file.read_text("utf-8").splitlines() if line.strip())
    if first != {"spacediff_trace": VERSION}:
        raise ValueError(f"its first line is not that of version {VERSION}")
    merged: dict[str, Any] = {}
    steps: list[StepRecord] = []
    settings = Settings()
    for line in lines:
        if "step" in line:
            steps.append(_step(line["step"], len(steps) + 1))
        settings = settings.changed_by(_settings(line.get("settings", {})))
        merged |= {name: line[name] for name in ("noise", "embeddings", "scaling") if name in line}
    scaling = str(merged.get("scaling", ""))
    if scaling not in _SCALINGS:
        raise ValueError(f"its scaling is {scaling!r}, which is none of {', '.join(filter(None, _SCALINGS))}")
    noise = NoiseRecord.model_validate(merged["noise"]) if "noise" in merged else None
    embeddings = [str(each) for each in merged.get("embeddings", [])]
    said = {"text": embeddings, "noise": noise, "steps": steps}
    trace = TraceRecord(
        embeddings=embeddings,
        noise=noise,
        steps=steps,
        scaling=scaling,
        unobserved=[*(name for name, found in said.items() if not found), *_NOT_WRITTEN],
    )
    return (trace if any(said.values()) else None), settings


def _parsed(line: str) -> Any:
    found = json.loads(line)
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # a record has finite numbers and valid Unicode
    return found


def _step(found: Mapping[str, Any], expected: int) -> StepRecord:
    if found["number"] != expected:
        raise ValueError(f"step {found['number']} where step {expected} is expected")
    return StepRecord.model_validate({name: value for name, value in found.items() if name != "number"})


def _settings(found: Mapping[str, Any]) -> Settings:
    """Return the settings of a line; those under names that no run has would never be compared."""
    unknown = [name for name in found if name not in SettingsTables.model_fields]
    if unknown:
        raise ValueError(f"it has settings under {unknown[0]!r}, which is no table of a scenario")
    return Settings.of(found, Origin.OBSERVED, "the program's trace")
