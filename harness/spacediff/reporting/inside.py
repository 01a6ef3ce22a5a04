"""Inside the loop: what the traces of a prompt's local runs show, in the order in which a reader meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from spacediff.record import ASIDE, AuditRecord, PromptRecord, Role, RunRecord, Stage, TraceComparisonRecord
from spacediff.reporting.axes import from_zero, linear
from spacediff.reporting.costs import Costs, costs_view
from spacediff.reporting.isolated_steps import Alone, isolated_steps_view
from spacediff.reporting.numbers import percent, plain, round_percent
from spacediff.reporting.plots import Plot, Series, plot

_CONTROLS = {Role.REPEAT, Role.RERUN, Role.SEED}
_IN_ORDER = list(Stage)
_Key = TypeVar("_Key")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Held:
    """The run that the traces are held against, and why it is that one.

    Attributes:
        name: The run.
        role: `reference`, `stands in` for a reference that shows nothing of its inside, or `baseline`.
        hosted: Whether the reference is a host's; else it is a file.
        verdict: How the run that stands in reached the reference.
    """

    name: str
    role: str
    hosted: bool
    verdict: str


@dataclass(frozen=True)
class Parting:
    """Runs that part from the held one in the same way.

    Attributes:
        names: The runs, each with whether it is a control.
        where: Where they first part.
        sentence: The finding.
    """

    names: list[tuple[str, bool]]
    where: str
    sentence: str


@dataclass(frozen=True)
class Scale:
    """A guidance scale that changes inside the loop: the runs that share it, its lowest and its highest value."""

    names: list[str]
    low: str
    high: str


@dataclass(frozen=True)
class Changing:
    """Guidance scales that change inside the loop for the same reason.

    Attributes:
        scales: The scales.
        dynamic: Whether dynamic CFG is switched on in these runs.
        start: The raw timestep of their first step, when that is beyond the number of steps; else empty.
        steps: The number of steps.
        turns: How often each scale turns from rising to falling or back.
    """

    scales: list[Scale]
    dynamic: bool
    start: str
    steps: int
    turns: int


@dataclass(frozen=True)
class Broken:
    """Latents that hold something that is no number.

    Attributes:
        name: The run.
        step: The first such step, from 1.
        count: How many values it has there.
    """

    name: str
    step: int
    count: int


@dataclass(frozen=True)
class Inside:
    """What the page shows of a prompt's traces.

    Attributes:
        held: What the others are held against; None when nothing was.
        partings: Where runs part, the earliest stage first.
        innocent: Runs that part nowhere, each with whether it is a control.
        distances: How far the latents are; None without any.
        undrawn: Runs whose latents could not be held against the others'.
        guidance: The guidance scale in force; None when it is the same in every step of all runs, or there is none.
        constant_guidance: The scale when it is the same everywhere; else empty.
        changing: Scales that change inside the loop.
        timesteps: The timesteps; None when the pipelines do not say.
        alone: Runs whose every step was fed another run's latents.
        costs: Time and memory.
        broken: Runs with latents that are no numbers.
    """

    held: Held | None
    partings: list[Parting]
    innocent: list[tuple[str, bool]]
    distances: Plot | None
    undrawn: list[str]
    guidance: Plot | None
    constant_guidance: str
    changing: list[Changing]
    timesteps: Plot | None
    alone: list[Alone]
    costs: Costs
    broken: list[Broken]


def inside_view(record: AuditRecord, prompt: PromptRecord) -> Inside | None:
    """Return what the page shows of a prompt's traces; None when no run was looked into."""
    runs = [run for run in record.runs if run.prompt == prompt.name]
    found = [trace for trace in record.traces if trace.prompt == prompt.name]
    traced = [run for run in runs if run.trace and (run.trace.steps or run.trace.stages)]
    if not traced:
        return None
    own_way = [run for run in traced if run.role not in ASIDE]
    controls = {run.name for run in runs if run.role in _CONTROLS}
    guidance = _guidance(own_way)
    constant = _constant(guidance)
    return Inside(
        held=_held(record, runs, found),
        partings=_divergences(found, controls),
        innocent=[(t.candidate, t.candidate in controls) for t in found if t.stage is Stage.NOWHERE],
        distances=plot(
            [Series(t.candidate, list(t.distances), t.candidate in controls) for t in found],
            lambda values: from_zero(values, round_percent),
            percent,
            first=0,
        ),
        undrawn=[t.candidate for t in found if all(v is None for v in t.distances)],
        guidance=None if constant else plot(guidance, linear, lambda v: f"{v:.4g}", first=1),
        constant_guidance=constant,
        changing=_changing(own_way),
        timesteps=plot(_timesteps(own_way), linear, plain, first=1),
        alone=isolated_steps_view(runs, found),
        costs=costs_view(traced),
        broken=[broken for run in traced if (broken := _broken(run))],
    )


def place_of(trace: TraceComparisonRecord) -> str:
    """Say in two or three words where a run parts: `at step 4`, `in decoding`, `nowhere`."""
    if trace.stage is Stage.STEP:
        return f"at step {trace.step or 1}"
    return {
        Stage.TEXT: "at the text embedding",
        Stage.NOISE: "at the initial noise",
        Stage.DECODING: "in decoding",
        Stage.ENCODING: "in encoding",
    }.get(trace.stage, "nowhere")


def in_order(traces: Iterable[TraceComparisonRecord]) -> list[TraceComparisonRecord]:
    """Order findings by where they part, the earliest first."""
    return sorted(traces, key=lambda trace: ((_IN_ORDER.index(trace.stage) or len(_IN_ORDER)), trace.step or 0))


def _held(record: AuditRecord, runs: list[RunRecord], found: list[TraceComparisonRecord]) -> Held | None:
    if not found:
        return None
    name = found[0].reference
    verdicts = {c.candidate: c.verdict for c in record.comparisons if c.prompt == found[0].prompt}
    verdict = verdicts.get(name)
    reached = verdict is not None and verdict.reached
    return Held(
        name=name,
        role="reference" if name == record.reference else "stands in" if reached else "baseline",
        hosted=any(run.name == record.reference and run.source == "space" for run in runs),
        verdict=verdict.value if verdict and reached else "",
    )


def _divergences(found: list[TraceComparisonRecord], controls: set[str]) -> list[Parting]:
    groups = _grouped(in_order(found), lambda trace: (trace.stage, trace.step, trace.sentence))
    return [
        Parting([(t.candidate, t.candidate in controls) for t in group], place_of(group[0]), group[0].sentence)
        for group in groups
        if group[0].stage is not Stage.NOWHERE
    ]


def _grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> list[list[_Item]]:
    """Put items with equal keys together, in order of appearance."""
    groups: dict[_Key, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


# ---- guidance and timesteps


def _scales(run: RunRecord) -> tuple[float | None, ...]:
    return tuple(step.guidance for step in run.trace.steps) if run.trace else ()


def _told(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def _guidance(runs: list[RunRecord]) -> list[Series]:
    return [Series(run.name, list(_scales(run)), run.role in _CONTROLS) for run in runs]


def _constant(series: list[Series]) -> str:
    values = {v for each in series for v in _told(each.values)}
    return f"{values.pop():.4g}" if len(values) == 1 else ""


def _changing(runs: list[RunRecord]) -> list[Changing]:
    moving = [run for run in runs if len(set(_told(_scales(run)))) > 1]
    return [
        Changing([_scale(same) for same in _grouped(group, _scales)], *_cause(group[0]))
        for group in _grouped(moving, _cause)
    ]


def _cause(run: RunRecord) -> tuple[bool, str, int, int]:
    """Return what tells why a run's scale changes, and how: the last four of a `Changing`."""
    steps = run.trace.steps if run.trace else []
    start = steps[0].timestep
    beyond = start is not None and start > len(steps)
    return _dynamic(run), plain(start) if start is not None and beyond else "", len(steps), _turns(_told(_scales(run)))


def _scale(runs: list[RunRecord]) -> Scale:
    values = _told(_scales(runs[0]))
    return Scale([run.name for run in runs], f"{min(values):.4g}", f"{max(values):.4g}")


def _turns(values: list[float]) -> int:
    rises = [b > a for a, b in pairwise(values) if a != b]
    return sum(a != b for a, b in pairwise(rises))


def _dynamic(run: RunRecord) -> bool:
    setting = run.settings.get("call.use_dynamic_cfg")
    return setting is not None and setting.value is True


def _timesteps(runs: list[RunRecord]) -> list[Series]:
    return [
        Series(run.name, [step.timestep for step in run.trace.steps], run.role in _CONTROLS)
        for run in runs
        if run.trace
    ]


def _broken(run: RunRecord) -> Broken | None:
    steps = run.trace.steps if run.trace else []
    return next((Broken(run.name, n, step.nonfinite) for n, step in enumerate(steps, 1) if step.nonfinite), None)
