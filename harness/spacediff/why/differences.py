"""What a script and a Space set differently, known before anything is generated."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.catalogue.lookup import Cause
from spacediff.hub.model_index import class_here_or_on_the_hub, class_not_looked_up, class_on_the_hub
from spacediff.hub.scheduler_config import here_or_on_the_hub, not_looked_up, on_the_hub
from spacediff.reading import Reading
from spacediff.scenario.tables import OWNED
from spacediff.settings import Origin, Setting, Settings, diff
from spacediff.why.conditions import under_conditions
from spacediff.why.defaults import completed, scheduler_entries, with_scheduler, with_sizes
from spacediff.why.device_differences import with_placements, with_same_devices
from spacediff.why.effects import Effect, differing_effects
from spacediff.why.generic_class import with_class
from spacediff.why.headline import SCRIPT, SPACE, SideRead
from spacediff.why.same_settings import under_one_name
from spacediff.why.seeds import FIXED, is_fixed, random_seeds, seed_to_enter
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
    def changes_the_clip(self) -> bool:
        """Whether such a difference can change a clip, as far as is known."""
        return self.known is None or self.known.size != "none"


@dataclass(frozen=True)
class ComparedSettings:
    """What two sources set differently.

    Attributes:
        differences: The settings that certainly differ, the most likely cause first.
        effects: What the sources do besides their settings and do not certainly do alike.
        questions: One question for each setting that is unknown on one side.
        conditions: What holds only for other inputs than the default ones, one sentence for each condition.
        notes: What else changes the clip on either side, and what is ignored there.
        equal: Number of settings that agree.
        comparable: Whether any setting that a source gives is known on both sides.
        sides: How much of the script and of the Space was read.
        script: What the script sets, defaults included.
    """

    differences: list[SourceDifference]
    effects: list[Effect]
    questions: list[str]
    conditions: list[str]
    notes: list[str]
    equal: int
    comparable: bool
    sides: tuple[SideRead, SideRead]
    script: Settings

    @property
    def decided(self) -> bool:
        """Whether enough was read of both sides to say what differs."""
        return self.comparable and not any(side.undecided or side.call_is_unknown for side in self.sides)


_SIZES = {"another sample": 0, "small to another sample": 0, "large": 1, "small to large": 1, "small": 2, "none": 3}


def compare_sources(script: Reading, space: Reading, *, ask: bool = False) -> ComparedSettings:
    """Compare two sources; what they do not set has the defaults of library and checkpoint.

    Needs neither torch nor a device: defaults are read from the source of the installed diffusers.

    Args:
        script: What was read of the user's script.
        space: What was read of the Space, which is not trusted.
        ask: Whether checkpoints are looked up on the Hub, and those of the script also in folders of this machine.
    """
    here, there = (here_or_on_the_hub, on_the_hub) if ask else (not_looked_up, not_looked_up)
    script, space, chosen = _with_classes(script, space, ask=ask)
    left, right = completed(script), completed(space)
    entries = scheduler_entries(left) | scheduler_entries(right)
    left, ours = with_scheduler(left, script, here, entries)
    right, theirs = with_scheduler(right, space, there, entries)
    unresolved = {SCRIPT: ours, SPACE: theirs}
    compared, moved = under_one_name(left, right, here, there)
    compared, other = with_placements(with_sizes(compared, script.signature), with_sizes(right, space.signature), space)
    compared, other = _with_unknown_output(compared, other, script), _with_unknown_output(other, compared, space)
    compared, renumbered = with_same_devices(compared, other)
    rows = [
        SourceDifference(each.path, each.left or UNSET, each.right or UNSET, cause_of(each.path, compared, other))
        for each in diff(compared, other)
        if matters(each.path) or (each.path in FIXED and is_fixed(each.path, script, space))
    ]
    certain = [row for row in rows if row.certain]
    both_known = [path for path in {*compared, *other} if matters(path) and _is_given(path, compared, other)]
    return ComparedSettings(
        differences=sorted(certain, key=lambda row: _SIZES.get(row.known.size, 1) if row.known else 1),
        effects=[*random_seeds(script, space), *differing_effects(script, space)],
        questions=[
            *(_question(row, script, space) for row in rows if not row.certain),
            *(f"which scheduler does {side} use? {reason}" for side, reason in unresolved.items() if reason),
        ],
        conditions=[*under_conditions(SCRIPT, script), *under_conditions(SPACE, space)],
        notes=[
            *chosen,
            *moved,
            *renumbered,
            *seed_to_enter(script, space),
            *_notes(SCRIPT, script),
            *_notes(SPACE, space),
        ],
        equal=sum(matters(path) for path in {*compared, *other}) - len(rows),
        comparable=bool(both_known),
        sides=(_side(SCRIPT, script, compared), _side(SPACE, space, other)),
        script=left,
    )


def _with_classes(script: Reading, space: Reading, *, ask: bool) -> tuple[Reading, Reading, list[str]]:
    """Return both readings with the classes that generic ones load, and a note for each."""
    here, there = (class_here_or_on_the_hub, class_on_the_hub) if ask else (class_not_looked_up, class_not_looked_up)
    ours, words = with_class(script, space, here)
    theirs, other_words = with_class(space, script, there)
    return ours, theirs, [f"{side}: {each}" for side, each in ((SCRIPT, words), (SPACE, other_words)) if each]


def _is_given(path: str, left: Settings, right: Settings) -> bool:
    """Whether a setting is known on both sides, and a source gives it; the pipeline's class alone says little."""
    ours, theirs = left.get(path, UNSET), right.get(path, UNSET)
    known = Origin.UNKNOWN not in (ours.origin, theirs.origin) and "global" not in (ours.value, theirs.value)
    return known and Origin.READ in (ours.origin, theirs.origin) and path != "model.pipeline"


def _side(name: str, reading: Reading, settings: Settings) -> SideRead:
    """Count what was read of a side; defaults were not read."""
    origins = [setting.origin for path, setting in settings.items() if matters(path)]
    called = [setting.origin for path, setting in reading.settings.items() if path.startswith("call.")]
    return SideRead(
        name,
        read=origins.count(Origin.READ),
        unknown=origins.count(Origin.UNKNOWN),
        undecided=reading.undecided,
        call_is_unknown=len(called) > 1 and {*called} == {Origin.UNKNOWN},
    )


def _with_unknown_output(settings: Settings, other: Settings, reading: Reading) -> Settings:
    """Return one side with the settings of the file that only the other side has, as unknown ones.

    Both sides write a file; how this one does it is not known.
    """
    missing = {path for path in other if path.startswith("output.")} - {*settings}
    return settings.filled_from(Settings({path: Setting(None, Origin.UNKNOWN, reading.called_at) for path in missing}))


def _why_output_is_unknown(reading: Reading) -> str:
    """Return why it is not known how a source writes its file."""
    if not reading.exported_by:
        return "no export of the frames was found"
    return f"{reading.exported_by} writes the file, and its defaults are not known"


def matters(path: str) -> bool:
    """Return whether a difference in this setting can be measured by a scenario."""
    return path not in _NOT_SETTINGS and path not in OWNED


def _question(row: SourceDifference, script: Reading, space: Reading) -> str:
    """Return the question for a value that is unknown on one side, with the reason."""
    name, side, reading = (SCRIPT, row.left, script)
    if side.origin is not Origin.UNKNOWN:
        name, side, reading = (SPACE, row.right, space)
    either = [
        repr(one.setting.value) for one in reading.alternatives.get(row.path, []) if one.setting.value is not None
    ]
    reason = _why_output_is_unknown(reading) if row.path.startswith("output.") else "only running it would show"
    known = "" if row.path in reading.by_machine or not either else f"one of {', '.join(either)}"
    answer = known or reading.unknowns.get(row.path) or reason
    return f"what is {row.path} in {name}? {answer} ({side.where})"


def _notes(side: str, reading: Reading) -> list[str]:
    ignored = [
        f"{side}: {argument.argument} = {argument.value!r} is ignored by {argument.given_to} ({argument.where}): "
        f"{argument.advice}"
        for argument in reading.ignored
    ]
    return ignored + [f"{side}: {note.sentence}" for note in reading.notes]
