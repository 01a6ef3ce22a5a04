"""What a run that may end early is compared with, read from the store of its audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.record import RunRecord, recorded_settings
from spacediff.run import Stop
from spacediff.sources.local.screening import Compared, KeptRun, Latents, Seeds
from spacediff.store.latents import read_latents_after
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
        target = KeptRun(record.trace, self._exact(record.key) or _in_store(record, store))
        seeds = [found for found in map(store.get, stop.seeds) if found is not None and found.trace is not None]
        kept = [KeptRun(found.trace, _in_store(found, store)) for found in seeds if found.trace is not None]
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
