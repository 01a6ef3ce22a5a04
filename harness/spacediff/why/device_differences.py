"""Devices of two sources: when two names mean the same, and what a different device does to the clip."""

from __future__ import annotations

from typing import Any

from spacediff.catalogue.lookup import Cause, cause_named, known_cause
from spacediff.devices import OFFLOADS, is_device, type_of
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
    """Return what is known about a difference; that of placements depends on the devices, and on who draws the noise.

    Offloading only moves weights. A different type of device computes other numbers, and noise that no generator draws
    is drawn on it.
    """
    if path != "placement" or not _compute_differently(left.value(path), right.value(path)):
        return known_cause(path)
    without_generator = left.value("rng.device") == right.value("rng.device") == "global"
    return cause_named("generator-device" if without_generator else "device-type")


def _compute_differently(left: Any, right: Any) -> bool:
    """Whether two placements compute on different types of devices; offloading computes on any accelerator."""
    types = {type_of(str(left)), type_of(str(right))}
    if not all(is_device(each) or each in OFFLOADS for each in types):
        return False
    return len(types - {*OFFLOADS}) > 1 or ("cpu" in types and len(types) > 1)
