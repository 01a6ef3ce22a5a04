"""Audits and comparisons: load a scenario, plan it, run it, accept its result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.api.given import StrPath, as_names
from spacediff.api.running import AuditTerms, ExecutorName, audited, checked_budget, execute
from spacediff.errors import InvalidArgument
from spacediff.file_names import portable_name
from spacediff.results import Accepted, AuditResult
from spacediff.shell_command import out_option, repeated, shell_command

if TYPE_CHECKING:
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

    return plan_scenario(_loaded(scenario), as_names(only), budget=checked_budget(budget))


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
    executor: ExecutorName = "local",
    shared_folder: str = "",
    reference_from: StrPath | None = None,
    stop_without_reference: bool = False,
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
        executor: `local` generates on this machine, `ray` on a Ray cluster.
        shared_folder: With `ray`, a folder that all machines see, as fsspec names it; files of runs pass through it in
            place of Ray's object store.
        reference_from: The folder of an earlier audit, whose reference is used again where it was fetched by the same
            request. Its age is in the record.
        stop_without_reference: Whether nothing is generated where the reference is unavailable; otherwise the runs of
            this machine are compared with the baseline (`AuditRecord.local_comparisons`).
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; it holds the result so far.
        InvalidArgument: The budget or the time to wait is no number that makes sense.
        ScenarioError: The scenario has mistakes, or names files or folders that are not on this machine.
        ScenarioApproximate: The scenario leaves out what its script does, and that is not accepted.
        UnknownName: `only` names a variant that the scenario does not have.
        FolderOfAnotherAudit: The folder contains a different audit.
        FolderInUse: A different audit is writing into the folder.
        ReferenceNotKept: `reference_from` has no reference that was fetched by the same request.
        MissingPackage: A metric of the scenario, or the executor, needs a package.
        RecordError: The audit to compare with cannot be read.
        FileNotAccessible: A file cannot be read, or the audit folder cannot be written.
        MachineTooSmall: The memory or the disk cannot hold what is to be generated.
        ClusterUnavailable: There is no cluster, none can be started, or it has no room for a run.
    """
    terms = AuditTerms(
        only=as_names(only),
        budget=checked_budget(budget),
        fresh=fresh,
        reuse=reuse,
        strict=strict,
        against=None if against is None else Path(against),
        approximate=approximate,
        anyway=anyway,
        wait_minutes=wait_minutes,
        executor=executor,
        shared_folder=shared_folder,
        reference_from=None if reference_from is None else Path(reference_from),
        stop_without_reference=stop_without_reference,
    )
    (result,) = audited([(_loaded(scenario), None if out is None else Path(out))], terms, listener)
    return result


def run_audits(
    scenarios: Iterable[Scenario | StrPath],
    *,
    out: StrPath | None = None,
    only: str | Iterable[str] = (),
    budget: float | None = None,
    fresh: bool = False,
    reuse: bool = True,
    strict: bool = False,
    approximate: bool = False,
    anyway: bool = False,
    wait_minutes: float = 0.0,
    executor: ExecutorName = "local",
    shared_folder: str = "",
    stop_without_reference: bool = False,
    listener: ProgressListener | None = None,
) -> Iterator[AuditResult]:
    """Run several scenarios, and yield the result of each as soon as it is there.

    All are planned before the first one begins. Those that run on a cluster share its workers. An audit that cannot go
    on does not keep the others from being run: the error of the first such audit is raised at the end.

    Args:
        scenarios: The scenarios, or their files.
        out: The folder in which each gets an audit folder of its own, named after it; by default `audits/`.
        only: As in `run_audit`, as are all other arguments.
        budget: The most generations of the search of each.
        fresh: Whether to discard all finished runs of these audits first.
        reuse: Whether runs share work that they have in common, such as text embeddings.
        strict: Whether an exit code is 3 if anything at all was not measured.
        approximate: Whether scenarios that leave out what their script does are accepted.
        anyway: Whether audits begin although the machine is too small.
        wait_minutes: How long to wait, in all, for GPU quotas; for each audit.
        executor: `local` generates on this machine, `ray` on a Ray cluster.
        shared_folder: With `ray`, a folder that all machines see, as fsspec names it.
        stop_without_reference: Whether nothing is generated where a reference is unavailable.
        listener: Receives the progress, that of one audit after that of another; by default nobody.

    Raises:
        InvalidArgument: Two scenarios have the same name, so that their folders would be the same.
        SpacediffError: As in `run_audit`.
    """
    loaded = [_loaded(each) for each in scenarios]
    folders = [Path("audits" if out is None else out) / portable_name(each.path.stem) for each in loaded]
    twice = sorted({str(folder) for folder in folders if folders.count(folder) > 1})
    if twice:
        raise InvalidArgument(
            f"two scenarios would be audited in {twice[0]}", hint="give one of them another file name"
        )
    terms = AuditTerms(
        only=as_names(only),
        budget=checked_budget(budget),
        fresh=fresh,
        reuse=reuse,
        strict=strict,
        approximate=approximate,
        anyway=anyway,
        wait_minutes=wait_minutes,
        executor=executor,
        shared_folder=shared_folder,
        stop_without_reference=stop_without_reference,
    )
    return audited(
        [(each, folder if out else None) for each, folder in zip(loaded, folders, strict=True)], terms, listener
    )


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
    _ensure_readable(files)
    resolved = "\n".join(str(file.resolve()) for file in files).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(resolved).hexdigest()[:6]
    folder = where or Path("audits") / portable_name(f"compare-{files[0].name}-{files[1].name}-{digest}")
    plan = plan_files(*files, metrics, command=command, semantics=semantics, parts=parts, max_frames=max_frames)
    return execute(plan, folder, listener, runs_required=True)


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


def _ensure_readable(files: Iterable[Path]) -> None:
    """Check files before a folder is made for their comparison."""
    from spacediff.pictures.sets import is_set
    from spacediff.recordings.beforehand import ensure_call
    from spacediff.sources.video import ensure_readable, ensure_regular

    for file in files:
        ensure_regular(file)
        if is_set(file) or not ensure_call(file):
            ensure_readable(file)


def _loaded(scenario: Scenario | StrPath) -> Scenario:
    return load_scenario(scenario) if isinstance(scenario, str | PathLike) else scenario
