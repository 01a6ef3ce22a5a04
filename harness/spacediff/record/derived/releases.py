"""At which release an output changes: each is compared with the one before it, since changes are not monotone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spacediff.record.audit import AuditRecord
from spacediff.record.derived.divergence import before_the_loop, first_step
from spacediff.record.derived.packages import moved_between
from spacediff.record.run import RunRecord
from spacediff.record.trace import Stage, TraceRecord
from spacediff.record.versions import ReleaseRecord, VersionsRecord


def versions_record(record: AuditRecord, package: str, runs: Mapping[str, str]) -> VersionsRecord:
    """Return what changed at each release.

    Args:
        record: The audit of the releases.
        package: The package.
        runs: Name of a run to its release, the oldest first.
    """
    here = record.environment.local
    releases = [each for prompt in record.prompts for each in _releases(record, prompt.name, package, runs, here)]
    return VersionsRecord(package=package, title=record.title, finished=record.finished, releases=releases)


def _releases(
    record: AuditRecord, prompt: str, package: str, runs: Mapping[str, str], here: Mapping[str, str]
) -> Iterator[ReleaseRecord]:
    found = {run.name: run for run in record.runs if run.prompt == prompt}
    before: tuple[str, RunRecord] | None = None
    for name, version in runs.items():
        run = found.get(name)
        if run is None:  # interrupted before
            continue
        if not run.measured:
            yield ReleaseRecord(prompt=prompt, version=version, run=name, measured=False, reason=run.reason)
            continue
        yield _compared(version, run, before, package, here)
        before = version, run


def _compared(
    version: str, run: RunRecord, before: tuple[str, RunRecord] | None, package: str, here: Mapping[str, str]
) -> ReleaseRecord:
    usual = ReleaseRecord(prompt=run.prompt, version=version, run=run.name, measured=True)
    if before is None or run.clip is None or before[1].clip is None:
        return usual
    earlier, last = before
    changed = run.clip.digest != last.clip.digest if last.clip else None
    stage, step = _divergence(last.trace or TraceRecord(), run.trace or TraceRecord(), changed=bool(changed))
    return usual.model_copy(
        update={
            "before": earlier,
            "changed": changed,
            "stage": stage,
            "step": step,
            "steps": len(run.trace.steps) if run.trace else 0,
            "moved": moved_between(last, run, here, without=(package,)),
        }
    )


def _divergence(ours: TraceRecord, theirs: TraceRecord, *, changed: bool) -> tuple[Stage, int | None]:
    """Return where two generations first diverge, and the step if it is one."""
    if stage := before_the_loop(ours, theirs):
        return stage, None
    if not _are_seen(ours.steps, theirs.steps):
        return (Stage.UNOBSERVED if changed else Stage.NOWHERE), None
    if step := first_step(ours.steps, theirs.steps):
        return Stage.STEP, step
    return (Stage.DECODING if changed or ours.decoded != theirs.decoded else Stage.NOWHERE), None


def _are_seen(*steps: Sequence[object]) -> bool:
    return all(steps)
