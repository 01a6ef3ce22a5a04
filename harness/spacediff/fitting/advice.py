"""What to change when a run does not fit, without taking away what the run tests.

A variant that tests `vae.tiling = false` means nothing with tiling, so it is never advised to tile. What it does not
test it shares with the baseline, and there the advice belongs: all runs then change together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from spacediff.devices import OFFLOADS
from spacediff.settings import Origin, Setting, Settings

_BY_COMPONENT, _BY_LAYER = "model_cpu_offload", "group_offload"
"""Offloading that holds a component on the device, and one that holds a layer; the one left holds a layer too."""
_SIZES = frozenset({"call.num_frames", "call.height", "call.width"})


@dataclass(frozen=True)
class Remedy:
    """A change of one setting that lowers the need for memory.

    Attributes:
        path: Dotted path of the setting.
        value: Its new value.
    """

    path: str
    value: Any

    def __str__(self) -> str:
        shown = str(self.value).lower() if isinstance(self.value, bool) else f'"{self.value}"'
        return f"{self.path} = {shown}"


def remedies(settings: Settings, tested: Collection[str], *, host: bool = False) -> tuple[Remedy, ...]:
    """List the changes that lower a run's need, at most one of each setting.

    Offloading comes first: it changes no number, while tiling changes some.

    Args:
        settings: The declared Settings of the run.
        tested: Paths that the run changes against the baseline, such as `Run.changes`; no remedy touches them.
        host: Whether the machine's memory is short, where offloading does not help, and not the device's.
    """
    way, colon, number = str(settings.value("placement") or "").partition(":")
    found = []
    if not host and way != "cpu" and (way == _BY_COMPONENT or way not in OFFLOADS):
        further = _BY_LAYER if way == _BY_COMPONENT else _BY_COMPONENT
        found.append(Remedy("placement", f"{further}{colon}{number}"))
    if settings.value("vae.tiling") is not True:
        found.append(Remedy("vae.tiling", value=True))
    return tuple(remedy for remedy in found if remedy.path not in tested)


def changed_by(settings: Settings, changes: Collection[Remedy]) -> Settings:
    """Return Settings with the changes of some remedies."""
    return settings.changed_by(Settings({each.path: Setting(each.value, Origin.DECLARED) for each in changes}))


def memory_advice(settings: Settings, tested: Collection[str], *, host: bool = False) -> str:
    """Return the hint for a run that ran out of memory.

    Args:
        settings: The declared Settings of the run.
        tested: Paths that the run changes against the baseline, such as `Run.changes`; they are never advised.
        host: Whether the machine's memory was short, and not the device's.
    """
    changes = " and ".join(map(str, remedies(settings, tested, host=host)))
    fewer = "" if _SIZES & set(tested) else "fewer frames"
    if not changes and not fewer:
        tests = ", ".join(sorted(tested))
        return f"nothing that this run does not test ({tests}) lowers its need: it needs more memory"
    return f"try {', then '.join(filter(None, (changes, fewer)))}, in [baseline] so that every run has it"
