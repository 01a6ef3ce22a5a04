"""Which call of a source is the main one, and what the other calls are for.

The key insight is that a source calls several pipelines for one clip: an upscaler works on what another call made, a
prior prepares something for it. Such a call is a stage. Of the others, the default inputs decide; where they do not,
the choice is reported as undecided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spacediff.errors import CallNotFound
from spacediff.reading.interpreter.records import Export, PipelineCall, usual_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Call, CallRole
from spacediff.reading.values import (
    Absent,
    Asked,
    External,
    Known,
    Object,
    Unknown,
    Value,
    Widget,
    all_of,
    alternatives,
    any_of,
)

_REFINES = re.compile(r"Upsampl|Upscal|Refin|SuperRes|Interpol|Img2Img|Inpaint|VideoToVideo", re.IGNORECASE)
"""Pipelines that work on what another pipeline made, if they are given it."""
_PREPARES = re.compile(r"Prior|Redux|Marigold|Depth|Normals|Preprocess|Annotat|Detector")
"""Pipelines that make an input of another pipeline, such as embeddings or a map of depths."""
_ONLY_STAGES = re.compile(rf"{_PREPARES.pattern}|Upsampl|Upscal|Refin|SuperRes|Interpol")
"""Pipelines that are a stage wherever another one is called."""
_CARRIERS = frozenset({"State", "Image", "ImageEditor", "Video", "Gallery", "File", "Files"})
"""Components that carry the result of one event to another one."""
_NEEDS_FRAMES = ("ImageTo", "VideoTo", "Img2Img", "Inpaint", "Upscale", "Upsample")
_NOT_COMPARED = re.compile(r"call\.(negative_)?prompt(_\d)?$|call\.(image|video|control_\w+)$|rng\.seed$")
"""What two calls for the same purpose may have differently, such as one call for each of several prompts."""
_MOST_NAMED = 6
_LIKELY = {True: 0, None: 1, False: 2}
"""How far behind a call is, by whether the default inputs lead to it."""


@dataclass(frozen=True, slots=True)
class MainCall:
    """The call that is read.

    Attributes:
        call: The call.
        export: What writes its frames to a file; None if nothing was found.
        calls: Every call with its role, in the order of the source.
        undecided: Why another call may be the main one; empty if it is decided.
    """

    call: PipelineCall
    export: Export | None
    calls: tuple[Call, ...]
    undecided: tuple[str, ...]


def main_call(state: State, like: str = "", at: str = "") -> MainCall | None:
    """Return the main call; None if the source calls no pipeline.

    Args:
        state: The interpreter, after it has followed the source.
        like: The pipeline class whose call is preferred.
        at: Line, or file and line, of the call that is wanted; empty to choose one.

    Raises:
        CallNotFound: No pipeline is called at the line that is wanted.
    """
    if not state.calls:
        if at:
            raise CallNotFound(f"no pipeline is called at {at}", hint="no call of a diffusers pipeline was found")
        return None
    stages = _stages(state.calls, _fed_by_components(state))
    candidates = _at(state.calls, at) if at else [call for call in state.calls if call.number not in stages]
    exported = {number for export in state.exports if export.usual for number in export.results}
    candidates = without_common_conditions(candidates or state.calls)
    chained = {number for event, numbers in state.reached if event.after is not None for number in numbers}
    ranked = sorted(candidates, key=lambda call: _rank(call, like, exported, chained))
    chosen = ranked[0]
    wanted = [call for call in ranked if call.name == like] if chosen.name == like else ranked
    rivals = [] if at else _rivals(chosen, wanted, exported)
    main = next(call for call in state.calls if call.number == chosen.number)
    return MainCall(
        main,
        _export_of(chosen, state.exports),
        tuple(_described(state, main, stages, rivals)),
        tuple(_doubts(chosen, rivals)),
    )


def condition_for(state: State, call: PipelineCall, chosen: PipelineCall) -> str:
    """Return the condition for a call as text; that of another event than the main call's begins with the event."""
    return all_of("" if call.entry == chosen.entry else state.entry_words[call.entry], call.only_if)


def without_common_conditions(calls: Sequence[PipelineCall]) -> list[PipelineCall]:
    """Return calls without the conditions that all of them have, which do not help to choose one.

    An app that returns nothing as long as its user has given nothing is an example.
    """
    common = {one for one in calls[0].conditions if one.text}.intersection(*(call.conditions for call in calls))
    return [replace(call, conditions=tuple(one for one in call.conditions if one not in common)) for call in calls]


def _at(calls: Sequence[PipelineCall], at: str) -> list[PipelineCall]:
    """Return the calls at a line, or at a file and line; the first file that has some counts."""
    found = [call for call in calls if call.where == at or call.where.endswith((f":{at}", f", {at}", f"line {at}"))]
    if not found:
        places = ", ".join(dict.fromkeys(f"{call.name} ({call.where})" for call in calls))
        raise CallNotFound(f"no pipeline is called at {at}", hint=f"calls: {places}")
    first = found[0].where
    if at.isdecimal() and ", cell " in first and len({call.where for call in found}) > 1:
        places = ", ".join(dict.fromkeys(f"{call.name} ({call.where.partition(', ')[2]})" for call in found))
        raise CallNotFound(f"several cells call a pipeline at line {at}", hint=f"give cell and line: {places}")
    return [call for call in found if call.where == first]


def _fed_by_components(state: State) -> dict[int, tuple[int, ...]]:
    """Return number of a call to those of earlier events whose results it receives through components."""
    found: dict[int, tuple[int, ...]] = {}
    for later, ours in state.reached:
        needed = {one.key for one in later.inputs or () if isinstance(one, Widget) and one.source.kind in _CARRIERS}
        for earlier, theirs in state.reached:
            shown = {one.key for one in earlier.outputs or () if isinstance(one, Widget)}
            if earlier is not later and needed & shown:
                found |= {number: (*found.get(number, ()), *theirs) for number in ours}
    return found


def _stages(calls: Sequence[PipelineCall], through_components: Mapping[int, Sequence[int]]) -> set[int]:
    """Return the numbers of the calls that prepare or refine for another one; never all of them."""
    by_number = {call.number: call for call in calls}
    found = {call.number for call in calls if _ONLY_STAGES.search(call.name)}
    for later in calls:
        fed_by = {*later.fed_by, *through_components.get(later.number, ())}
        for earlier in (by_number[number] for number in sorted(fed_by) if number in by_number):
            if earlier.where == later.where and earlier.name == later.name:
                continue
            found.add(later.number if _refines(earlier, later) else earlier.number)
    return found if len(found) < len(calls) else set()


def _refines(earlier: PipelineCall, later: PipelineCall) -> bool:
    """Return whether a call works on the result of an earlier one; otherwise the earlier one prepares for it."""
    if _PREPARES.search(earlier.name):
        return False
    partial = {"call.latents", "call.strength", "call.denoise_strength", "call.denoising_start"} & later.paths.keys()
    return bool(_REFINES.search(later.name) or partial or later.name == earlier.name)


def _rank(
    call: PipelineCall, like: str, exported: set[int], chained: set[int]
) -> tuple[bool, int, bool, bool, bool, int, int]:
    """Return the place of a candidate in the order of preference, the smallest first.

    The wanted class comes first, then what the default inputs lead to, then what is exported, text-to-video, an event
    that follows no other one, the first event. Of several calls in a row that are not exported, the last one counts,
    since those before it often warm up.
    """
    return (
        bool(like) and call.name != like,
        _LIKELY[call.usual],
        call.number not in exported,
        any(word in call.name for word in _NEEDS_FRAMES),
        call.number in chained,
        call.entry,
        call.number if call.number in exported else -call.number,
    )


def _export_of(call: PipelineCall, exports: Sequence[Export]) -> Export | None:
    own = [export for export in exports if call.number in export.results] or exports
    order = sorted(own, key=lambda one: ("gif" in one.name, not one.usual, not one.paths))
    return order[0] if order else None


def _rivals(chosen: PipelineCall, ranked: Sequence[PipelineCall], exported: set[int]) -> list[PipelineCall]:
    """Return one call for each place that may be the main one just as well."""
    found: dict[tuple[str, str], PipelineCall] = {}
    for call in ranked:
        place = call.where, call.name
        if place == (chosen.where, chosen.name) or place in found or _alike(call, chosen):
            continue
        likelier = _LIKELY[call.usual] < _LIKELY[chosen.usual]
        as_likely = call.usual is chosen.usual
        warms_up = call.entry == chosen.entry and chosen.number in exported and call.number not in exported
        if likelier or (as_likely and not warms_up):
            found[place] = call
    return list(found.values())


def _alike(left: PipelineCall, right: PipelineCall) -> bool:
    """Return whether two calls have the same settings, so that it does not matter which one is read."""
    paths = {path for path in {*left.paths, *right.paths} if not _NOT_COMPARED.search(path)}
    return left.name == right.name and all(_key(left.paths.get(path)) == _key(right.paths.get(path)) for path in paths)


def _key(value: Value | None) -> object:
    """Return what two equal settings have in common."""
    if value is None or isinstance(value, Absent):
        return None
    each = [one.value if isinstance(one, Asked) else one for one in alternatives(value)]
    return [
        (type(one.value), one.value) if isinstance(one, Known)
        else one.name if isinstance(one, External)
        else one.cell if isinstance(one, Object)
        else one.text if isinstance(one, Unknown)
        else id(one)
        for one in each
    ]  # fmt: skip


def _doubts(chosen: PipelineCall, rivals: Sequence[PipelineCall]) -> list[str]:
    if not rivals:
        return []
    others = ", ".join(f"{call.name} ({call.where})" for call in rivals[:_MOST_NAMED])
    read = f"{chosen.name} ({chosen.where}) was read"
    if any(call.usual is True for call in rivals) and chosen.usual is not True:
        return [f"{read}, but the default inputs lead to {others}; choose with --call LINE"]
    return [f"several calls may be the main one: {read}, not {others}; choose with --call LINE"]


def _described(state: State, main: PipelineCall, stages: set[int], rivals: Sequence[PipelineCall]) -> list[Call]:
    """Return every call with its role, one for each place and class."""
    contested = {(call.where, call.name) for call in rivals}
    found: dict[tuple[str, str], Call] = {}
    for call in sorted(state.calls, key=lambda one: one.number != main.number):
        place, only_if, usual = (call.where, call.name), condition_for(state, call, main), _usual(call, main)
        if place in found:
            kept = found[place]
            usual = kept.usual if kept.role == "main" else min(kept.usual, usual, key=_LIKELY.__getitem__)
            found[place] = replace(kept, only_if=any_of(kept.only_if, only_if), usual=usual)
        else:
            role = _role(call, main, stages, contested=place in contested)
            found[place] = Call(call.name, call.where, only_if, usual, role)
    numbers = {(call.where, call.name): call.number for call in reversed(state.calls)}
    return [found[place] for place in sorted(found, key=lambda place: numbers[place])]


def _usual(call: PipelineCall, main: PipelineCall) -> bool | None:
    """Return whether the default inputs lead to a call, given that they lead to the main call."""
    if call.number == main.number:
        return main.usual
    return usual_of([condition for condition in call.conditions if condition not in main.conditions])


def _role(call: PipelineCall, main: PipelineCall, stages: set[int], *, contested: bool) -> CallRole:
    if call.number == main.number:
        return "main"
    if call.number in stages:
        return "stage"
    apart = call.entry != main.entry or not set(call.conditions) <= set(main.conditions)
    return "alternative" if contested or apart else "other"
