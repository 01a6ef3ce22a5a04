"""Generating: all runs of an audit, those of its plan and those that its search asks for.

Clips are scored meanwhile where an accelerator leaves the processors idle. What was expected of the generations is kept
beside what they took.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from spacediff.adoption import adopted, without_reference
from spacediff.comparing.ahead import ScoringAhead
from spacediff.comparing.scores import Scores
from spacediff.environments.announced import spaces_installed
from spacediff.executor import Executor
from spacediff.explaining.determinism import control_of_determinism
from spacediff.explaining.explain import explain
from spacediff.explaining.result import SearchResult
from spacediff.forecast import Forecast
from spacediff.interrupts import until_interrupted
from spacediff.kept_references import changed_spaces
from spacediff.metrics import Metric
from spacediff.plan import Plan
from spacediff.progress import ProgressListener
from spacediff.record import DeterminismRecord, Fact, ForecastRecord, RunRecord
from spacediff.run import Run
from spacediff.sources.command import programs_to_run
from spacediff.sources.local.scheduler_fit import unserved_schedulers
from spacediff.sources.long_clips import long_clips
from spacediff.store.store import Store
from spacediff.worker.identity import key_of
from spacediff.worker.records import relabelled


@dataclass(frozen=True)
class Generated:
    """The runs, and the search that asked for some of them.

    Attributes:
        plan: What was done: the plan, with local runs of what the reference was made from.
        environment: The versions and devices of the machine that generated; empty if an interruption came first.
        runs: The planned runs in the order of the plan, then those of the search.
        search: What the search for the cause found; None if there was none.
        determinism: Whether deterministic algorithms repeat the baseline; None where its re-run is equal.
        forecast: What was expected of the generations and what they took; None where none was to be made.
        changed: The Spaces that are at another commit now than when a clip was fetched.
        scores: Prompt to what was scored while other clips were generated.
        interrupted: Whether some are missing because of an interruption.
    """

    plan: Plan
    environment: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()
    search: SearchResult | None = None
    determinism: DeterminismRecord | None = None
    forecast: ForecastRecord | None = None
    changed: tuple[Fact, ...] = ()
    scores: Mapping[str, Scores] = field(default_factory=dict)
    interrupted: bool = False


def generate(
    plan: Plan, store: Store, executor: Executor, metrics: tuple[Metric, ...], listener: ProgressListener
) -> Generated:
    """Execute the plan, then the probes that explain the differences; all are compared together.

    An interruption ends it early: the result holds what was finished.

    Args:
        plan: What to do.
        store: The finished runs.
        executor: Executes the others.
        metrics: What to measure, on an accelerator while other clips are generated.
        listener: Called as the runs go on.
    """
    generated, ahead = Generated(plan), ScoringAhead(plan.reference, store.folder, metrics)
    try:
        with executor:
            ahead.begin()
            for notice in _notices(plan, store, listener):  # while the executor starts
                listener.on_notice(notice)
            foreseen = adopted(plan, _kept(plan, store))
            if not executor.generates_here:
                listener.on_status("waiting for the workers of the cluster")
            forecast, times = Forecast(foreseen, store, executor, listener), [time.monotonic()]
            forecast.begin()
            generated = _run(plan, store, executor, ahead, listener, forecast=forecast)
            times.append(time.monotonic())
            generated = _explain(generated, store, executor, listener)
            times.append(time.monotonic())
            generated = _control_determinism(generated, store, executor, listener)
            times.append(time.monotonic())
            generated = _with_forecast(generated, forecast, times)
            changed = () if generated.interrupted else tuple(changed_spaces(generated.runs))
            generated = replace(generated, changed=changed)
    except KeyboardInterrupt:  # while the executor closed: its runs are kept
        return replace(generated, interrupted=True)
    finally:
        ahead.cancel()
    return generated if generated.interrupted else replace(generated, scores=ahead.finish())


def _notices(plan: Plan, store: Store, listener: ProgressListener) -> Iterator[Fact]:
    """Yield what the user should know before the first run.

    These are long videos, programs that will run, seeds that a Space draws itself, schedulers that do not fit, and what
    would be installed as in a Space.
    """
    yield from long_clips(run for run in plan.runs if not store.get(key_of(run, {})))
    missing = [run for run in plan.runs if run.source in {"command", "space"} and not store.get(key_of(run, {}))]
    yield from programs_to_run([run for run in missing if run.source == "command"], store.folder)
    if asked := [run for run in missing if run.source == "space" and not run.made_here]:
        from spacediff.sources.space import known_before

        listener.on_status("looking at the Space")
        yield from known_before(asked)
    yield from unserved_schedulers(plan.runs)
    yield from spaces_installed(plan.runs, listener)


def _kept(plan: Plan, store: Store) -> Iterator[RunRecord]:
    """Yield the runs of the reference that are stored."""
    for run in plan.runs:
        if not run.made_here and (found := store.get(key_of(run, {}))) is not None:
            yield relabelled(found, run)


def _run(
    plan: Plan, store: Store, executor: Executor, ahead: ScoringAhead, listener: ProgressListener, *, forecast: Forecast
) -> Generated:
    generates = any(run.is_local for run in plan.runs)  # otherwise nobody waits for what this machine is

    def seen(record: RunRecord) -> RunRecord:
        # without an accelerator both would compete for the processors
        if generates and executor.environment.get("device", "cpu") != "cpu":
            ahead.add(record)
        return record

    def executed(runs: Iterable[Run]) -> tuple[tuple[RunRecord, ...], bool]:
        return until_interrupted(map(seen, forecast.follow(executor.execute(runs, store, listener))))

    store.discard_drafts()
    executor.prepare(plan.runs, store)
    fetched, interrupted = executed(run for run in plan.runs if not run.is_local)
    plan = without_reference(adopted(plan, fetched), fetched)
    forecast.replace_plan(plan)
    local = [] if interrupted else [run for run in plan.runs if run.is_local]
    made, stopped = executed(local)
    order = {(run.prompt.name, run.name): number for number, run in enumerate(plan.runs)}
    in_order = sorted((*fetched, *made), key=lambda run: order[run.prompt, run.name])
    return Generated(plan, executor.environment, tuple(in_order), interrupted=interrupted or stopped)


def _explain(ran: Generated, store: Store, executor: Executor, listener: ProgressListener) -> Generated:
    one = partial(_one, executor, store, listener)
    together = partial(executor.execute, store=store, listener=listener) if executor.at_once > 1 else None
    search = (
        None if ran.interrupted else explain(ran.plan, ran.runs, store.folder, one, listener, generate_all=together)
    )
    if search is None:
        return ran
    return replace(ran, runs=(*ran.runs, *search.generated), search=search, interrupted=search.interrupted)


def _one(executor: Executor, store: Store, listener: ProgressListener, run: Run) -> RunRecord:
    (record,) = executor.execute([run], store, listener)
    return record


def _with_forecast(ran: Generated, forecast: Forecast, times: Sequence[float]) -> Generated:
    """Set what was expected beside what was taken, from the moments that begin and end runs, search and control."""
    began, between, searched, ended = times
    cost, seconds = ran.search.cost if ran.search else None, between - began + ended - searched
    found = forecast.record(ran.runs, cost, seconds=seconds, search_seconds=searched - between)
    return replace(ran, forecast=found)


def _control_determinism(ran: Generated, store: Store, executor: Executor, listener: ProgressListener) -> Generated:
    if ran.interrupted:
        return ran
    one = partial(_one, executor, store, listener)
    found, interrupted = until_interrupted(control_of_determinism(ran.plan, ran.runs, one) for _ in range(1))
    if interrupted:
        return replace(ran, interrupted=True)
    ((determinism, made),) = found
    return replace(ran, determinism=determinism, runs=(*ran.runs, *made))
