"""Devices of two sources: when two names mean the same, and where a pipeline is that nothing moves."""

from __future__ import annotations

from spacediff.devices import type_of
from spacediff.reading import Reading
from spacediff.settings import Origin, Setting, Settings

_NOT_MOVED = Setting("cpu", Origin.DEFAULT, "diffusers loads on the CPU, and nothing moves the pipeline")
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


def with_placements(left: Settings, right: Settings, space: Reading) -> tuple[Settings, Settings]:
    """Return both settings with a placement, if either has one.

    A script that moves its pipeline nowhere computes on the CPU. Of a Space that is not said: hardly any Space computes
    on the CPU, so that the move was more likely not found.
    """
    missing = Setting(None, Origin.UNKNOWN, space.called_at)
    placed = [side for side in (left, right) if "placement" in side or "load.device_map" in side]
    if len(placed) != 1:
        return left, right
    if placed[0] is right:
        return left.filled_from(Settings({"placement": _NOT_MOVED})), right
    return left, right.filled_from(Settings({"placement": missing}))
