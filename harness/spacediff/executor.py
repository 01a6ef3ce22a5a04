"""The executor: carries runs out. It alone knows where they run; here, one after the other in this process.

The key insight is the interface: runs go in as plain data, records come out as they finish, and the store is the only
thing shared. Whoever spreads runs over many GPUs implements `Executor` and changes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from spacediff.clip import write_lossless, write_preview
from spacediff.codec import export_to_video
from spacediff.environment import determining
from spacediff.errors import GenerationFailed, NotMeasuredError, OutOfMemory, failure, is_out_of_memory
from spacediff.files import sha256
from spacediff.interrupts import raise_if_interrupted
from spacediff.plan import Run
from spacediff.progress import Progress, ProgressListener
from spacediff.record import ClipRecord, RunRecord, TraceRecord, record_settings
from spacediff.sources import Produced
from spacediff.sources.dispatch import Sources
from spacediff.stages import Stage, up_to
from spacediff.store.latents import write_latents
from spacediff.store.runs import Store

_LATENTS = "latents.zip"


class Executor(Protocol):
    """Carries runs out, in whatever order suits it."""

    def __enter__(self) -> Self:
        """Make ready; what runs share is kept until the end, over several calls."""

    def __exit__(self, *_: object) -> None:
        """Let go of it."""

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as it finishes; a run that cannot be had yields a record with the reason."""


class InProcess:
    """Carries runs out one after the other, so that runs of one checkpoint share its load.

    Args:
        environment: This machine, as `environment()` tells it.
        reuse: Whether runs take over what an earlier one computed that shares everything before it.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, environment: Mapping[str, str], *, reuse: bool = True, keep_latents: bool = True) -> None:
        self._environment = dict(environment)
        self._keep_latents = keep_latents
        self._sources = Sources(reuse=reuse, keep_latents=keep_latents)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sources.close()

    def execute(self, runs: Iterable[Run], store: Store, listener: ProgressListener) -> Iterator[RunRecord]:
        """Yield the record of each run as it finishes."""
        missing: set[tuple[str, str]] = set()
        for run in _in_order(runs):
            raise_if_interrupted()
            listener.on_run_started(run)
            needless = (run.prompt.name, run.against) in missing
            record, reused = self._one(run, store, listener, needless=needless)
            listener.on_run_finished(run, record, reused=reused)
            if not record.measured:
                missing.add((run.prompt.name, run.name))
            yield record

    def _one(self, run: Run, store: Store, progress: Progress, *, needless: bool) -> tuple[RunRecord, bool]:
        sources = self._sources
        key = run.key(determining(self._environment) | {"checkpoint": sources.checkpoint_stamp(run)})
        found = store.get(key)
        if found is not None and self._lacks_latents(found):
            store.forget(key)
        elif found is not None:
            return found.model_copy(update=_labels(run)), True
        began = time.monotonic()
        try:
            if needless:
                sources.refuse_needless(run)
            with store.writing(key) as draft:
                produced = sources.produce(run, draft, progress)
                record = _recorded(run, key, produced, _keep(produced, draft, Path("runs") / key))
                store.seal(draft, record)
        except NotMeasuredError as error:
            return _unmeasured(run, key, error, time.monotonic() - began), False
        except Exception as error:  # noqa: BLE001 - one run's failure, whatever it is, must not cost the others
            kind = OutOfMemory if is_out_of_memory(error) else GenerationFailed
            return _unmeasured(run, key, kind(failure(error)), time.monotonic() - began), False
        return record, False

    def _lacks_latents(self, run: RunRecord) -> bool:
        """Whether latents are wanted which an earlier audit did not keep."""
        trace = run.trace
        return self._keep_latents and trace is not None and bool(trace.steps) and not (trace.latents or run.fed_by)


def _unmeasured(run: Run, key: str, error: NotMeasuredError, seconds: float) -> RunRecord:
    return RunRecord(
        key=key,
        source=run.source,
        measured=False,
        code=error.code,
        reason=error.message,
        hint=error.hint,
        settings=record_settings(run.settings),
        seconds=seconds,
        **_labels(run),
    )


def _keep(produced: Produced, draft: Path, place: Path) -> ClipRecord:
    """Write a clip's files into a run's folder; the record names them by their final place."""
    clip = produced.clip
    if produced.latents:
        write_latents(produced.latents, draft / _LATENTS)
    write_lossless(clip, draft / "clip.mkv")
    write_preview(clip, draft / "preview.mp4")
    delivered, delivered_digest = None, ""
    if produced.original is None:
        export_to_video(clip, draft / "delivered.mp4", quality=produced.settings.value("output.quality"))
        delivered, delivered_digest = str(place / "delivered.mp4"), sha256(draft / "delivered.mp4")
    frames, height, width = clip.frames.shape[:3]
    return ClipRecord(
        lossless=str(place / "clip.mkv"),
        preview=str(place / "preview.mp4"),
        original=str(place / produced.original.name) if produced.original else None,
        delivered=delivered,
        delivered_digest=delivered_digest,
        digest=clip.digest,
        frames=frames,
        width=width,
        height=height,
        fps=float(clip.fps),
        encoding=produced.encoding,
    )


def _recorded(run: Run, key: str, produced: Produced, clip: ClipRecord) -> RunRecord:
    return RunRecord(
        key=key,
        source=run.source,
        described=produced.described,
        measured=True,
        settings=record_settings(produced.settings),
        ignored=list(produced.ignored),
        warnings=list(produced.warnings),
        hosted=produced.hosted,
        seconds=produced.seconds,
        seed_echoed=produced.seed_echoed,
        clip=clip,
        trace=_traced(produced, Path("runs") / key),
        **_labels(run),
    )


def _traced(produced: Produced, place: Path) -> TraceRecord | None:
    if produced.trace is None or not produced.latents:
        return produced.trace
    return produced.trace.model_copy(update={"latents": str(place / _LATENTS)})


def _labels(run: Run) -> dict[str, Any]:
    """Return what a record says of a run's part in this audit; another audit may give the same clip another name."""
    changes = {path: setting.value for path, setting in run.changes.items()}
    return {
        "name": run.name,
        "role": run.role,
        "prompt": run.prompt.name,
        "changes": changes,
        "fed_by": run.fed_from,
    }


def _in_order(runs: Iterable[Run]) -> list[Run]:
    """Order hosted runs first (they wait for others), then by checkpoint and by what is shared up to the denoising."""
    first: dict[tuple[str, str], int] = {}

    def group(run: Run) -> tuple[bool, str, int]:
        checkpoint = repr(sorted(run.settings.table("model").items()))
        shares = (up_to(run.settings, Stage.DENOISING).digest(), run.prompt.name)
        return run.source == "diffusers", checkpoint, first.setdefault(shares, len(first))

    return sorted(runs, key=group)
