"""What holds only under other inputs than the default ones, as sentences."""

from __future__ import annotations

from spacediff.reading import Reading
from spacediff.settings import Origin, Setting

_MOST = 12
"""Conditions that are named."""


def under_conditions(side: str, reading: Reading) -> list[str]:
    """Return one sentence for each condition under which a source sets or does something else."""
    found: dict[str, list[str]] = {}
    for path, each in reading.alternatives.items():
        for one in each[1:]:
            if one.only_if and not (one.setting.origin is Origin.UNKNOWN and path in reading.inputs):
                found.setdefault(one.only_if, []).append(f"{path} = {_described(one.setting)}")
    for note in reading.notes:
        if note.only_if:
            found.setdefault(note.only_if, []).append(f"{note.kind}: {note.text} ({note.where})")
    sentences = [f"{side}, only if {words}: {', '.join(dict.fromkeys(each))}" for words, each in found.items()]
    more = len(sentences) - _MOST
    return sentences if more <= 0 else [*sentences[:_MOST], f"{side}: {more} more conditions, in `spacediff read`"]


def _described(setting: Setting) -> str:
    if setting.origin is Origin.UNKNOWN:
        return f"unknown ({setting.where})"
    return "not given" if setting.origin is Origin.DEFAULT else f"{setting.value!r} ({setting.where})"
