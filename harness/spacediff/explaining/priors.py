"""Cheap evidence: what is known of the suspects before anything is generated for them.

The key insight: a default that is only said aloud changes nothing, provided that the default cannot move. What the
scheduler's timesteps are by default depends on the scheduler's class; so while another suspect may move a default, it
is left to the search. Whatever counts as without effect here stays as it is in every probe, and the proof run shows
whether that was right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spacediff.explaining.search import Subset
from spacediff.explaining.units import differing
from spacediff.plan import Explanation
from spacediff.record import Fact, FactKind, Role, RunRecord, SettingRecord, fact
from spacediff.run import Run
from spacediff.settings import Difference, Origin

_LIKELY = ("rng", "scheduler.class", "call", "model", "scheduler", "lora", "numerics", "vae", "load", "output")
"""The likeliest suspects come first; what is not named here comes last."""

SEEN = ("rng", "scheduler", "call", "guider", "lora", "ip_adapter", "textual_inversion")
"""Tables of settings that people usually see where they act at all. This orders the search, and decides nothing."""

_MOVED_BY: Mapping[str, tuple[str, ...]] = {
    "call": ("model", "load"),
    "scheduler": ("scheduler", "model", "load"),
    "vae": ("model", "load"),
    "load": ("model", "load"),
    "rng": (),
    "placement": (),
    "output": (),
}
"""Table of settings to the tables that may move its defaults, and what of it is ignored.

Tables that are not named here (`model`, `numerics`, `lora`) have defaults that stand for more than one switch.
"""


def in_order(differences: Iterable[Difference], left: RunRecord, right: RunRecord) -> list[Difference]:
    """Put the likeliest suspects first, and last those that come to the same value once defaults are resolved."""

    def rank(difference: Difference) -> tuple[bool, int]:
        path = difference.path
        ours, theirs = left.settings.get(path), right.settings.get(path)
        place = next((n for n, start in enumerate(_LIKELY) if path.startswith(start)), len(_LIKELY))
        return ours is not None and theirs is not None and ours.value == theirs.value, place

    return sorted(differences, key=rank)


def without_effect(suspects: Sequence[Difference], left: RunRecord, right: RunRecord) -> dict[str, Fact]:
    """Return the suspects that can have no effect, each with the reason.

    One run does not set it and has by default what the other one declares, or the library reported that it
    ignores it; and no other suspect is left that could move this.

    Args:
        suspects: What the two ends declare differently.
        left: The run at one end, with its resolved settings.
        right: The target.
    """
    found: dict[str, Fact] = {}
    while True:
        open_ = [suspect for suspect in suspects if suspect.path not in found]
        more = {
            suspect.path: why
            for suspect in open_
            if not _may_be_moved(suspect, open_)
            and (why := _same_default(suspect, left, right) or _ignored(suspect, left, right))
        }
        if not more:
            return found
        found |= more


def at_hand(runs: Iterable[Run], what: Explanation) -> dict[Subset, str]:
    """Return what the audit generates anyway: the suspects that a run changes to the target's, to its name.

    A run that changes anything else, or a suspect to another value, is no probe.

    Args:
        runs: The planned runs of the prompt.
        what: The two ends.
    """
    found: dict[Subset, str] = {}
    suspects = {each.path for each in differing(what.start_settings, what.target_settings)}
    for run in filter(_own_way, runs):
        changed = {each.path for each in differing(what.start_settings, run.settings)}
        missing = {each.path for each in differing(run.settings, what.target_settings)}
        if changed <= suspects and not changed & missing:
            found.setdefault(frozenset(changed), run.name)
    return found


def _own_way(run: Run) -> bool:
    return run.is_local and run.role in {Role.BASELINE, Role.VARIANT}


def _may_be_moved(suspect: Difference, others: Iterable[Difference]) -> bool:
    movers = _MOVED_BY.get(_table(suspect.path))
    return movers is None or any(_table(other.path) in movers for other in others if other is not suspect)


def _table(path: str) -> str:
    return path.split(".", 1)[0]


def _same_default(suspect: Difference, left: RunRecord, right: RunRecord) -> Fact | None:
    """Return the fact that an unset value is by default the other run's; None when it is not, or that is unknown."""
    if None not in (suspect.left, suspect.right):
        return None
    unset, other = (left, right) if suspect.left is None else (right, left)
    default, declared = unset.settings.get(suspect.path), other.settings.get(suspect.path)
    if default is None or declared is None or default.origin is not Origin.DEFAULT or not _equal(default, declared):
        return None
    return fact(FactKind.SAME_DEFAULT, value=declared.value, where=default.where)


def _equal(one: SettingRecord, other: SettingRecord) -> bool:
    """Whether two settings are one value; what is 1 in one place and true in the other is not."""
    return one.value == other.value and isinstance(one.value, bool) is isinstance(other.value, bool)


def _ignored(suspect: Difference, left: RunRecord, right: RunRecord) -> Fact | None:
    """Return the fact that loading ignores a setting wherever it is given; None when it does not."""
    if _table(suspect.path) != "load":
        return None  # a scheduler keeps in its config what it does not take, and a pipeline may read it there
    givers = [run for run, given in ((left, suspect.left), (right, suspect.right)) if given is not None]
    ignored = [next((each for each in run.ignored if each.argument == suspect.path), None) for run in givers]
    return fact(FactKind.ARGUMENT_IGNORED, given_to=ignored[0].given_to) if ignored[0] and all(ignored) else None
