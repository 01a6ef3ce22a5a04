"""Devices of two sources: when two names mean the same, and what a different device does to the clip."""

from __future__ import annotations

from spacediff.catalogue.lookup import Cause, cause_named, known_difference
from spacediff.devices import compute_differently, type_of
from spacediff.settings import Origin, Settings

_DEVICES = ("placement", "rng.device")


def with_same_devices(left: Settings, right: Settings) -> tuple[Settings, list[str]]:
    """Return the left settings with the right side's numbers of devices of the same type, and a note for each.

    The number of a device chooses one of several cards; it changes neither noise nor numbers.
    """
    notes = []
    same = {}
    for path in _DEVICES:
        ours, theirs = left.get(path), right.get(path)
        if ours is None or theirs is None or Origin.UNKNOWN in (ours.origin, theirs.origin):
            continue
        if ours.value != theirs.value and type_of(str(ours.value)) == type_of(str(theirs.value)):
            same[path] = theirs
            notes.append(
                f"{path}: {ours.value!r} ({ours.where}) and {theirs.value!r} ({theirs.where}) name the same type of "
                "device, so this is no difference"
            )
    return left.changed_by(Settings(same)), notes


def cause_of(path: str, left: Settings, right: Settings) -> Cause | None:
    """Return what is known about a difference; noise that no generator draws is drawn on the pipeline's device."""
    ours, theirs = (_placed(side) if path == "placement" else side.value(path) for side in (left, right))
    without_generator = left.value("rng.device") == right.value("rng.device") == "global"
    if path == "placement" and without_generator and compute_differently(ours, theirs):
        return cause_named("generator-device")
    return known_difference(path, ours, theirs)


def _placed(source: Settings) -> object:
    """Return the placement of a source; a pipeline that nothing moves stays on the CPU, where diffusers loads it."""
    return source.value("placement") or (None if "load.device_map" in source else "cpu")
