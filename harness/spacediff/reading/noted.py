"""Notes as seen from the main call: under which condition the default inputs lead to them, given that it is made."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from spacediff.reading.interpreter.records import Condition, NotePlace, PipelineCall, usual_of, words_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Note
from spacediff.reading.values import all_of, any_of

_BEFORE_THE_CALL = frozenset({"LoRA", "attention", "caching", "patched part", "pipeline", "quantisation"})
"""Kinds of notes on what changes a pipeline, which has no effect on an earlier call."""


def notes_of(state: State, call: PipelineCall) -> list[Note]:
    """Return what was noted; what only another event leads to is not usual.

    Args:
        state: The interpreter, after it has followed the source.
        call: The main call. The conditions for it hold for everything that is noted.
    """
    return [_seen_from(state, call, note) for note in state.notes if not _is_too_late(state, call, note)]


def _is_too_late(state: State, call: PipelineCall, note: Note) -> bool:
    """Return whether a pipeline is only changed after the call, as by `pipe.disable_free_init()`."""
    places = state.noted_at(note)
    late = [place.entry == call.entry and place.calls > call.number for place in places]
    return note.kind in _BEFORE_THE_CALL and bool(places) and all(late)


def _seen_from(state: State, call: PipelineCall, note: Note) -> Note:
    places = state.noted_at(note)
    if not places:
        return note
    usual = [place for place in places if _is_usual(call, place)]
    return replace(
        note,
        only_if=reduce(any_of, (_words(state, call, place) for place in usual or places)),
        usual=bool(usual),
        perhaps=bool(usual) and all(usual_of(_own(call, place)) is None for place in usual),
    )


def _is_usual(call: PipelineCall, place: NotePlace) -> bool:
    return place.entry in {0, call.entry} and usual_of(_own(call, place)) is not False


def _words(state: State, call: PipelineCall, place: NotePlace) -> str:
    return all_of("" if place.entry == call.entry else state.entry_words[place.entry], words_of(_own(call, place)))


def _own(call: PipelineCall, place: NotePlace) -> list[Condition]:
    """Return the conditions for a note besides those for the call."""
    return [condition for condition in place.conditions if condition not in call.conditions]
