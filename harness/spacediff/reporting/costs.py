"""What a generation took: seconds and memory of its stages, and what it reused from an earlier run."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record import RunRecord, SharingRecord, StageRecord
from spacediff.wording.numbers import counted, seconds, size


@dataclass(frozen=True)
class Stage:
    """What a stage took; `earlier` when an earlier run spent it and this one reused its result."""

    seconds: str
    peak: str
    earlier: bool


@dataclass(frozen=True)
class CostRow:
    """One run: its stages by name, its whole duration, and what it reused."""

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


def costs_view(runs: list[RunRecord], sharing: SharingRecord) -> Costs:
    """Return time and memory of runs that were examined, and what they saved."""
    traced = [(run, run.trace) for run in runs if run.trace]
    names = list(dict.fromkeys(stage.name for _, trace in traced for stage in trace.stages))
    return Costs(
        stages=names,
        rows=[
            CostRow(
                name=run.name,
                stages={stage.name: _stage(stage) for stage in trace.stages},
                whole=seconds(run.seconds),
                shared=trace.shared,
            )
            for run, trace in traced
        ],
        effects=[text for text in (_of_embeddings(sharing), _of_latents(sharing)) if text],
    )


def _stage(stage: StageRecord) -> Stage:
    return Stage(seconds(stage.seconds), size(stage.peak_bytes), earlier=stage.taken_over)


def _of_embeddings(sharing: SharingRecord) -> str:
    if sharing.embeddings_seconds is None:
        return ""
    took = (
        f"{counted(len(sharing.embeddings), 'run')} reused the text embeddings of an earlier run: "
        f"their text stage took at most {seconds(sharing.embeddings_seconds)}"
    )
    if sharing.encoding_seconds is None:
        return f"{took}."
    return f"{took}; encoding the prompt took {seconds(sharing.encoding_seconds)} or more."


def _of_latents(sharing: SharingRecord) -> str:
    if not sharing.latents:
        return ""
    return (
        f"{counted(len(sharing.latents), 'run')} also reused the latents of an earlier run and only decoded them, "
        f"which saved {seconds(sharing.spared_seconds)} of encoding and denoising."
    )
