"""From what the interpreter wrote down to a `Reading`: choose the call, and turn its values into settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from spacediff.privacy.redaction import redact_text
from spacediff.reading.endpoints import endpoint_of
from spacediff.reading.interpreter.records import PipelineCall
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.diffusers.names import SCHEDULER_BASE
from spacediff.reading.libraries.diffusers.quantised_parts import QUANTISATION, places_of
from spacediff.reading.libraries.picture_steps import said_of, unturned_in
from spacediff.reading.machines import NO_ACCELERATOR
from spacediff.reading.main_call import condition_for, main_call, without_common_conditions
from spacediff.reading.model import Alternative, Input, Note, Reading
from spacediff.reading.noted import notes_of
from spacediff.reading.prompts import prompt_notes
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
    any_of,
    conditions_of,
    either,
    inside,
    is_small,
)
from spacediff.reading.values.inputs import json_of
from spacediff.scenario.owned import OWNED
from spacediff.settings import Origin, Setting, Settings

_CALLED_WITH_NONE = frozenset({"argument", "parameter", "field"})
"""Inputs that are None if the user gives nothing; the value of an empty component is unknown instead."""

_NEVER_EMPTY = frozenset({"model.id", "call.prompt", "call.image", "call.video", "load.vae"})
"""Settings without which the call cannot do its work."""


def extract(state: State, like: str = "", at: str = "") -> Reading:
    """Return what a source sets, after the interpreter has followed it.

    Args:
        state: The interpreter.
        like: The pipeline class whose call is read if the source calls several.
        at: Line, or file and line, of the call that is read; empty to choose one.

    Raises:
        CallNotFound: No pipeline is called at that line.
    """
    notes = [*(Note("not read", text, text.partition(" ")[0]) for text in state.files.unreadable)]
    if state.machine is not None and state.asked_of_machine:
        text = f"settings that depend on the machine are those of {state.machine.description}"
        notes.append(Note("machine", text, next(iter(state.asked_of_machine.values()))))
    chosen = main_call(state, like, at)
    notes = [*(notes_of(state, chosen.call) if chosen is not None else state.notes), *notes]
    doubts = [*state.doubts, *(f"not read: {text}" for text in state.files.unreadable)]
    if chosen is None:
        notes.append(Note("no pipeline", "no call of a diffusers pipeline was found", state.files.main.name))
        asked = tuple(state.asked_of_machine)
        return Reading(ignored=state.ignored, notes=notes, undecided=tuple(doubts), asked_of_machine=asked)
    call, export = chosen.call, chosen.export
    paths = _paths_of(state, call)
    if export is not None:
        paths |= export.paths
    notes = [_said(note, paths) for note in notes] + prompt_notes(state.rewriting, paths)
    base = paths.pop(SCHEDULER_BASE, None)
    builder = _SettingsBuilder()
    for path, value in paths.items():
        builder.add(path, value)
    if "call.*" in paths:
        doubts.append(f"the call at {call.where} may be given more arguments: {_described(paths['call.*'])}")
    all_notes = [*notes, *builder.notes]
    return Reading(
        Settings(builder.settings),
        dict(sorted(builder.inputs.items())),
        dict(sorted(builder.alternatives.items())),
        ignored=state.ignored,
        notes=[replace(note, text=redact_text(note.text), only_if=redact_text(note.only_if)) for note in all_notes],
        unknowns={path: redact_text(words) for path, words in sorted(builder.unknowns.items())},
        scheduler_base=builder.scheduler_base(base),
        endpoint=endpoint_of(state, call.number, builder.inputs),
        calls=tuple(replace(one, only_if=redact_text(one.only_if)) for one in chosen.calls),
        undecided=tuple(redact_text(text) for text in dict.fromkeys([*chosen.undecided, *doubts])),
        called_at=call.where,
        signature=call.signature,
        own_defaults={
            name: value.value
            for name, value in call.defaults.items()
            if isinstance(value, Known) and f"call.{name}" not in OWNED
        },
        exported_by=export.name if export is not None else "",
        asked_of_machine=tuple(state.asked_of_machine),
        gpu_requests=tuple(state.gpu_requests),
        answer_caches=tuple(map(redact_text, state.answer_caches)),
        machine=state.machine if state.asked_of_machine else None,
        described=frozenset(builder.described),
        unturned=frozenset(name for value in paths.values() for name in unturned_in(value)),
    )


def with_machines(reading: Reading, each: Mapping[str, Reading]) -> Reading:
    """Return what was read without knowing the machine, with the values on every possible machine.

    Args:
        reading: What was read without knowing the machine.
        each: Type of accelerator to what was read for a machine with it; `cpu` comes last.
    """
    by_machine = {}
    for path in reading.settings:
        values = {device: one.settings.get(path, Setting(None, Origin.DEFAULT, "")) for device, one in each.items()}
        if len({(value.origin, repr(value.value)) for value in values.values()}) > 1:
            by_machine[path] = values
    words = {path: _by_machine_described(values) for path, values in by_machine.items() if path in reading.unknowns}
    return replace(reading, by_machine=by_machine, unknowns={**reading.unknowns, **words})


def _by_machine_described(values: Mapping[str, Setting]) -> str:
    words = {device: _setting_described(value) for device, value in values.items()}
    otherwise = words.pop(NO_ACCELERATOR)
    return ", ".join([*(f"{each} with {device.upper()}" for device, each in words.items()), f"otherwise {otherwise}"])


def _setting_described(setting: Setting) -> str:
    if setting.origin is Origin.UNKNOWN:
        return "unknown"
    return "not given" if setting.origin is Origin.DEFAULT else repr(setting.value)


def _said(note: Note, paths: Mapping[str, Value]) -> Note:
    """Return a note with the setting that says the same, if there is one."""
    if note.kind == "input resizing":
        found = (path for path, value in paths.items() if (note.where, note.text) in said_of(value))
        path = next((f"inputs.{path.removeprefix('call.')}" for path in found), "")
        return replace(note, setting=next((each for each in paths if path and each.startswith(f"{path}.")), ""))
    value = paths.get(QUANTISATION)
    is_said = note.kind == "quantisation" and value is not None and note.where in places_of(value)
    return replace(note, setting=QUANTISATION) if is_said else note


def _paths_of(state: State, chosen: PipelineCall) -> dict[str, Value]:
    """Return the values of a call, joined with those of the other calls from the same line."""
    again = [call for call in state.calls if call.where == chosen.where and call.number != chosen.number]
    calls = without_common_conditions([chosen, *again])
    decided = calls[0].usual is True or all(call.usual is not calls[0].usual for call in calls[1:])
    if not decided:
        calls.sort(key=lambda call: call.number)
    each, only_if = [call.paths for call in calls], [condition_for(state, call, chosen) for call in calls]
    names = dict.fromkeys(path for paths in each for path in paths)
    return {
        path: either(
            [paths.get(path) or Absent(chosen.where) for paths in each],
            chosen.where,
            decided=decided,
            only_if=only_if,
        )
        for path in names
    }


class _SettingsBuilder:
    """Collects settings, inputs, alternatives and the reasons of unknown values."""

    def __init__(self) -> None:
        self.settings: dict[str, Setting] = {}
        self.inputs: dict[str, Input] = {}
        self.alternatives: dict[str, list[Alternative]] = {}
        self.unknowns: dict[str, str] = {}
        self.notes: list[Note] = []
        self.described: set[str] = set()

    def add(self, path: str, value: Value) -> None:
        options = value.options if isinstance(value, Either) else (value,)
        each = [self._setting(path, option) for option in options]
        for place, (option, condition) in enumerate(zip(options, conditions_of(value), strict=True)):
            if isinstance(option, Asked) and path not in self.inputs:
                self.inputs[path] = option.source
            if isinstance(option, Unknown) and option.random:
                usual = place == 0 or not (isinstance(value, Either) and value.decided)
                text = f"{path} may be random: {option.text}"
                self.notes.append(Note("random", text, option.where, condition, usual))
        distinct: dict[tuple[str, str, str], Alternative] = {}
        for setting, condition in zip(each, conditions_of(value), strict=True):
            where = "" if setting.origin is Origin.READ else setting.where
            key = setting.origin, where, repr(setting.value)
            kept = distinct.get(key)
            only_if = redact_text(condition if kept is None else any_of(kept.only_if, condition))
            distinct[key] = Alternative(setting, only_if)
        if len(distinct) == 1:
            self._keep(path, each[0], options[0])
            return
        self.alternatives[path] = list(distinct.values())
        if isinstance(value, Either) and value.decided:
            if not isinstance(options[0], Absent):
                self._keep(path, each[0], options[0])
            return
        words = ", ".join("not given" if isinstance(one, Absent) else _described(one) for one in options)
        self.settings[path] = Setting(None, Origin.UNKNOWN, value.where)
        self.unknowns[path] = f"one of: {words}"

    def scheduler_base(self, value: Value | None) -> Setting | None:
        """Return the checkpoint that the config of the scheduler comes from; None if it is the pipeline's own."""
        usual = value.options[0] if isinstance(value, Either) and value.decided else value
        return None if usual is None or isinstance(usual, Absent) else self._setting(SCHEDULER_BASE, usual)

    def _keep(self, path: str, setting: Setting, value: Value) -> None:
        self.settings[path] = setting
        if _names_something(value):
            self.described.add(path)
        if setting.origin is Origin.UNKNOWN:
            self.unknowns[path] = _described(value)

    def _setting(self, path: str, value: Value) -> Setting:  # noqa: PLR0911 - one way out for each kind
        if isinstance(value, Asked):
            if path == "rng.seed" and _is_negative(value.value):  # -1 requests a random seed
                return Setting(None, Origin.UNKNOWN, value.where)
            if _must_be_given(path, value):
                return Setting(None, Origin.UNKNOWN, value.where)
            return replace(self._setting(path, value.value), where=value.where)
        if isinstance(value, Absent):
            return Setting(None, Origin.DEFAULT, value.where)
        if isinstance(value, Known):
            if path == "rng.seed" and not isinstance(value.value, int):
                return Setting(None, Origin.UNKNOWN, value.where)
            return Setting(value.value, Origin.READ, value.where)
        if isinstance(value, Items | Table) and _is_complete(value):
            return Setting(json_of(value), Origin.READ, value.where)
        if isinstance(value, External) and "." in value.name:
            return Setting(value.name, Origin.READ, value.where)
        if isinstance(value, Function | Class):
            return Setting(value.name, Origin.READ, value.where)
        return Setting(None, Origin.UNKNOWN, value.where)


def _must_be_given(path: str, value: Asked) -> bool:
    """Return whether the default of an input is no value, so that the user has to give one."""
    default = value.value.value if isinstance(value.value, Known) else ""
    if path in _NEVER_EMPTY:
        return default in {None, ""}
    return default is None and value.source.kind not in _CALLED_WITH_NONE


def _is_complete(value: Value) -> bool:
    """Return whether a value, with everything inside it, is known."""
    if not is_small(value):
        return False
    if isinstance(value, Items | Table):
        return not value.open and all(_is_complete(item) for item in inside(value))
    if isinstance(value, Asked):
        return _is_complete(value.value) and not (isinstance(value.value, Known) and value.value.value in {None, ""})
    return isinstance(value, Known | External)


def _names_something(value: Value) -> bool:
    """Return whether a value is, or holds, something that a setting shows by its name alone."""
    if isinstance(value, Asked):
        return _names_something(value.value)
    if isinstance(value, Items | Table):
        return is_small(value) and any(map(_names_something, inside(value)))
    return isinstance(value, External | Function | Class)


def _is_negative(value: Value) -> bool:
    return isinstance(value, Known) and isinstance(value.value, int) and value.value < 0


def _described(value: Value) -> str:
    """Describe a value in a few words: for an unknown one its expression, for an input its label."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, Asked):
        return f"the user's {value.source.label or value.source.kind}"
    if isinstance(value, Attribute):
        return f"{_described(value.owner)}.{value.name}"
    if isinstance(value, Object):
        return f"a {value.kind} that the source creates"
    if isinstance(value, External):
        return value.name
    return repr(json_of(value))
