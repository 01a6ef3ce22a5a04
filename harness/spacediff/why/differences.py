"""What a script and a Space set differently, known before anything is generated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from spacediff.catalogue.lookup import Cause
from spacediff.catalogue.pipelines import task_of
from spacediff.reading import Reading
from spacediff.scenario.tables import OWNED
from spacediff.settings import Origin, Setting, Settings, diff
from spacediff.why.built_scheduler import built_scheduler
from spacediff.why.common_terms import in_common_terms
from spacediff.why.conditions import under_conditions
from spacediff.why.effects import Effect, differing_effects
from spacediff.why.headline import SCRIPT, SPACE, SideRead
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

UNSET = Setting("not set", Origin.DEFAULT, "the checkpoint or the library decides")
"""The value of a setting that neither a source nor a known default sets."""

_NOT_SETTINGS = frozenset({"call.prompt", "rng.seed", "call.num_videos_per_prompt", "call.num_images_per_prompt"})
"""Prompt and seed, which the scenario sets anyway, and what does not change a single clip."""


@dataclass(frozen=True)
class SourceDifference:
    """A setting that differs between the two sources, or may differ.

    Attributes:
        path: Dotted path.
        left: Its value in the script, defaults included.
        right: Its value in the Space, defaults included.
        known: What is known about such a difference; None if nothing is.
    """

    path: str
    left: Setting
    right: Setting
    known: Cause | None

    @property
    def certain(self) -> bool:
        """Whether both values are known."""
        return Origin.UNKNOWN not in (self.left.origin, self.right.origin)

    @property
    def is_of_one_side(self) -> bool:
        """Whether only one side gives it, and the other has no default for it."""
        return UNSET in (self.left, self.right)

    @property
    def changes_the_clip(self) -> bool:
        """Whether such a difference can change a clip, as far as is known."""
        return self.known is None or self.known.size != "none"


@dataclass(frozen=True)
class ComparedSettings:
    """What two sources set differently.

    Attributes:
        differences: The settings that certainly differ, the most likely cause first.
        effects: What the sources do besides their settings and do not certainly do alike.
        unknown: The settings that are unknown on a side, so that they may differ.
        questions: One question for each of them, and for what else reading cannot show.
        conditions: What holds only for other inputs than the default ones, one sentence for each condition.
        notes: What else changes the clip on either side, and what is ignored there.
        equal: Number of settings that agree.
        by_default: How many of them neither source gives, so that they have the defaults of library and checkpoint.
        comparable: Whether any setting that a source gives is known on both sides.
        sides: How much of the script and of the Space was read.
        script: What the script sets, defaults included.
        other_task: If the pipelines work from different things, such as a text and a picture, a sentence that says so.
    """

    differences: list[SourceDifference]
    effects: list[Effect]
    unknown: list[SourceDifference]
    questions: list[str]
    conditions: list[str]
    notes: list[str]
    equal: int
    by_default: int
    comparable: bool
    sides: tuple[SideRead, SideRead]
    script: Settings
    other_task: str = ""

    @property
    def decided(self) -> bool:
        """Whether enough was read of both sides to say what differs."""
        return self.comparable and self.calls_are_known and not any(side.undecided for side in self.sides)

    @property
    def calls_are_known(self) -> bool:
        """Whether an argument of each side's call is known, if it has any."""
        return not any(side.call_is_unknown for side in self.sides)


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
        SourceDifference(each.path, each.left or UNSET, each.right or UNSET, cause_of(each.path, left, right))
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
        ],
        conditions=[*under_conditions(SCRIPT, script), *under_conditions(SPACE, space)],
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
        sides=(_side(SCRIPT, script, left, compared), _side(SPACE, space, right, compared)),
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


def _side(name: str, reading: Reading, settings: Settings, paths: Collection[str]) -> SideRead:
    """Count what was read of a side among the settings that are compared; defaults were not read."""
    compared = {path: setting for path, setting in settings.items() if path in paths}
    origins = [setting.origin for setting in compared.values()]
    called = [setting.origin for path, setting in reading.settings.items() if path.startswith("call.")]
    return SideRead(
        name,
        read=origins.count(Origin.READ),
        not_read=tuple(path for path, one in compared.items() if one.origin is Origin.UNKNOWN),
        undecided=reading.undecided,
        call_is_unknown=len(called) > 1 and {*called} == {Origin.UNKNOWN},
    )


def matters(path: str) -> bool:
    """Return whether a difference in this setting can be measured by a scenario."""
    return path not in _NOT_SETTINGS and path not in OWNED


def _notes(side: str, reading: Reading, effects: Sequence[Effect]) -> list[str]:
    """Return what is ignored and noted on a side, without what is among the effects and conditions."""
    calls = [
        f"{side} also calls {call.pipeline} at {call.where}{f', only if {call.only_if}' if call.only_if else ''}"
        for call in reading.calls
        if call.role != "main"
    ]
    ignored = [
        f"{side}: {argument.argument} = {argument.value!r} is ignored by {argument.given_to} ({argument.where}): "
        f"{argument.advice}"
        for argument in reading.ignored
    ]
    shown = {effect.kind for effect in effects}
    return (
        ignored
        + calls[:_MOST_CALLS]
        + [f"{side}: {note.sentence}" for note in reading.notes if note.kind not in shown and not note.only_if]
    )
