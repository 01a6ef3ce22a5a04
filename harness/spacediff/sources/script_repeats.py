"""Repeats of a script's call in one process, where this audit has shown them to be equal; else one process each.

The key insight: whether a call can be repeated is no question of what the script does, which nobody knows, but of what
comes out: the same settings before and after others have to give the same bytes. That costs one call, so it is tried
when the starts of processes have cost as much; then it never costs more than twice the best choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from spacediff.errors import GenerationFailed
from spacediff.progress import Progress
from spacediff.record import Role
from spacediff.run import Run
from spacediff.settings import Settings
from spacediff.sources.local.numerics.switches import environment_for
from spacediff.sources.script_look import tables_of
from spacediff.sources.script_process import CAN_HOLD, Asked, Left, ScriptProcess

_BEFORE_THE_CALL = ("model", "load", "placement", "vae.dtype")
"""Settings that are put in when a pipeline is loaded and placed."""
_KEPT_BY_TORCH = ("numerics.compile",)
"""Settings after which torch keeps something for the whole process: what it has compiled."""


@dataclass(frozen=True)
class _Kept:
    """A process that waits to repeat its call.

    Attributes:
        process: The process.
        run: The run that it began with.
        digests: Those of its frames and steps.
        applied: Paths that were put in before the call.
        call_seconds: Duration of the call.
        whole: Whether the call went to its end.
    """

    process: ScriptProcess
    run: Run
    digests: tuple[str, ...]
    applied: tuple[str, ...]
    call_seconds: float
    whole: bool


class Repeats:
    """Makes calls of scripts, in a process that waits or in a new one. At most one process is kept."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None
        self._equal: dict[str, bool] = {}
        """Basis of a process to whether its repeats are equal."""
        self._equal_after_ends: dict[str, bool] = {}
        """The same after a call that was ended early."""
        self._spent: dict[str, float] = {}
        """Basis of a process to the seconds that went by before calls."""
        self._without_call: set[str] = set()
        """Bases of the processes that ended before their call."""

    def close(self) -> None:
        """End the process that was kept."""
        if self._kept is not None:
            self._kept.process.close()
            self._kept = None

    @contextmanager
    def made(
        self, run: Run, progress: Progress, stop: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[ScriptProcess, Left]]:
        """Yield what a run's call has left, for as long as the block lasts, with the process.

        Args:
            run: A run whose source is a script.
            progress: Receives the progress.
            stop: When the call ends early, as `spacediff.watch.early_end` takes it; None for a whole call.

        Raises:
            GenerationFailed: The interpreter does not start, or the script has ended before its call already, which no
                setting that is put into the call can change.
        """
        basis = _basis(run)
        if basis in self._without_call:
            raise GenerationFailed(f"{Asked.of(run).script.name} was not run again: it ended before its call")
        kept = self._kept
        if kept is not None and (left := self._repeated(kept, run, progress, stop)) is not None:
            try:
                yield kept.process, left
            finally:
                left.remove()
            return
        self.close()
        hold = CAN_HOLD and self._equal.get(basis, True) and run.repeat == 0 and not _is_kept_by_torch(run)
        progress.on_status(f"copying what {Asked.of(run).script.name} may read")
        process = ScriptProcess(Asked.of(run), environment_for(run.settings), {**_content(run, stop), "hold": hold})
        try:
            left = process.first(progress)
            if not left.recording.calls and not left.outcome.get("refused"):
                self._without_call.add(basis)
            yield process, left
        except BaseException:
            process.close()
            raise
        if hold and process.is_alive:
            self._keep(process, run, left)
        else:
            process.close()

    def _keep(self, process: ScriptProcess, run: Run, left: Left) -> None:
        call = left.recording.calls[-1]
        basis, before = _basis(run), left.seconds - call.seconds - call.own_seconds
        self._spent[basis] = self._spent.get(basis, 0.0) + before
        applied = tuple(each for each in left.outcome["applied"] if _is_of(each, _BEFORE_THE_CALL))
        self._kept = _Kept(process, run, _digests(left), applied, call.seconds, whole=not left.ended)

    def _repeated(self, kept: _Kept, run: Run, progress: Progress, stop: Mapping[str, Any] | None) -> Left | None:
        """Return what the kept process leaves of a run; None where the run needs a process of its own."""
        basis = _basis(run)
        if run.repeat or not run.settings or _is_kept_by_torch(run):
            return None
        if basis != _basis(kept.run) or not kept.process.is_alive or not self._is_tried(kept, basis, stop):
            return None
        left = _asked_again(kept, run, progress, stop)
        if left is None:
            return None
        equal = self._equal_after_ends if left.ended else self._equal
        if basis not in equal:
            progress.on_status(f"repeating {kept.run.name}, which has to give the same again")
            again = _asked_again(kept, kept.run, progress)
            equal[basis] = again is not None and _digests(again) == kept.digests
            if again is not None:
                again.remove()
        return left if equal[basis] else None

    def _is_tried(self, kept: _Kept, basis: str, stop: Mapping[str, Any] | None) -> bool:
        """Whether a call is made in the kept process: repeats are equal, or it is worth a call to see whether they are.

        Only a whole call shows that. A process whose first one was ended is used where that is known to leave nothing.
        """
        after_ends = self._equal_after_ends.get(basis)
        known = [self._equal.get(basis)] if stop is None else [self._equal.get(basis), after_ends]
        if False in known or not (kept.whole or after_ends):
            return False
        return None not in known or self._spent.get(basis, 0.0) >= kept.call_seconds


def _asked_again(kept: _Kept, run: Run, progress: Progress, stop: Mapping[str, Any] | None = None) -> Left | None:
    """Return what a repeat leaves; None where it did not finish, or its process was not as before."""
    try:
        left = kept.process.repeat(_content(run, stop, repeated=True), progress)
    except BaseException:
        kept.process.close()  # it may wait for another request than the next one
        raise
    calls, outcome = left.recording.calls, left.outcome
    if "applied" not in outcome or outcome.get("refused") or not calls or not (calls[-1].finished or left.ended):
        return None
    return replace(left, outcome={**outcome, "applied": [*outcome["applied"], *kept.applied]})


def _digests(left: Left) -> tuple[str, ...]:
    """Return the digests of a call's frames and of its latents after each step."""
    call = left.recording.calls[-1]
    return (call.digest, *(step.digest for step in call.trace.steps)) if call.trace else (call.digest,)


def _content(run: Run, stop: Mapping[str, Any] | None = None, *, repeated: bool = False) -> dict[str, Any]:
    """Return what is put in, as `spacediff.watch.overridden` takes it, without `hold`."""
    paths = [path for path in run.settings if not (repeated and _is_of(path, _BEFORE_THE_CALL))]
    return {
        "call": Asked.of(run).call,
        "settings": tables_of(Settings({path: run.settings[path] for path in paths})),
        "prompt": run.prompt.text or None,
        "seed": run.prompt.seed,
        "look": not run.settings and not repeated,
        "stop": stop,
        "latents": run.is_target or run.role is Role.SEED,  # what runs that may end early are compared with
    }


def _basis(run: Run) -> str:
    """Return what a process and a run have to share: the script, its environment, and what acts before the call."""
    before = {path: each.value for path, each in run.settings.items() if _is_of(path, _BEFORE_THE_CALL)}
    shared = [dict(run.request), environment_for(run.settings), before, run.prompt.private]
    return json.dumps(shared, sort_keys=True, default=str)


def _is_kept_by_torch(run: Run) -> bool:
    return any(_is_of(path, _KEPT_BY_TORCH) for path in run.settings)


def _is_of(path: str, tables: tuple[str, ...]) -> bool:
    return any(path == table or path.startswith(f"{table}.") for table in tables)
