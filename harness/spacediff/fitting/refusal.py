"""Refuse a run, or an audit, that certainly does not fit, before anything is downloaded or loaded.

Only weights are certain. They are compared with all the memory of a device or of the machine, not with what is free of
it now, since another program may end. What is only estimated is a notice of the plan, and the run is tried.
"""

from __future__ import annotations

from spacediff.devices import execution_device
from spacediff.errors import DoesNotFit, MachineTooSmall
from spacediff.fitting.advice import memory_advice
from spacediff.fitting.assessment import Assessment
from spacediff.fitting.checkpoint import find
from spacediff.fitting.disk import free_bytes
from spacediff.fitting.downloads import downloads_to, together
from spacediff.fitting.expectation import Todo
from spacediff.fitting.machine import total_memory
from spacediff.fitting.need import need, parts_of
from spacediff.run import Run
from spacediff.wording import sentences
from spacediff.wording.numbers import counted, listed, size


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


def _refuse_downloads(todo: Todo, assessed: Assessment) -> None:
    """Refuse an audit whose weights do not fit onto the disk that they are downloaded to."""
    names = {run.name for run in todo.runs}
    downloads = together(each for each in assessed.downloads if each.files and each.runs & names)
    needed, place = sum(each.size for each in downloads), downloads_to()
    if downloads and needed > (free := free_bytes(place)):
        raise MachineTooSmall(
            f"the disk cannot hold the weights of {listed(sorted(each.model for each in downloads))}: their download "
            f"needs {size(needed)}, and {size(free)} are free in {place}",
            hint="free some space, or set HF_HOME to a folder on another disk",
        )


def refuse_what_cannot_begin(todo: Todo, assessed: Assessment) -> None:
    """Refuse an audit of which no run can be generated, or whose latents or weights alone do not fit onto the disk.

    Where some runs fit into the memory, the audit goes on with those.

    Args:
        todo: What the audit still has to generate.
        assessed: What its runs need.

    Raises:
        MachineTooSmall: They do not fit; the hint says what would make them fit.
    """
    if todo.runs and all(run.name in assessed.impossible for run in todo.runs):
        raise MachineTooSmall(
            f"no run of this audit fits into the memory: {' '.join(sentences(assessed.certain))}",
            hint="change [baseline] as the message says, or use a larger machine",
        )
    _refuse_downloads(todo, assessed)
    kept = [each for run in todo.runs if (each := assessed.kept.get(run.name, 0))]
    least, free = sum(kept), free_bytes(todo.folder)
    if least > free:
        raise MachineTooSmall(
            f"the disk cannot hold this audit: the latents of {counted(len(kept), 'run')} take at least "
            f"{size(least)}, and {size(free)} are free in {todo.folder}",
            hint="free some space, choose an audit folder on another disk, or set steps.keep_latents = false",
        )
