"""What runs saved by taking over what an earlier run computed: text embeddings, or latents and so all before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spacediff.record.loop import SharingRecord
from spacediff.record.run import RunRecord
from spacediff.record.trace import LATENTS, StageRecord, TraceRecord

_EMBEDDINGS = "text embeddings"
_ENCODES, _LAST = "text", "decoding"


def with_stages_taken_over(run: RunRecord) -> RunRecord:
    """Mark the stages that an earlier run spent: a run that takes over latents only decodes them."""
    if run.trace is None or LATENTS not in run.trace.shared:
        return run
    stages = [stage.model_copy(update={"taken_over": stage.name != _LAST}) for stage in run.trace.stages]
    return run.model_copy(update={"trace": run.trace.model_copy(update={"stages": stages})})


def sharing(runs: Iterable[RunRecord]) -> SharingRecord:
    """Add up what runs saved whose stages are marked."""
    traces = {run.name: run.trace for run in runs if run.trace}
    latents = [name for name, trace in traces.items() if LATENTS in trace.shared]
    embeddings = [name for name, trace in traces.items() if _EMBEDDINGS in trace.shared and name not in latents]
    encoded = [trace for trace in traces.values() if not {_EMBEDDINGS, LATENTS} & set(trace.shared)]
    return SharingRecord(
        embeddings=embeddings,
        embeddings_seconds=max(_text_seconds([traces[name] for name in embeddings]), default=None),
        encoding_seconds=min(_text_seconds(encoded), default=None),
        latents=latents,
        spared_seconds=sum(stage.seconds for name in latents for stage in traces[name].stages if stage.taken_over),
    )


def _text_seconds(traces: Sequence[TraceRecord]) -> list[float]:
    return [stage.seconds for stage in _stages(traces) if stage.name == _ENCODES]


def _stages(traces: Sequence[TraceRecord]) -> list[StageRecord]:
    return [stage for trace in traces for stage in trace.stages]
