"""What an audit is expected to take: generations, time, memory and disk.

The key insight: a finished generation says what the next ones take, as its steps and its other stages were timed. So
the time is known after the first of them, or before it where an earlier audit in the folder generated the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacediff.devices import execution_device, type_of
from spacediff.fitting.disk import OnDisk, free_bytes
from spacediff.fitting.need import Memory
from spacediff.plan import Explanation
from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.run import Run
from spacediff.settings import Settings

_STEPS = "call.num_inference_steps"
_USUAL_STEPS = 50
_DENOISING = "denoising"
_OBSERVED = ("diffusers", "script")
_ALIKE = ("model.", "placement", "numerics.", "call.height", "call.width", "call.num_frames")
"""Beginnings of the settings that have to be equal for two generations to take about the same."""


@dataclass(frozen=True)
class Measured:
    """What a finished generation took.

    Attributes:
        step: Seconds of a denoising step.
        rest: Seconds of its other stages.
        steps: Its denoising steps.
        device: Name of the device whose memory was measured, `cpu` for the machine's.
        peak: The most bytes in use there.
        start: Seconds that a script takes before its call: imports, loading.
    """

    step: float
    rest: float
    steps: int
    device: str
    peak: int
    start: float = 0.0

    def seconds(self, settings: Settings) -> float:
        """Return about how long a generation with some declared Settings takes, without the start of a script."""
        return self.rest + self.step * _steps(settings, self.steps)


@dataclass(frozen=True)
class Todo:
    """What an audit still has to generate.

    Attributes:
        runs: The planned runs that are not finished, equal ones once.
        explain: The search for the cause; None for none.
        folder: The audit folder.
        control: The runs that the control with deterministic algorithms may need.
    """

    runs: Sequence[Run]
    explain: Explanation | None
    folder: Path
    control: Sequence[Run] = ()

    @property
    def most_probes(self) -> float:
        """The most generations that the search may take."""
        return float(self.explain.budget) if self.explain else 0.0

    @property
    def clips(self) -> int:
        """The most clips that are still written."""
        return len(self.runs) + len(self.control) + math.ceil(self.most_probes)


def measured_by(record: RunRecord) -> Measured | None:
    """Return what a generation took; None if it is no whole one, or was not observed."""
    trace = record.trace
    if record.source not in _OBSERVED or not record.measured or trace is None or not trace.steps or record.fed_by:
        return None
    stages = {stage.name: stage for stage in trace.stages}
    if _DENOISING not in stages or any(stage.taken_over for stage in trace.stages):
        return None
    placement = record.settings["placement"].value if "placement" in record.settings else None
    denoising = stages[_DENOISING].seconds
    others = sum(stage.seconds for name, stage in stages.items() if name != _DENOISING)
    return Measured(
        step=denoising / len(trace.steps),
        rest=others,
        steps=len(trace.steps),
        device=execution_device(placement),
        peak=max(stage.peak_bytes for stage in trace.stages),
        start=max(record.seconds - denoising - others, 0.0) if record.source == "script" else 0.0,
    )


def measured_before(
    records: Iterable[RunRecord], like: Sequence[Run], then: Mapping[str, str], now: Mapping[str, str]
) -> Measured | None:
    """Return what a generation of an earlier audit took that is like the first one of this; None if there is none.

    Args:
        records: The runs of the earlier audit.
        like: The runs of this audit.
        then: The environment of the earlier audit.
        now: The environment of this one; another device or number of threads takes another time.
    """
    if any(then.get(name) != now.get(name) for name in ("device", "processor", "threads")):
        return None
    first = next((run for run in like if run.source in _OBSERVED), None)
    alike = (each for each in records if first is not None and _alike(first.settings, each))
    return next((found for each in alike if (found := measured_by(each)) is not None), None)


def expectation(todo: Todo, disk: OnDisk, *, measured: Measured | None = None, memory: Memory | None = None) -> Fact:
    """Return what is expected of the generations that are still to come.

    The time is an estimate at the speed of what was measured: runs that share their denoising take less. Whether a
    script's calls can be repeated in one process shows only when they are; so what they take then is a second estimate.

    Args:
        todo: What is to be generated.
        disk: What runs leave on the disk.
        measured: What a generation took; None before one is known.
        memory: What the largest run needs, before one was measured; None if that is unknown.
    """
    seconds = search = repeated = None
    if measured is not None:
        planned = [*todo.runs, *todo.control]
        calls = sum(measured.seconds(run.settings) for run in planned)
        probing = todo.most_probes * measured.seconds(todo.explain.target_settings) if todo.explain else 0.0
        seconds, search = calls + len(planned) * measured.start, probing + todo.most_probes * measured.start
        repeated = _repeated(todo, measured, calls + probing)
        memory = Memory(measured.device, measured.peak, whole=True)
    return fact(
        FactKind.EXPECTED,
        generations=len(todo.runs),
        control=len(todo.control),
        search=todo.most_probes,
        step=measured.step if measured else None,
        seconds=seconds,
        search_seconds=search,
        repeated_seconds=repeated,
        device="" if memory is None else "" if type_of(memory.device) == "cpu" else memory.device,
        memory=memory.need if memory else None,
        least=memory is not None and not memory.whole,
        disk=disk.most(todo.clips) if disk.run else None,
        free=free_bytes(todo.folder),
    )


def _repeated(todo: Todo, measured: Measured, calls: float) -> float | None:
    """Return the seconds of all that is to come where a script's calls are repeated in one process; None if none are.

    Repeats are tried when the starts of processes have taken as long as a call, and one more call shows whether they
    are equal (`spacediff.sources.script_repeats`). A re-run is a process of its own in any case.
    """
    if not measured.start:
        return None
    alone = sum(run.repeat > 0 for run in (*todo.runs, *todo.control))
    others = len(todo.runs) + len(todo.control) - alone + todo.most_probes
    call = measured.rest + measured.step * measured.steps
    starts = math.ceil(call / measured.start)
    return calls + call + (alone + starts) * measured.start if starts < others else None


def _alike(settings: Settings, record: RunRecord) -> bool:
    declared = {path: each.value for path, each in settings.items() if path.startswith(_ALIKE)}
    found = {path: each.value for path, each in record.settings.items()}
    return all(path in found and found[path] == value for path, value in declared.items())


def _steps(settings: Settings, otherwise: int = _USUAL_STEPS) -> int:
    given = settings.value(_STEPS, otherwise)
    return given if isinstance(given, int) else otherwise
