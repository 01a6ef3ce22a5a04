"""Running audits: what was asked for becomes plans, and each plan an audit folder, here or on a cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from spacediff.api.extra_run import ensure_run
from spacediff.api.records import read_record
from spacediff.errors import (
    InvalidArgument,
    RecordingWithoutFrames,
    ScenarioApproximate,
    SpacediffError,
    error_from_record,
)
from spacediff.file_names import portable_name
from spacediff.freed_memory import return_freed_memory
from spacediff.results import AuditInterrupted, AuditResult
from spacediff.shell_command import out_option, repeated, shell_command

if TYPE_CHECKING:
    from spacediff.audit import Earlier
    from spacediff.executor import Executor
    from spacediff.plan import Plan
    from spacediff.progress import ProgressListener
    from spacediff.scenario.scenario import Scenario

ExecutorName: TypeAlias = Literal["local", "ray"]
"""`local` generates on this machine, `ray` on a Ray cluster."""


@dataclass(frozen=True)
class AuditTerms:
    """How audits are run; the attributes are the arguments of `run_audit`."""

    only: tuple[str, ...] = ()
    budget: float | None = None
    fresh: bool = False
    reuse: bool = True
    strict: bool = False
    against: Path | None = None
    approximate: bool = False
    anyway: bool = False
    wait_minutes: float = 0.0
    executor: ExecutorName = "local"
    shared_folder: str = ""
    reference_from: Path | None = None
    stop_without_reference: bool = False

    @property
    def options(self) -> list[str | Path]:
        """The options of the command line that say the same, but for what may be private."""
        return [
            *repeated("--only", self.only),
            *(["--budget", f"{self.budget:g}"] if self.budget is not None else []),
            *(["--no-reuse"] if not self.reuse else []),
            *(["--strict"] if self.strict else []),
            *(["--approximate"] if self.approximate else []),
            *(["--anyway"] if self.anyway else []),
            *(["--wait", f"{self.wait_minutes:g}"] if self.wait_minutes else []),
            *(["--executor", self.executor] if self.executor != "local" else []),
            *repeated("--against", [self.against] if self.against else []),
            *repeated("--reference-from", [self.reference_from] if self.reference_from else []),
            *(["--stop-without-reference"] if self.stop_without_reference else []),
        ]


@dataclass(frozen=True)
class _Prepared:
    """An audit that can begin."""

    scenario: Scenario
    plan: Plan
    folder: Path


def audited(
    scenarios: Sequence[tuple[Scenario, Path | None]], terms: AuditTerms, listener: ProgressListener | None
) -> Iterator[AuditResult]:
    """Plan all scenarios, then run one after the other, and yield each result.

    Args:
        scenarios: Each with its audit folder; None for `audits/` and its name.
        terms: How they are run.
        listener: Receives the progress; by default nobody.

    Raises:
        SpacediffError: A scenario cannot be run; or, at the end, the error of the first audit that could not go on.
    """
    quota_wait = 60 * _checked_wait(terms.wait_minutes)
    prepared = [_prepared(scenario, out, terms) for scenario, out in scenarios]
    return _run(prepared, terms, listener, quota_wait)


def _run(
    prepared: Sequence[_Prepared], terms: AuditTerms, listener: ProgressListener | None, quota_wait: float
) -> Iterator[AuditResult]:
    failures: list[SpacediffError] = []
    with executors([each.plan for each in prepared], terms) as executor_for:
        for each in prepared:
            try:
                if terms.fresh:
                    _discard(each.plan, each.folder)
                yield execute(
                    each.plan,
                    each.folder,
                    listener,
                    executor=executor_for(each.plan, each.folder, quota_wait),
                    reuse=terms.reuse,
                    strict=terms.strict,
                    earlier=_earlier(each.scenario.path, terms.against),
                    quota_wait=quota_wait,
                    reference_from=terms.reference_from,
                )
            except SpacediffError as error:
                failures.append(error)
    if failures:
        raise failures[0]


_ExecutorFor: TypeAlias = "Callable[[Plan, Path, float], Executor | None]"


@contextmanager
def executors(plans: Sequence[Plan], terms: AuditTerms) -> Iterator[_ExecutorFor]:
    """Yield what returns the executor of a plan, for its folder and its seconds to wait for quotas; None for ours."""
    if terms.executor == "local":
        yield lambda *_: None
        return
    from spacediff.distributed.session import session

    with session(plans, reuse=terms.reuse, shared=terms.shared_folder) as opened:
        yield opened.executor


def _prepared(scenario: Scenario, out: Path | None, terms: AuditTerms) -> _Prepared:
    """Plan a scenario, which fails before the heavy imports where it cannot be run."""
    ensure_run("an audit")
    from spacediff.call_arguments import ensure_call_arguments
    from spacediff.plan import plan_scenario, tried_anyway
    from spacediff.scenario.scenario import ensure_files_exist
    from spacediff.wording import sentences

    command = shell_command("audit", scenario.path, *terms.options, *out_option(out))
    plan = plan_scenario(scenario, terms.only, budget=terms.budget, command=command)
    if plan.approximations and not terms.approximate:
        raise ScenarioApproximate(scenario.path, sentences(plan.approximations))
    plan = replace(tried_anyway(plan) if terms.anyway else plan, stop_without_reference=terms.stop_without_reference)
    names = [run.name for run in plan.runs if run.name in scenario.variants]
    audited = dict.fromkeys(["baseline", *names])
    ensure_files_exist(scenario, audited)
    ensure_call_arguments(scenario, audited)
    return _Prepared(scenario, plan, out or Path("audits") / portable_name(scenario.path.stem))


def execute(
    plan: Plan,
    folder: Path,
    listener: ProgressListener | None,
    *,
    executor: Executor | None = None,
    reuse: bool = True,
    strict: bool = False,
    earlier: Earlier | None = None,
    runs_required: bool = False,
    quota_wait: float = 0.0,
    reference_from: Path | None = None,
) -> AuditResult:
    """Execute a plan and write the report.

    Args:
        plan: What to do.
        folder: The audit folder.
        listener: Receives the progress.
        executor: Executes the runs; by default on this machine.
        reuse: Whether runs share work.
        strict: For the result's exit code.
        earlier: The audit to compare with.
        runs_required: Whether a run without a clip is an error, unless it is of a recording without frames, whose
            settings and steps can be compared.
        quota_wait: Seconds that may be waited for GPU quotas to be renewed.
        reference_from: Another audit folder, whose reference is taken; None for none.
    """
    from spacediff.audit import audit
    from spacediff.progress import SilentListener
    from spacediff.reporting.html import PAGE
    from spacediff.reporting.html import write_report as write_page

    record = audit(
        plan,
        folder,
        listener or SilentListener(),
        executor,
        reuse=reuse,
        earlier=earlier,
        quota_wait=quota_wait,
        reference_from=reference_from,
    )
    for run in record.runs if runs_required else ():
        if run.failed and run.code != RecordingWithoutFrames.code:
            raise error_from_record(run.code, run.reason, run.hint)
    page = folder / PAGE
    if record.finished or record.runs or page.exists():
        page = write_page(record, folder)  # takes seconds, and before the end of a run there is nothing to show
    result = AuditResult(record, folder, page, strict)
    return_freed_memory()  # of one audit after the other, each would keep some
    if not record.finished:
        raise AuditInterrupted(result)
    return result


def checked_budget(budget: float | None) -> float | None:
    """Return a budget.

    Raises:
        InvalidArgument: It is no number of generations above 0.
    """
    if budget is not None and not 0 < budget < math.inf:
        raise InvalidArgument(f"the budget is {budget}; it must be a number of generations above 0")
    return budget


def _checked_wait(minutes: float) -> float:
    if not 0 <= minutes < math.inf:
        raise InvalidArgument(f"the time to wait is {minutes}; it must be a number of minutes")
    return minutes


def _earlier(scenario: Path, against: Path | None) -> Earlier | None:
    """Return what an audit is compared with: what was asked for, otherwise the accepted state, if there is one."""
    from spacediff.gate.accepted import NAME, read_accepted

    record = read_record(against) if against else read_accepted(scenario)
    if record is None:
        return None
    from spacediff.audit import Earlier  # heavy: it comes with everything that an audit needs

    return Earlier(record, against.resolve().name if against else NAME, accepted=not against)


def _discard(plan: Plan, folder: Path) -> None:
    """Discard the finished runs of this audit, but not those of a different one."""
    from spacediff.audit import ensure_same_audit
    from spacediff.store.store import Store

    ensure_same_audit(plan, folder)
    Store(folder).discard_all()
