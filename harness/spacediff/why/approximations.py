"""What a script does and a scenario cannot say: settings without a place there, unknown ones, and notes.

A scenario that leaves something out is not the script, and what it measures says nothing of the script. So the list
goes into the scenario itself, where an audit stops at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.privacy.redaction import redact_text
from spacediff.scenario.tables import ALL_PARTS_ALIKE, NOT_AT_LOADING, SettingsTables
from spacediff.scenario.writing import one_line
from spacediff.settings import Origin, Setting, Settings, is_plain
from spacediff.why.defaults import defaults_of_call
from spacediff.why.differences import matters
from spacediff.why.effects import ABOUT_READING
from spacediff.why.round_trip import Refused, reason_at

if TYPE_CHECKING:
    from tomlkit.items import AoT

    from spacediff.reading import Reading

_DECLARABLE = frozenset(SettingsTables.model_fields)
_LONGEST = 300
"""Characters of a value."""


@dataclass(frozen=True)
class LeftOut:
    """One thing that a scenario leaves out.

    Attributes:
        setting: Dotted path, or the kind of a note.
        value: What the script has there, as text.
        where: File and line.
        reason: Why the scenario does not say it; may be empty.
    """

    setting: str
    value: str
    where: str
    reason: str


def why_left_out(path: str, value: Any, owner: str, refused: Refused) -> str:
    """Return why a scenario cannot hold a value; empty where it can.

    Args:
        path: Dotted path of the setting.
        value: Its value.
        owner: The table of the scenario, such as `baseline`.
        refused: What is known to be refused.
    """
    if path.split(".", 1)[0] not in _DECLARABLE:
        return "a scenario has no such setting"
    if path in NOT_AT_LOADING:
        return NOT_AT_LOADING[path]
    if path.startswith("load.") and isinstance(value, Mapping):
        return ALL_PARTS_ALIKE
    if value is None:
        return "a scenario has no value for None"
    return reason_at(f"{owner}.{path}", refused) or ("" if is_plain(value) else "a scenario has no such value")


def left_out(script: Reading, baseline: Settings, refused: Refused) -> list[LeftOut]:
    """Return what a scenario with this baseline leaves out of what was read of the script.

    Args:
        script: What was read of the script.
        baseline: The settings of the baseline, which may be corrected ones.
        refused: What is known to be refused.
    """
    settings = [*_settings_left_out(script, baseline, refused)]
    places = {one.where for one in settings}
    notes = [
        LeftOut(note.kind, f"{note.text}{f', only if {note.only_if}' if note.only_if else ''}", note.where, "")
        for note in script.notes
        if note.kind not in ABOUT_READING and note.usual and note.where not in places
    ]
    doubts = [LeftOut("the call that was read", text, script.called_at, "") for text in script.undecided]
    return settings + notes + doubts


def _settings_left_out(script: Reading, baseline: Settings, refused: Refused) -> Iterator[LeftOut]:
    for path, setting in baseline.items():
        if not matters(path) or _is_default(path, setting, script):
            continue
        if setting.origin is Origin.UNKNOWN:
            if not path.startswith("output."):  # clips are compared in the encoding of the Space's file
                words = script.unknowns.get(path, "only running the script would show it")
                yield LeftOut(path, f"unknown: {words}", setting.where, "")
        elif reason := why_left_out(path, setting.value, "baseline", refused):
            yield LeftOut(path, _described(setting.value, baseline), setting.where, reason)


def _is_default(path: str, setting: Setting, script: Reading) -> bool:
    """Whether a script passes None to an argument whose default it is."""
    table, _, name = path.partition(".")
    if table != "call" or setting.value is not None or setting.origin is not Origin.READ:
        return False
    is_known = bool(script.signature) or name in script.own_defaults
    return is_known and defaults_of_call(script).get(name) is None


def _described(value: Any, baseline: Settings) -> str:
    """Describe a value; of a part that is loaded or converted by itself, what differs from the pipeline."""
    if not isinstance(value, Mapping) or value.keys().isdisjoint({"class", "dtype"}):
        return repr(value)
    usual = {"class", "subfolder", *({"id"} if value.get("id") == baseline.value("model.id") else ())}
    own = {key: item for key, item in value.items() if key not in usual}
    dtype = own.pop("dtype", None)
    words = [*([str(dtype)] if dtype else []), *(f"{key} = {item!r}" for key, item in own.items())]
    return ", ".join(words) or f"{value['class']}, loaded by itself"


def approximations_table(found: list[LeftOut]) -> AoT:
    """Return the tables `[[approximations]]` of a scenario."""
    tables = tomlkit.aot()
    for one in found:
        table = tomlkit.table()
        for key, text in {"setting": one.setting, "value": one.value, "where": one.where, "reason": one.reason}.items():
            if text or key != "reason":
                table.append(key, _short(text) or "not known")
        tables.append(table)
    return tables


def _short(text: str) -> str:
    line = one_line(redact_text(text)).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
