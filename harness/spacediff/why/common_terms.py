"""The settings of two sources in common terms: with their defaults, and one name for what is the same.

Only then are they compared. Each step says in a note what it took for the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.hub.model_index import class_here_or_on_the_hub, class_not_looked_up, class_on_the_hub
from spacediff.hub.scheduler_config import here_or_on_the_hub, not_looked_up, on_the_hub
from spacediff.reading import Reading
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.adapter_names import under_common_names
from spacediff.why.compared import SCRIPT, SPACE
from spacediff.why.defaults import completed, default_sizes_of, scheduler_entries, with_scheduler, with_switches
from spacediff.why.device_differences import with_placements, with_same_devices
from spacediff.why.generic_class import with_class
from spacediff.why.prepared_inputs import with_preparations
from spacediff.why.same_settings import under_one_name


@dataclass(frozen=True)
class CommonTerms:
    """The settings of two sources, ready to be compared.

    Attributes:
        left: Those of the script.
        right: Those of the Space.
        script: What the script sets, defaults included, in its own terms.
        notes: What was taken for the same.
        unresolved: Side to the reason why its scheduler is not known; only sides with such a reason.
    """

    left: Settings
    right: Settings
    script: Settings
    notes: list[str]
    unresolved: dict[str, str]


def in_common_terms(script: Reading, space: Reading, *, ask: bool) -> CommonTerms:
    """Return the settings of two sources in common terms.

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
    own = left
    left, right = under_common_names(left, right)
    left, moved = under_one_name(left, right, here, there)
    left, right = _with_sizes(left, right, script.signature, space.signature)
    left, right = with_preparations(left, right, script, space)
    left, right = with_switches(left, right), with_switches(right, left)
    left, right = with_placements(left, right, space)
    left, right = _with_unknown_output(left, right, script), _with_unknown_output(right, left, space)
    left, renumbered = with_same_devices(left, right)
    unresolved = {side: reason for side, reason in ((SCRIPT, ours), (SPACE, theirs)) if reason}
    return CommonTerms(left, right, own, [*chosen, *moved, *renumbered], unresolved)


def _with_classes(script: Reading, space: Reading, *, ask: bool) -> tuple[Reading, Reading, list[str]]:
    """Return both readings with the classes that generic ones load, and a note for each."""
    here, there = (class_here_or_on_the_hub, class_on_the_hub) if ask else (class_not_looked_up, class_not_looked_up)
    ours, words = with_class(script, space, here)
    theirs, other_words = with_class(space, script, there)
    return ours, theirs, [f"{side}: {each}" for side, each in ((SCRIPT, words), (SPACE, other_words)) if each]


def _with_sizes(left: Settings, right: Settings, ours: str, theirs: str) -> tuple[Settings, Settings]:
    """Return both settings with the sizes that their checkpoints make.

    A size that neither gives, and that is known of one checkpoint only, is not compared.
    """
    own, other = default_sizes_of(left, ours), default_sizes_of(right, theirs)
    comparable = {*left, *right} | ({*own} & {*other})
    left, right = (
        side.filled_from(Settings({path: size for path, size in sizes.items() if path in comparable}))
        for side, sizes in ((left, own), (right, other))
    )
    return left, right


def _with_unknown_output(settings: Settings, other: Settings, reading: Reading) -> Settings:
    """Return one side with the settings of the file that only the other side has, as unknown ones.

    Both sides write a file; how this one does it is not known.
    """
    missing = {path for path in other if path.startswith("output.")} - {*settings}
    return settings.filled_from(Settings({path: Setting(None, Origin.UNKNOWN, reading.called_at) for path in missing}))
