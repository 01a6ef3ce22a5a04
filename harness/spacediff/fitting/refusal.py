"""Refuse a run that certainly does not fit, before anything is downloaded or loaded.

Only weights are certain. They are compared with all the memory of a device or of the machine, not with what is free of
it now, since another program may end. What is only estimated is a notice of the plan, and the run is tried.
"""

from __future__ import annotations

from spacediff.devices import execution_device
from spacediff.errors import DoesNotFit
from spacediff.fitting.advice import memory_advice
from spacediff.fitting.checkpoint import find
from spacediff.fitting.machine import total_memory
from spacediff.fitting.need import need, parts_of
from spacediff.run import Run


def refuse_what_cannot_fit(run: Run) -> None:
    """Refuse a local run whose weights alone exceed the memory of its device or of this machine.

    Raises:
        DoesNotFit: They do; the hint says what would make the run fit.
    """
    settings = run.settings
    found = find(settings)
    if found is None:
        return
    placement = settings.value("placement")
    device = execution_device(placement)
    least = need(parts_of(found.components, settings.value("model.dtype")), placement)
    weights = found.loaded(settings.value("model.dtype"))
    for needed, where, host in ((least.device, device, False), (weights, "cpu", True)):
        there = total_memory(where) if needed else None
        if there is not None and needed > there:
            place = "this machine" if host else device
            raise DoesNotFit(
                f"the weights alone need {needed / 2**30:.1f} GiB, and {place} has {there / 2**30:.1f} GiB of memory",
                hint=memory_advice(settings, run.changes, host=host),
            )
