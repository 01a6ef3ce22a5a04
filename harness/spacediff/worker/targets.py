"""What a run that may end early is compared with, read from the store of its audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.environments.wanted import is_elsewhere
from spacediff.observer.following import STEPS, Latents, Seeds
from spacediff.observer.latents_file import read_latents_after
from spacediff.record import RunRecord, TraceRecord, recorded_settings
from spacediff.run import Run, Stop
from spacediff.sources.local.screening import Compared, kept_run
from spacediff.store.store import Store

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Target:
    """The run that another one is compared with.

    Attributes:
        record: Its record.
        compared: What is compared, with the runs that give the unit.
    """

    record: RunRecord
    compared: Compared


@dataclass(frozen=True)
class ScriptTarget:
    """The run that a script's run is compared with in another process.

    Attributes:
        record: Its record.
        stop: When the call ends, as `spacediff.watch.early_end` takes it.
    """

    record: RunRecord
    stop: dict[str, Any]


def target_of_a_script(run: Run, folder: Path) -> ScriptTarget | None:
    """Return the target of a script's run; None where it has none, or the store does not have it with its steps.

    Args:
        run: Any run.
        folder: Its draft folder.
    """
    stop, store = run.stop, Store.of_draft(folder)
    target = store.get(stop.target) if stop is not None and _is_watched(run) else None
    if stop is None or target is None or target.trace is None or not target.trace.steps:
        return None
    seeds = [found for found in map(store.get, stop.seeds) if found is not None and found.trace is not None]
    asked = {
        "target": _plain(target, store),
        "seeds": [_plain(each, store) for each in seeds],
        "steps": recorded_settings(target.settings).value(f"call.{STEPS}"),
        "after": stop.after,
        "far": stop.far,
        "last": stop.last,
    }
    return ScriptTarget(target, asked)


def _is_watched(run: Run) -> bool:
    """Whether the call of a run happens in the process of a script."""
    return run.source == "script" or is_elsewhere(run.settings)


def _plain(run: RunRecord, store: Store) -> dict[str, Any]:
    trace = run.trace or TraceRecord()
    return {
        "digests": [step.digest for step in trace.steps],
        "timesteps": [step.timestep for step in trace.steps],
        "signals": [step.signal for step in trace.steps],
        "scaling": trace.scaling,
        "latents": str((store.folder / trace.latents).absolute()) if trace.latents else None,
    }


class Targets:
    """Reads targets, and keeps the last one: many runs are compared with it.

    Args:
        exact: Returns what reads the exact latents of a run by its key; None where they are not kept.
    """

    def __init__(self, exact: Callable[[str], Latents | None]) -> None:
        self._exact = exact
        self._last: tuple[tuple[Stop, Path], Target] | None = None

    def of(self, stop: Stop, folder: Path) -> Target | None:
        """Return the target of a run; None where the store does not have it with its steps, so that it cannot end.

        Args:
            stop: When the run ends.
            folder: The draft folder of the run.
        """
        if self._last is not None and self._last[0] == (stop, folder.parent):
            return self._last[1]
        store = Store.of_draft(folder)
        record = store.get(stop.target)
        if record is None or record.trace is None or not record.trace.steps:
            return None
        target = kept_run(record.trace, self._exact(record.key) or _in_store(record, store))
        seeds = [found for found in map(store.get, stop.seeds) if found is not None and found.trace is not None]
        kept = [kept_run(found.trace, _in_store(found, store)) for found in seeds if found.trace is not None]
        compared = Compared(stop, target, recorded_settings(record.settings), Seeds(kept))
        self._last = (stop, folder.parent), Target(record, compared)
        return self._last[1]


def _in_store(run: RunRecord, store: Store) -> Latents:
    """Return what reads the latents of a run in the store, in half precision."""
    path = store.folder / run.trace.latents if run.trace and run.trace.latents else None
    return partial(_read, path)


def _read(path: Path | None, step: int) -> torch.Tensor | None:
    import torch

    found = None if path is None else read_latents_after(path, step)
    return None if found is None else torch.from_numpy(found)
