"""What a script and a Space set differently, known before anything is generated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from spacediff.catalogue.pipelines import GENERIC, task_of
from spacediff.reading import Reading
from spacediff.scenario.owned import OWNED
from spacediff.settings import Difference, Origin, Settings, diff
from spacediff.why.built_scheduler import built_scheduler
from spacediff.why.common_terms import CommonTerms, in_common_terms
from spacediff.why.compared import SCRIPT, SPACE, UNSET, ComparedSettings, SideRead, SourceDifference
from spacediff.why.conditions import under_conditions
from spacediff.why.effects import Effect, differing_effects
from spacediff.why.other_code import has_unknown_default, pipeline_of_other_code
from spacediff.why.questions import question
from spacediff.why.seeds import (
    computed_prompt,
    is_computed,
    is_fixed,
    is_unseeded,
    is_users,
    random_seeds,
    seed_to_enter,
    user_values_to_enter,
)
from spacediff.why.sizes import cause_of
from spacediff.why.versions import differing_versions

_NOT_SETTINGS = frozenset({"call.prompt", "rng.seed"})
"""Prompt and seed, which the scenario sets anyway."""

_MOST_CALLS = 8
"""Calls of one source that are named."""
_SIZES = {"another sample": 0, "small to another sample": 0, "large": 1, "small to large": 1, "small": 2, "none": 3}


def compare_sources(script: Reading, space: Reading, *, ask: bool = False) -> ComparedSettings:
    """Compare two sources; what they do not set has the defaults of library and checkpoint.

    Needs neither torch nor a device: defaults are read from the source of the installed diffusers.

    Args:
        script: What was read of the user's script.
        space: What was read of the Space, which is not trusted.
        ask: Whether checkpoints are looked up on the Hub, and those of the script also in folders of this machine.
    """
    common = in_common_terms(script, space, ask=ask)
    left, right = common.left, common.right
    compared = {path for path in {*left, *right} if _is_compared(path, space)}
    differing = [
        SourceDifference(
            each.path,
            each.left or UNSET,
            each.right or UNSET,
            cause_of(each.path, left, right),
            _unread_side(each, common),
        )
        for each in diff(left, right)
    ]
    rows = [row for row in differing if row.path in compared or is_fixed(row.path, script, space)]
    rows = [row for row in rows if not is_unseeded(row.path, space)]
    rows = [row for row in rows if not _is_default_of_one_side(row, script, space)]
    unknown = [row for row in rows if not row.certain]
    agreeing = compared - {row.path for row in differing}
    effects = [
        *random_seeds(script, space),
        *computed_prompt(space),
        *built_scheduler(script, space),
        *pipeline_of_other_code(script, space),
        *differing_effects(script, space),
    ]
    return ComparedSettings(
        differences=sorted(
            (row for row in rows if row.certain), key=lambda row: _SIZES.get(row.known.size, 1) if row.known else 1
        ),
        effects=effects,
        unknown=unknown,
        questions=[
            *(question(row, script, space) for row in unknown),
            *(f"which scheduler does {side} use? {reason}" for side, reason in common.unresolved.items()),
            *(each.question for each in differing_versions(space)),
        ],
        conditions=[*under_conditions(SCRIPT, script), *under_conditions(SPACE, space)],
        ignored=[*_ignored(SCRIPT, script), *_ignored(SPACE, space)],
        notes=[
            *seed_to_enter(script, space),
            *user_values_to_enter(script, space),
            *common.notes,
            *_notes(SCRIPT, script, effects),
            *_notes(SPACE, space, effects),
        ],
        equal=len(agreeing),
        by_default=sum(Origin.READ not in (left[path].origin, right[path].origin) for path in agreeing),
        comparable=any(_is_given(path, left, right) for path in compared),
        sides=(_side(SCRIPT, script, left, compared, rows), _side(SPACE, space, right, compared, rows)),
        script=common.script,
        other_task=_other_task(left, right),
    )


def _is_compared(path: str, space: Reading) -> bool:
    """Whether a setting is compared and counted: a scenario measures it, or the Space computes it by itself."""
    return (matters(path) and not is_users(path, space)) or is_computed(path, space)


def _is_default_of_one_side(row: SourceDifference, script: Reading, space: Reading) -> bool:
    """Whether only diffusers' own call has a default there, and the other side's is of other code."""
    ours, theirs = row.left, row.right
    if ours is UNSET and theirs.origin is Origin.DEFAULT:
        return has_unknown_default(row.path, script)
    return theirs is UNSET and ours.origin is Origin.DEFAULT and has_unknown_default(row.path, space)


def _unread_side(each: Difference, common: CommonTerms) -> str:
    """Return the side that does not give a setting, where what decides then could not be read; else nothing."""
    if each.left and each.right:
        return ""
    side, settings = (SPACE, common.right) if each.left else (SCRIPT, common.left)
    is_generic = settings.value("model.pipeline") in GENERIC
    is_unread = (each.path.startswith("scheduler.") and side in common.unresolved) or (
        each.path.startswith("call.") and is_generic
    )
    return side if is_unread else ""


def _other_task(left: Settings, right: Settings) -> str:
    ours, theirs = left.value("model.pipeline"), right.value("model.pipeline")
    own, other = task_of(ours), task_of(theirs)
    if not own or not other or own == other:
        return ""
    return f"The pipelines are of different kinds: {ours} of the script works {own}, {theirs} of the Space {other}."


def _is_given(path: str, left: Settings, right: Settings) -> bool:
    """Whether a setting is known on both sides, and a source gives it; the pipeline's class alone says little."""
    ours, theirs = left.get(path, UNSET), right.get(path, UNSET)
    known = Origin.UNKNOWN not in (ours.origin, theirs.origin) and "global" not in (ours.value, theirs.value)
    return known and Origin.READ in (ours.origin, theirs.origin) and path != "model.pipeline"


def _side(
    name: str, reading: Reading, settings: Settings, paths: Collection[str], rows: Iterable[SourceDifference]
) -> SideRead:
    """Count what was read of a side among the settings that are compared; defaults were not read."""
    compared = {path: setting for path, setting in settings.items() if path in paths}
    origins = [setting.origin for setting in compared.values()]
    called = [setting.origin for path, setting in reading.settings.items() if path.startswith("call.")]
    return SideRead(
        name,
        read=origins.count(Origin.READ),
        not_read=(
            *(path for path, one in compared.items() if one.origin is Origin.UNKNOWN),
            *(row.path for row in rows if row.unread == name),
        ),
        undecided=reading.undecided,
        call_is_unknown=len(called) > 1 and {*called} == {Origin.UNKNOWN},
    )


def matters(path: str) -> bool:
    """Return whether a difference in this setting can be measured by a scenario."""
    return path not in _NOT_SETTINGS and path not in OWNED


def _notes(side: str, reading: Reading, effects: Sequence[Effect]) -> list[str]:
    """Return what is noted on a side, without what is among the effects and conditions."""
    calls = [
        f"{side} also calls {call.pipeline} at {call.where}{f', only if {call.only_if}' if call.only_if else ''}"
        for call in reading.calls
        if call.role != "main"
    ]
    shown = {effect.kind for effect in effects}
    return calls[:_MOST_CALLS] + [
        f"{side}: {note.sentence}"
        for note in reading.notes
        if note.kind not in shown and not note.only_if and not note.setting
    ]


def _ignored(side: str, reading: Reading) -> list[str]:
    """Say which arguments of a side have no effect: each is a setting that somebody believes to have set."""
    return [
        f"{side}: {argument.argument} = {argument.value!r} is ignored by {argument.given_to} ({argument.where}): "
        f"{argument.advice}"
        for argument in reading.ignored
    ]
