"""From what was followed to a Reading: choose the call that is exported, and say each of its values."""

from __future__ import annotations

from dataclasses import replace

from spacediff.privacy.redaction import redact_text
from spacediff.reading.endpoints import endpoint_of
from spacediff.reading.interpreter.records import Export, PipelineCall
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.names import SCHEDULER_BASE
from spacediff.reading.model import Input, Note, Reading
from spacediff.reading.values import (
    Absent,
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    either,
    inside,
    is_small,
)
from spacediff.reading.values.inputs import json_of
from spacediff.settings import Origin, Setting, Settings

_MOST_NAMED = 6
_CALLED_WITH_NONE = frozenset({"argument", "parameter"})
"""Inputs that are None when nobody gives them; a component that is left empty is a question to the user."""


def harvest(state: State, like: str = "") -> Reading:
    """Return what a followed source says.

    Args:
        state: What followed it.
        like: The pipeline class whose call is read, where there are several.
    """
    notes = [*state.notes, *(Note("not read", text, text.partition(" ")[0]) for text in state.files.unreadable)]
    call, export = _chosen(state, like)
    if call is None:
        notes.append(Note("no pipeline", "no call of a diffusers pipeline was found", state.files.main.name))
        return Reading(ignored=state.ignored, notes=notes)
    paths = _paths_of(state, call)
    if export is not None:
        paths |= export.paths
    others: dict[str, list[str]] = {}
    for other in state.calls:
        if other.where != call.where:
            others.setdefault(other.where, []).append(other.name)
    if others:
        each = [f"{' or '.join(dict.fromkeys(names))} ({where})" for where, names in others.items()][:_MOST_NAMED]
        text = f"{call.name} ({call.where}) is the one that was read; also called: {', '.join(each)}"
        notes.append(Note("several pipelines", text, call.where))
    base = paths.pop(SCHEDULER_BASE, None)
    telling = _Telling()
    for path, value in paths.items():
        telling.tell(path, value)
    all_notes = [*notes, *telling.notes]
    return Reading(
        Settings(telling.settings),
        dict(sorted(telling.inputs.items())),
        dict(sorted(telling.alternatives.items())),
        state.ignored,
        [replace(note, text=redact_text(note.text), only_if=redact_text(note.only_if)) for note in all_notes],
        {path: redact_text(words) for path, words in sorted(telling.unknowns.items())},
        scheduler_base=telling.scheduler_base(base),
        endpoint=endpoint_of(state, call.number, telling.inputs),
        called_at=call.where,
        exported_by=export.name if export is not None else "",
    )


def _chosen(state: State, like: str) -> tuple[PipelineCall | None, Export | None]:
    """Return the call of the class that is wanted, or else the one whose result is exported, with its export.

    Text-to-video and the usual branch come first. Where nothing is exported, the last call is the run: those before it
    warm up.
    """
    exported = {export.results[0] for export in state.exports if export.results}
    exported |= {result for export in state.exports for result in export.results[:1]}
    fed = {number for call in state.calls for number in call.fed_by}

    def rank(call: PipelineCall) -> tuple[bool, bool, bool, bool, bool, int]:
        return (
            call.name != like,
            call.number not in exported,
            call.number in fed,
            not call.usual,
            any(word in call.name for word in ("ImageTo", "VideoTo", "Img2Img", "Inpaint", "Upscale", "Upsample")),
            call.number if exported else -call.number,
        )

    call = min(state.calls, key=rank, default=None)
    if call is None:
        return None, None
    own = [export for export in state.exports if call.number in export.results] or state.exports
    order = sorted(own, key=lambda one: ("gif" in one.name, not one.usual, not one.paths))
    return call, order[0] if order else None


def _paths_of(state: State, chosen: PipelineCall) -> dict[str, Value]:
    """Return the values of a call, joined with those of other times the same line is reached."""
    again = [call for call in state.calls if call.where == chosen.where and call.name == chosen.name]
    each = [chosen.paths, *(call.paths for call in again if call is not chosen)]
    names = dict.fromkeys(path for paths in each for path in paths)
    return {
        path: either([paths.get(path) or Absent(chosen.where) for paths in each], chosen.where, decided=True)
        for path in names
    }


class _Telling:
    """Turns values into settings, inputs, alternatives and questions."""

    def __init__(self) -> None:
        self.settings: dict[str, Setting] = {}
        self.inputs: dict[str, Input] = {}
        self.alternatives: dict[str, list[Setting]] = {}
        self.unknowns: dict[str, str] = {}
        self.notes: list[Note] = []

    def tell(self, path: str, value: Value) -> None:
        options = value.options if isinstance(value, Either) else (value,)
        told = [self._setting(path, option) for option in options]
        for option in options:
            if isinstance(option, Asked) and path not in self.inputs:
                self.inputs[path] = option.source
            if isinstance(option, Unknown) and option.random:
                self.notes.append(Note("random", f"{path} may be random: {option.text}", option.where))
        distinct = [setting for number, setting in enumerate(told) if setting not in told[:number]]
        if len(distinct) == 1:
            self._keep(path, distinct[0], options[0])
            return
        self.alternatives[path] = distinct
        if isinstance(value, Either) and value.decided:
            if not isinstance(options[0], Absent):
                self._keep(path, told[0], options[0])
            return
        words = ", ".join("not given" if isinstance(one, Absent) else _words(one) for one in options)
        self.settings[path] = Setting(None, Origin.UNKNOWN, value.where)
        self.unknowns[path] = f"one of: {words}"

    def scheduler_base(self, value: Value | None) -> Setting | None:
        """Return which checkpoint a scheduler's config begins from, on the usual branch; None for the pipeline's."""
        usual = value.options[0] if isinstance(value, Either) and value.decided else value
        return None if usual is None or isinstance(usual, Absent) else self._setting(SCHEDULER_BASE, usual)

    def _keep(self, path: str, setting: Setting, value: Value) -> None:
        self.settings[path] = setting
        if setting.origin is Origin.UNKNOWN:
            self.unknowns[path] = _words(value)

    def _setting(self, path: str, value: Value) -> Setting:  # noqa: PLR0911 - one way out for each kind
        if isinstance(value, Asked):
            if path == "rng.seed" and _is_negative(value.value):  # -1 asks for a random one
                return Setting(None, Origin.UNKNOWN, value.where)
            if (
                isinstance(value.value, Known)
                and value.value.value is None
                and value.source.kind not in _CALLED_WITH_NONE
            ):
                return Setting(None, Origin.UNKNOWN, value.where)
            return replace(self._setting(path, value.value), where=value.where)
        if isinstance(value, Absent):
            return Setting(None, Origin.DEFAULT, value.where)
        if isinstance(value, Known):
            if path == "rng.seed" and not isinstance(value.value, int):
                return Setting(None, Origin.UNKNOWN, value.where)
            return Setting(value.value, Origin.READ, value.where)
        if isinstance(value, Items | Table) and _whole(value):
            return Setting(json_of(value), Origin.READ, value.where)
        if isinstance(value, External) and "." in value.name:
            return Setting(value.name, Origin.READ, value.where)
        if isinstance(value, Function | Class):
            return Setting(value.name, Origin.READ, value.where)
        return Setting(None, Origin.UNKNOWN, value.where)


def _whole(value: Value) -> bool:
    """Return whether nothing in a list or dict is unknown."""
    if not is_small(value):
        return False
    if isinstance(value, Items | Table):
        return not value.open and all(_whole(item) for item in inside(value))
    if isinstance(value, Asked):
        return _whole(value.value) and value.value != Known(value.value.where, None)
    return isinstance(value, Known | External)


def _is_negative(value: Value) -> bool:
    return isinstance(value, Known) and isinstance(value.value, int) and value.value < 0


def _words(value: Value) -> str:
    """Return why a value is unknown, or what it is, in few words."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, Asked):
        return f"the user's {value.source.label or value.source.kind}"
    if isinstance(value, Attribute):
        return f"{_words(value.owner)}.{value.name}"
    if isinstance(value, Object):
        return f"a {value.kind} made here"
    if isinstance(value, External):
        return value.name
    return repr(json_of(value))
