"""Inside the loop: what the traces of a prompt's local runs show, in the order in which a reader meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spacediff.record import (
    ASIDE,
    AuditRecord,
    DivergenceRecord,
    FactKind,
    GuidanceChangeRecord,
    LoopReferenceRecord,
    NonfiniteRecord,
    PromptRecord,
    RunRecord,
    Stage,
    TraceComparisonRecord,
)
from spacediff.reporting.axes import from_zero, linear
from spacediff.reporting.costs import Costs, costs_view
from spacediff.reporting.isolated_steps import IsolatedSteps, isolated_steps_view
from spacediff.reporting.plots import Plot, Series, plot
from spacediff.wording import sentence, trace_text, transplant_text
from spacediff.wording.numbers import percent, plain, round_percent

_OF_NOISE = frozenset({FactKind.NOISE_OF_SEED, FactKind.NOISE_OF_NO_USUAL_SEED, FactKind.NOISE_NOT_TRIED})
_PLACES = {
    Stage.TEXT: "at the text embedding",
    Stage.INPUT: "at the encoding of the input",
    Stage.NOISE: "at the initial noise",
    Stage.UNOBSERVED: "where it was not observed",
    Stage.DECODING: "in decoding",
    Stage.ENCODING: "in encoding",
}


@dataclass(frozen=True)
class DivergenceRow:
    """Runs that diverge in the same stage with the same finding.

    Attributes:
        names: The runs, each with whether it is a control.
        where: Where they first diverge.
        sentence: The finding.
    """

    names: list[tuple[str, bool]]
    where: str
    sentence: str


@dataclass(frozen=True)
class Inside:
    """What the page shows of a prompt's traces.

    Attributes:
        compared_with: The run that the others are compared with; None when nothing was.
        divergences: Where runs diverge, the earliest stage first.
        identical: Runs that do not diverge, each with whether it is a control.
        noises: Of recordings, which seed gives the initial noise: the runs, and the sentence.
        transplants: Runs whose stages were fed a recording's tensors, each with what came of it.
        distances: How far the latents are; None without any.
        estimated: Whether some of the distances are estimated from sketches.
        undrawn: Runs whose latents could not be compared.
        guidance: The guidance scale in force; None when it is the same in every step of all runs, or there is none.
        constant_guidance: The scale when it is the same everywhere; else empty.
        changes: Scales that change inside the loop.
        timesteps: The timesteps; None when the pipelines do not say.
        isolated: Runs whose every step was fed another run's latents.
        costs: Time and memory.
        nonfinite: Runs with latents that are infinite or not a number.
    """

    compared_with: LoopReferenceRecord | None
    divergences: list[DivergenceRow]
    identical: list[tuple[str, bool]]
    noises: list[tuple[list[tuple[str, bool]], str]]
    transplants: list[tuple[str, str]]
    distances: Plot | None
    estimated: bool
    undrawn: list[str]
    guidance: Plot | None
    constant_guidance: str
    changes: list[GuidanceChangeRecord]
    timesteps: Plot | None
    isolated: list[IsolatedSteps]
    costs: Costs
    nonfinite: list[NonfiniteRecord]


def inside_view(record: AuditRecord, prompt: PromptRecord) -> Inside | None:
    """Return what the page shows of a prompt's traces; None when no run was examined."""
    loop = next((found for found in record.loops if found.prompt == prompt.name), None)
    if loop is None:
        return None
    runs = {run.name: run for run in record.runs if run.prompt == prompt.name}
    traces = {trace.candidate: trace for trace in record.traces if trace.prompt == prompt.name}
    examined = [run for run in runs.values() if run.trace and (run.trace.steps or run.trace.stages)]
    return Inside(
        compared_with=loop.reference,
        divergences=[row for found in loop.divergences for row in _rows(found, traces, runs)],
        identical=_marked(loop.identical, runs),
        noises=_noises(record, prompt, runs),
        transplants=[
            (name, transplant_text(run.trace.transplant, len(run.trace.steps)))
            for name, run in runs.items()
            if run.trace and run.trace.transplant
        ],
        distances=_distances(list(traces.values()), runs),
        estimated=any(trace.estimated for trace in traces.values()),
        undrawn=loop.without_distances,
        guidance=None if loop.guidance is not None else plot(_guidance(examined), linear, _short, first=1),
        constant_guidance="" if loop.guidance is None else _short(loop.guidance),
        changes=loop.guidance_changes,
        timesteps=plot(_timesteps(examined), linear, plain, first=1),
        isolated=[isolated_steps_view(found, runs[found.run], traces.get(found.variant)) for found in loop.isolated],
        costs=costs_view(examined, loop.sharing),
        nonfinite=loop.nonfinite,
    )


def _noises(
    record: AuditRecord, prompt: PromptRecord, runs: dict[str, RunRecord]
) -> list[tuple[list[tuple[str, bool]], str]]:
    found = (each for each in record.overview(prompt.name).remarks if each.fact.kind in _OF_NOISE)
    return [(_marked(each.runs, runs), sentence(each.fact)) for each in found]


def place_of(found: TraceComparisonRecord | DivergenceRecord) -> str:
    """Say in two or three words where a run diverges: `at step 4`, `in decoding`, `nowhere`."""
    return f"at step {found.step or 1}" if found.stage is Stage.STEP else _PLACES.get(found.stage, "nowhere")


def _rows(
    found: DivergenceRecord, traces: dict[str, TraceComparisonRecord], runs: dict[str, RunRecord]
) -> list[DivergenceRow]:
    """Return a row for each finding."""
    names: dict[str, list[str]] = {}
    for name in found.runs:
        names.setdefault(trace_text(traces[name]), []).append(name)
    return [DivergenceRow(_marked(alike, runs), place_of(found), text) for text, alike in names.items()]


def _marked(names: Sequence[str], runs: dict[str, RunRecord]) -> list[tuple[str, bool]]:
    return [(name, _control(name, runs)) for name in names]


def _control(name: str, runs: dict[str, RunRecord]) -> bool:
    return name in runs and runs[name].role.control


def _distances(traces: Sequence[TraceComparisonRecord], runs: dict[str, RunRecord]) -> Plot | None:
    series = [Series(trace.candidate, list(trace.distances), _control(trace.candidate, runs)) for trace in traces]
    return plot(series, lambda values: from_zero(values, round_percent), percent, first=0)


def _guidance(runs: Sequence[RunRecord]) -> list[Series]:
    return [
        Series(run.name, [step.applied_guidance for step in run.trace.steps], run.role.control)
        for run in runs
        if run.trace and run.role not in ASIDE
    ]


def _timesteps(runs: Sequence[RunRecord]) -> list[Series]:
    return [
        Series(run.name, [step.timestep for step in run.trace.steps], run.role.control)
        for run in runs
        if run.trace and run.role not in ASIDE
    ]


def _short(v: float) -> str:
    return f"{v:.4g}"
