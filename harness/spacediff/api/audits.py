"""Audits and comparisons: load a scenario, plan it, run it, accept its result."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.given import StrPath, as_names
from spacediff.api.records import read_record
from spacediff.errors import InvalidArgument, RecordingWithoutFrames, ScenarioApproximate, error_from_record
from spacediff.file_names import portable_name
from spacediff.results import Accepted, AuditInterrupted, AuditResult
from spacediff.shell_command import out_option, repeated, shell_command

if TYPE_CHECKING:
    from spacediff.audit import Earlier
    from spacediff.plan import Plan
    from spacediff.progress import ProgressListener
    from spacediff.scenario.scenario import Scenario


def load_scenario(path: StrPath) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: The file has mistakes; the error lists all of them.
        FileNotAccessible: The file cannot be read.
    """
    from spacediff.scenario.scenario import load_scenario as load

    return load(Path(path))


def plan_audit(scenario: Scenario | StrPath, *, only: str | Iterable[str] = (), budget: float | None = None) -> Plan:
    """List the runs of an audit without executing any.

    Args:
        scenario: A scenario, or its file.
        only: Variant or variants to measure, together with baseline and reference; all if empty.
        budget: The most generations of the search for the cause, of which a run that ends early is a fraction; by
            default the scenario's.

    Raises:
        ScenarioError: The scenario has mistakes.
        UnknownName: `only` names a variant that the scenario does not have.
    """
    from spacediff.plan import plan_scenario

    return plan_scenario(_scenario(scenario), as_names(only), budget=_checked(budget))


def run_audit(
    scenario: Scenario | StrPath,
    *,
    out: StrPath | None = None,
    only: str | Iterable[str] = (),
    budget: float | None = None,
    fresh: bool = False,
    reuse: bool = True,
    strict: bool = False,
    against: StrPath | None = None,
    approximate: bool = False,
    anyway: bool = False,
    wait_minutes: float = 0.0,
    listener: ProgressListener | None = None,
) -> AuditResult:
    """Run a scenario, and write the record, the clips and the HTML report into an audit folder.

    What an earlier, interrupted audit finished is not done again. A run that is unavailable does not end the audit: the
    record keeps its failure; see `AuditResult.raise_for_unmeasured`.

    Args:
        scenario: A scenario, or its file.
        out: The audit folder; by default `audits/` and the scenario's name.
        only: Variant or variants to measure, together with baseline and reference; all if empty.
        budget: The most generations of the search for the cause, of which a run that ends early is a fraction; by
            default the scenario's.
        fresh: Whether to discard all finished runs of this audit first.
        reuse: Whether runs share work that they have in common, such as text embeddings.
        strict: Whether the exit code is 3 if anything at all was not measured.
        against: An earlier audit to compare with; by default the accepted state, if there is one.
        approximate: Whether a scenario that leaves out what its script does is accepted. The record and all reports say
            what it leaves out.
        anyway: Whether the audit begins although the machine is too small, and tries every run.
        wait_minutes: How long to wait, in all, for a Space whose GPU quota is used up and that says when it is renewed,
            or that got no GPU. Besides the deadline of each clip.
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; it holds the result so far.
        InvalidArgument: The budget or the time to wait is no number that makes sense.
        ScenarioError: The scenario has mistakes, or names files or folders that are not on this machine.
        ScenarioApproximate: The scenario leaves out what its script does, and that is not accepted.
        UnknownName: `only` names a variant that the scenario does not have.
        FolderOfAnotherAudit: The folder contains a different audit.
        FolderInUse: A different audit is writing into the folder.
        MissingPackage: A metric of the scenario needs a package.
        RecordError: The audit to compare with cannot be read.
        FileNotAccessible: A file cannot be read, or the audit folder cannot be written.
        MachineTooSmall: The memory or the disk cannot hold what is to be generated.
    """
    from spacediff.plan import plan_scenario, tried_anyway
    from spacediff.scenario.scenario import ensure_files_exist
    from spacediff.wording import sentences

    loaded = _scenario(scenario)
    only = as_names(only)
    where = None if out is None else Path(out)
    earlier_path = None if against is None else Path(against)
    command = shell_command(
        "audit",
        loaded.path,
        *repeated("--only", only),
        *(["--budget", f"{budget:g}"] if budget is not None else []),
        *(["--no-reuse"] if not reuse else []),
        *(["--strict"] if strict else []),
        *(["--approximate"] if approximate else []),
        *(["--anyway"] if anyway else []),
        *(["--wait", f"{wait_minutes:g}"] if wait_minutes else []),
        *repeated("--against", [earlier_path] if earlier_path else []),
        *out_option(where),
    )
    plan = plan_scenario(loaded, only, budget=_checked(budget), command=command)  # fails before the heavy imports
    if plan.approximations and not approximate:
        raise ScenarioApproximate(loaded.path, sentences(plan.approximations))
    plan = tried_anyway(plan) if anyway else plan
    names = [run.name for run in plan.runs if run.name in loaded.variants]
    ensure_files_exist(loaded, dict.fromkeys(["baseline", *names]))
    folder = where or Path("audits") / portable_name(loaded.path.stem)
    earlier = _earlier(loaded.path, earlier_path)
    if fresh:
        _discard(plan, folder)
    quota_wait = 60 * _checked_wait(wait_minutes)
    return _execute(plan, folder, listener, reuse=reuse, strict=strict, earlier=earlier, quota_wait=quota_wait)


def compare_videos(
    reference: StrPath,
    candidate: StrPath,
    *,
    out: StrPath | None = None,
    metrics: str | Iterable[str] = (),
    semantics: str = "",
    parts: str | Iterable[str] = (),
    max_frames: int | None = None,
    listener: ProgressListener | None = None,
) -> AuditResult:
    """Score a video or picture against another one, and write the same record and report as an audit.

    Of two recordings, the settings and the steps are compared too; they alone, where one has no frames.

    Args:
        reference: The file to compare with: a video, a PNG, JPEG, WebP, AVIF or GIF, or a recording. `FILE.zip#2` is
            call 2 of a recording.
        candidate: The file to score.
        out: The audit folder; by default in `audits/`, named after the files.
        metrics: Further metric or metrics next to MAE, PSNR, SSIM and LPIPS: `flip`.
        semantics: A CLIP checkpoint, folder or Hub id, that measures how far frames show the `parts`.
        parts: One or several things to look for, such as `hand`.
        max_frames: How many frames of each video are compared at most, from the first one; by default all. What is left
            out is said in the record.
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; it holds the result so far.
        InvalidArgument: `semantics` without `parts`, or the other way round; or `max_frames` below 1.
        VideoNotReadable: A file is missing, broken, or too large to decode.
        RecordingNotReadable: A recording is broken, or has no such call.
        FolderOfAnotherAudit: The folder contains a different audit.
        FolderInUse: A different audit is writing into the folder.
        MissingPackage: A metric needs a package.
    """
    from spacediff.plan import plan_files

    files = (Path(reference), Path(candidate))
    metrics, parts = as_names(metrics), as_names(parts)
    if bool(semantics) != bool(parts):
        raise InvalidArgument("semantics and parts go together", hint="give a CLIP checkpoint and what to look for")
    if max_frames is not None and max_frames < 1:
        raise InvalidArgument(f"max_frames is {max_frames}; it must be a whole number of at least 1")
    where = None if out is None else Path(out)
    command = shell_command(
        "compare",
        *files,
        *repeated("--metric", metrics),
        *repeated("--part", parts),
        *(["--semantics", semantics] if semantics else []),
        *(["--max-frames", str(max_frames)] if max_frames is not None else []),
        *out_option(where),
    )
    digest = hashlib.sha256("\n".join(str(file.resolve()) for file in files).encode()).hexdigest()[:6]
    folder = where or Path("audits") / portable_name(f"compare-{files[0].name}-{files[1].name}-{digest}")
    plan = plan_files(*files, metrics, command=command, semantics=semantics, parts=parts, max_frames=max_frames)
    _ensure_readable(files)
    return _execute(plan, folder, listener, runs_required=True)


def accept_audit(scenario: StrPath, *, out: StrPath | None = None) -> Accepted:
    """Accept the result of a scenario's last audit, for later audits to be compared with.

    Args:
        scenario: The scenario's file; the accepted state is written next to it.
        out: The audit folder; by default `audits/` and the scenario's name.

    Raises:
        NotAnAuditFolder: There is no audit in the folder.
        NotAcceptable: The audit was interrupted, it compared nothing, a control failed, or it is an audit of another
            scenario.
        FileNotAccessible: The accepted state cannot be read or written.
    """
    from spacediff.gate.accepted import approve
    from spacediff.record import read_record as read_folder
    from spacediff.wording import sentences

    path = Path(scenario)
    folder = Path("audits") / portable_name(path.stem) if out is None else Path(out)
    record = read_folder(folder)
    return Accepted(*approve(record, path), tuple(sentences(record.approximations)))


def _execute(
    plan: Plan,
    folder: Path,
    listener: ProgressListener | None,
    *,
    reuse: bool = True,
    strict: bool = False,
    earlier: Earlier | None = None,
    runs_required: bool = False,
    quota_wait: float = 0.0,
) -> AuditResult:
    """Execute a plan and write the report.

    Args:
        plan: What to do.
        folder: The audit folder.
        listener: Receives the progress.
        reuse: Whether runs share work.
        strict: For the result's exit code.
        earlier: The audit to compare with.
        runs_required: Whether a run without a clip is an error, unless it is of a recording without frames, whose
            settings and steps can be compared.
        quota_wait: Seconds that may be waited for GPU quotas to be renewed.
    """
    from spacediff.audit import audit
    from spacediff.progress import SilentListener
    from spacediff.reporting.html import PAGE
    from spacediff.reporting.html import write_report as write_page

    record = audit(plan, folder, listener or SilentListener(), reuse=reuse, earlier=earlier, quota_wait=quota_wait)
    for run in record.runs if runs_required else ():
        if run.failed and run.code != RecordingWithoutFrames.code:
            raise error_from_record(run.code, run.reason, run.hint)
    page = folder / PAGE
    if record.finished or record.runs or page.exists():
        page = write_page(record, folder)  # takes seconds, and before the end of a run there is nothing to show
    result = AuditResult(record, folder, page, strict)
    if not record.finished:
        raise AuditInterrupted(result)
    return result


def _ensure_readable(files: Iterable[Path]) -> None:
    """Check files before a folder is made for their comparison."""
    from spacediff.pictures.sets import is_set
    from spacediff.recordings.beforehand import ensure_call
    from spacediff.sources.video import ensure_readable

    for file in files:
        if is_set(file) or not ensure_call(file):
            ensure_readable(file)


def _scenario(scenario: Scenario | StrPath) -> Scenario:
    return load_scenario(scenario) if isinstance(scenario, str | PathLike) else scenario


def _checked(budget: float | None) -> float | None:
    if budget is not None and not 0 < budget < math.inf:
        raise InvalidArgument(f"the budget is {budget}; it must be a number of generations above 0")
    return budget


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


def _checked_wait(minutes: float) -> float:
    if not 0 <= minutes < math.inf:
        raise InvalidArgument(f"the time to wait is {minutes}; it must be a number of minutes")
    return minutes
