"""What a generation took: seconds and memory of its stages, and what it took over from an earlier run."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record import RunRecord, StageRecord, TraceRecord
from spacediff.reporting.numbers import counted, seconds, size

_EMBEDDINGS = "text embeddings"
_LATENTS = "latents"
_ENCODES, _LAST = "text", "decoding"


@dataclass(frozen=True)
class Stage:
    """What a stage took; `earlier` when an earlier run spent it and this one took over what came out."""

    seconds: str
    peak: str
    earlier: bool


@dataclass(frozen=True)
class CostRow:
    """One run: its stages by name, its whole duration, and what it took over."""

    name: str
    stages: dict[str, Stage]
    whole: str
    shared: list[str]


@dataclass(frozen=True)
class Costs:
    """Time and memory of a prompt's runs.

    Attributes:
        stages: Names of the stages, in order.
        rows: The runs.
        effects: What sharing saved, in words.
    """

    stages: list[str]
    rows: list[CostRow]
    effects: list[str]


def costs_view(runs: list[RunRecord]) -> Costs:
    """Return time and memory of runs that were looked into."""
    traced = [(run, run.trace) for run in runs if run.trace]
    names = list(dict.fromkeys(stage.name for _, trace in traced for stage in trace.stages))
    return Costs(
        stages=names,
        rows=[
            CostRow(
                name=run.name,
                stages={stage.name: _stage(stage, trace) for stage in trace.stages},
                whole=seconds(run.seconds),
                shared=trace.shared,
            )
            for run, trace in traced
        ],
        effects=_effects([trace for _, trace in traced]),
    )


def _stage(stage: StageRecord, trace: TraceRecord) -> Stage:
    return Stage(seconds(stage.seconds), size(stage.peak_bytes), earlier=_earlier(stage, trace))


def _earlier(stage: StageRecord, trace: TraceRecord) -> bool:
    """Whether the stage was an earlier run's: with its latents, all before the decoding is."""
    return _LATENTS in trace.shared and stage.name != _LAST


def _effects(traces: list[TraceRecord]) -> list[str]:
    resumed = [trace for trace in traces if _LATENTS in trace.shared]
    handed = [trace for trace in traces if _EMBEDDINGS in trace.shared and _LATENTS not in trace.shared]
    encoded = _text_seconds([trace for trace in traces if not {_EMBEDDINGS, _LATENTS} & set(trace.shared)])
    found = []
    if handed and _text_seconds(handed):
        found.append(_handed(len(handed), max(_text_seconds(handed)), min(encoded, default=None)))
    if resumed:
        spared = sum(stage.seconds for trace in resumed for stage in trace.stages if _earlier(stage, trace))
        found.append(
            f"{counted(len(resumed), 'run')} took over the latents of an earlier run as well and only decoded them: "
            f"{seconds(spared)} of encoding and denoising were not spent again."
        )
    return found


def _handed(runs: int, most: float, encoded: float | None) -> str:
    took = (
        f"{counted(runs, 'run')} took over the text embeddings of an earlier run: "
        f"the text stage took at most {seconds(most)}"
    )
    return f"{took}." if encoded is None else f"{took}, where encoding the prompt took {seconds(encoded)} or more."


def _text_seconds(traces: list[TraceRecord]) -> list[float]:
    return [stage.seconds for trace in traces for stage in trace.stages if stage.name == _ENCODES]
