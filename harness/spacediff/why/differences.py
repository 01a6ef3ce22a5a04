"""What a script and a Space set differently, known before anything is generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spacediff.catalogue.lookup import Cause
from spacediff.hub.scheduler_config import LookUp, here_or_on_the_hub, not_looked_up, on_the_hub, present_name
from spacediff.reading import Reading
from spacediff.scenario.tables import OWNED
from spacediff.settings import Origin, Setting, Settings, diff
from spacediff.why.defaults import completed, scheduler_entries, with_scheduler
from spacediff.why.device_differences import cause_of, with_same_devices

UNSET = Setting("not set", Origin.DEFAULT, "the checkpoint or the library decides")
"""The value of a setting that neither a source nor a known default sets."""

_NOT_SETTINGS = frozenset({"call.prompt", "rng.seed", "call.num_videos_per_prompt"})
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


@dataclass(frozen=True)
class ComparedSettings:
    """What two sources set differently.

    Attributes:
        differences: The settings that certainly differ, the most likely cause first.
        questions: One question for each setting that is unknown on one side.
        notes: What else changes the clip on either side, and what is ignored there.
        equal: Number of settings that agree.
        script: What the script sets, defaults included.
    """

    differences: list[SourceDifference]
    questions: list[str]
    notes: list[str]
    equal: int
    script: Settings


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
    left, right = completed(script), completed(space)
    entries = scheduler_entries(left) | scheduler_entries(right)
    left, ours = with_scheduler(left, script, here, entries)
    right, theirs = with_scheduler(right, space, there, entries)
    unresolved = {"the script": ours, "the Space": theirs}
    compared, moved = _under_one_name(left, right, here, there)
    compared, right = _with_unknown_output(compared, right, script), _with_unknown_output(right, compared, space)
    compared, renumbered = with_same_devices(compared, right)
    differing = [d for d in diff(compared, right) if matters(d.path)]
    rows = [
        SourceDifference(d.path, d.left or UNSET, d.right or UNSET, cause_of(d.path, compared, right))
        for d in differing
    ]
    certain = [row for row in rows if row.certain]
    return ComparedSettings(
        differences=sorted(certain, key=lambda row: _SIZES.get(row.known.size, 1) if row.known else 1),
        questions=[
            *(_question(row, script, space) for row in rows if not row.certain),
            *(f"which scheduler does {side} use? {reason}" for side, reason in unresolved.items() if reason),
        ],
        notes=[*moved, *renumbered, *_notes("the script", script), *_notes("the Space", space)],
        equal=sum(matters(path) for path in {*left, *right}) - len(rows),
        script=left,
    )


def _under_one_name(left: Settings, right: Settings, here: LookUp, there: LookUp) -> tuple[Settings, list[str]]:
    """Return the left settings with the right side's names for repositories that were moved, and a note for each."""
    same: dict[str, Setting] = {}
    notes = []
    for path in {*left} & {*right}:
        ours, theirs = left[path], right[path]
        if Origin.UNKNOWN in (ours.origin, theirs.origin) or ours.value == theirs.value:
            continue
        if path == "model.id":
            one = here(str(ours.value), left.value("model.revision")).id
            is_same = one == there(str(theirs.value), right.value("model.revision")).id
        else:
            is_same = _renamed(path, ours.value) == _renamed(path, theirs.value)
        if is_same:
            same[path] = theirs
            notes.append(
                f"{path}: {ours.value!r} ({ours.where}) and {theirs.value!r} ({theirs.where}) are the same "
                "repository, which was moved"
            )
    return left.changed_by(Settings(same)), sorted(notes)


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


def _renamed(path: str, value: Any) -> Any:
    """Return a value with the present names of the repositories that it names."""
    if isinstance(value, dict):
        return {key: _renamed(f"{path}.{key}", item) for key, item in value.items()}
    return present_name(value) if isinstance(value, str) and path.endswith(".id") else value


def matters(path: str) -> bool:
    """Return whether a difference in this setting can be measured by a scenario."""
    return path not in _NOT_SETTINGS and path not in OWNED


def _question(row: SourceDifference, script: Reading, space: Reading) -> str:
    """Return the question for a value that is unknown on one side, with the reason."""
    name, side, reading = ("the script", row.left, script)
    if side.origin is not Origin.UNKNOWN:
        name, side, reading = ("the Space", row.right, space)
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
