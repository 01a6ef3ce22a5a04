"""The library: what the commands do, for other programs, tests and notebooks.

Each function is a command without its output. It takes paths and options, returns a typed result and raises an error
of `spacediff.errors`. Nothing here prints, exits, or installs a signal handler; an audit reports its progress to a
`ProgressListener`, by default to nobody. Heavy libraries are imported when a function needs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, get_args

from spacediff.errors import InvalidArgument, ScenarioApproximate, error_from_record
from spacediff.file_names import portable_name
from spacediff.files import make_folder
from spacediff.results import Accepted, AuditInterrupted, AuditResult, ReportFile, ReportFormat
from spacediff.shell_command import out_option, repeated, shell_command

if TYPE_CHECKING:
    from spacediff.audit import Earlier
    from spacediff.doctor import Check
    from spacediff.plan import Plan
    from spacediff.progress import ProgressListener
    from spacediff.reading.model import Reading
    from spacediff.record import AuditRecord
    from spacediff.scenario.scenario import Scenario

StrPath: TypeAlias = str | PathLike[str]


def load_scenario(path: StrPath) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: The file has mistakes; the error lists all of them.
        FileNotAccessible: The file cannot be read.
    """
    from spacediff.scenario.scenario import load_scenario as load

    return load(Path(path))


def plan_audit(scenario: Scenario | StrPath, *, only: str | Iterable[str] = (), budget: int | None = None) -> Plan:
    """List the runs of an audit without executing any.

    Args:
        scenario: A scenario, or its file.
        only: Variant or variants to measure, together with baseline and reference; all if empty.
        budget: The largest number of clips to generate in search of the cause; by default the scenario's.

    Raises:
        ScenarioError: The scenario has mistakes.
        UnknownName: `only` names a variant that the scenario does not have.
    """
    from spacediff.plan import plan_scenario

    return plan_scenario(_scenario(scenario), _names(only), budget=_checked(budget))


def run_audit(
    scenario: Scenario | StrPath,
    *,
    out: StrPath | None = None,
    only: str | Iterable[str] = (),
    budget: int | None = None,
    fresh: bool = False,
    reuse: bool = True,
    strict: bool = False,
    against: StrPath | None = None,
    approximate: bool = False,
    listener: ProgressListener | None = None,
) -> AuditResult:
    """Run a scenario, and write the record, the clips and the HTML report into an audit folder.

    What an earlier, interrupted audit finished is not done again. A run that is unavailable does not end the audit: the
    record keeps its failure; see `AuditResult.raise_for_unmeasured`.

    Args:
        scenario: A scenario, or its file.
        out: The audit folder; by default `audits/` and the scenario's name.
        only: Variant or variants to measure, together with baseline and reference; all if empty.
        budget: The largest number of clips to generate in search of the cause; by default the scenario's.
        fresh: Whether to discard all finished runs of this audit first.
        reuse: Whether runs share work that they have in common, such as text embeddings.
        strict: Whether the exit code is 3 if anything at all was not measured.
        against: An earlier audit to compare with; by default the accepted state, if there is one.
        approximate: Whether a scenario that leaves out what its script does is accepted. The record and all reports say
            what it leaves out.
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; it holds the result so far.
        ScenarioError: The scenario has mistakes.
        ScenarioApproximate: The scenario leaves out what its script does, and that is not accepted.
        UnknownName: `only` names a variant that the scenario does not have.
        FolderOfAnotherAudit: The folder contains a different audit.
        FolderInUse: A different audit is writing into the folder.
        MissingPackage: A metric of the scenario needs a package.
        RecordError: The audit to compare with cannot be read.
        FileNotAccessible: A file cannot be read, or the audit folder cannot be written.
    """
    from spacediff.plan import plan_scenario
    from spacediff.wording import sentences

    loaded = _scenario(scenario)
    only = _names(only)
    where = None if out is None else Path(out)
    earlier_path = None if against is None else Path(against)
    command = shell_command(
        "audit",
        loaded.path,
        *repeated("--only", only),
        *(["--budget", str(budget)] if budget is not None else []),
        *(["--no-reuse"] if not reuse else []),
        *(["--strict"] if strict else []),
        *(["--approximate"] if approximate else []),
        *repeated("--against", [earlier_path] if earlier_path else []),
        *out_option(where),
    )
    plan = plan_scenario(loaded, only, budget=_checked(budget), command=command)  # fails before the heavy imports
    if plan.approximations and not approximate:
        raise ScenarioApproximate(loaded.path, sentences(plan.approximations))
    folder = where or Path("audits") / portable_name(loaded.path.stem)
    earlier = _earlier(loaded.path, earlier_path)
    if fresh:
        _discard(plan, folder)
    return _execute(plan, folder, listener, reuse=reuse, strict=strict, earlier=earlier)


def compare_videos(
    reference: StrPath,
    candidate: StrPath,
    *,
    out: StrPath | None = None,
    metrics: str | Iterable[str] = (),
    semantics: str = "",
    parts: str | Iterable[str] = (),
    listener: ProgressListener | None = None,
) -> AuditResult:
    """Score a video against another one, and write the same record and report as an audit.

    Args:
        reference: The video to compare with.
        candidate: The video to score.
        out: The audit folder; by default in `audits/`, named after the files.
        metrics: Further metric or metrics next to MAE, PSNR, SSIM and LPIPS: `flip`.
        semantics: A CLIP checkpoint, folder or Hub id, that measures how far frames show the `parts`.
        parts: One or several things to look for, such as `hand`.
        listener: Receives the progress; by default nobody.

    Raises:
        AuditInterrupted: Ctrl-C; it holds the result so far.
        InvalidArgument: `semantics` without `parts`, or the other way round.
        VideoNotReadable: A file is missing, broken, or too large to decode.
        FolderOfAnotherAudit: The folder contains a different audit.
        FolderInUse: A different audit is writing into the folder.
        MissingPackage: A metric needs a package.
    """
    from spacediff.plan import plan_files

    files = (Path(reference), Path(candidate))
    metrics, parts = _names(metrics), _names(parts)
    if bool(semantics) != bool(parts):
        raise InvalidArgument("semantics and parts go together", hint="give a CLIP checkpoint and what to look for")
    where = None if out is None else Path(out)
    command = shell_command(
        "compare",
        *files,
        *repeated("--metric", metrics),
        *repeated("--part", parts),
        *(["--semantics", semantics] if semantics else []),
        *out_option(where),
    )
    digest = hashlib.sha256("\n".join(str(file.resolve()) for file in files).encode()).hexdigest()[:6]
    folder = where or Path("audits") / portable_name(f"compare-{files[0].name}-{files[1].name}-{digest}")
    plan = plan_files(*files, metrics, command=command, semantics=semantics, parts=parts)
    return _execute(plan, folder, listener, runs_required=True)


def read_source(
    source: StrPath,
    *,
    like: str = "",
    call: str | int = "",
    block: int = 0,
    folder: StrPath = "",
    arguments: str | None = None,
) -> Reading:
    """List the settings that a script, notebook, folder or Space declares. The source is parsed, never executed.

    Args:
        source: A file, a Markdown file with code blocks, a folder, or `ORG/NAME` of a Space.
        like: The pipeline class whose call is read, if the source calls several.
        call: Line, or `FILE:LINE`, of the call that is read; by default the main call.
        block: The number of a code block of a Markdown file, from 1, whose script is read; 0 for the only one that
            calls a pipeline.
        folder: Where the command is run that `source` is, or that stands in a Markdown file.
        arguments: The arguments of the script, as a shell takes them: `--steps 30 --prompt "a lemon"`.

    Raises:
        SourceNotReadable: There is no such source, or no pipeline call in it.
        CallNotFound: No pipeline is called at that line.
        BlockNotChosen: Several scripts of a Markdown file call a pipeline, or that block has no code.
        SpaceUnavailable: The Hub does not give the Space's source; the class says why.
    """
    from spacediff.reading.sources import read_any

    return read_any(str(source), like, call=str(call), block=block, folder=str(folder), arguments=arguments)


def read_record(path: StrPath) -> AuditRecord:
    """Read the record of an audit folder, or a record's file such as an accepted state.

    Raises:
        NotAnAuditFolder: The folder has no `audit.json`.
        FileNotAccessible: The record's file cannot be read.
        RecordError: The record is broken, or a newer spacediff wrote it.
    """
    from spacediff.record import read_record as read_folder
    from spacediff.record import read_record_file

    given = Path(path)
    return read_record_file(given) if given.is_file() else read_folder(given)


def render_report(
    audit: AuditResult | StrPath, report_format: ReportFormat = "md", *, against: StrPath | None = None
) -> str:
    """Return a report as text, without writing a file.

    Args:
        audit: The result of an audit, or its folder.
        report_format: `html`, `md`, `json`, `junit` or `summary`.
        against: An earlier audit to compare with.

    Raises:
        InvalidArgument: The format is unknown, or not a text.
        RecordError: A record cannot be read.
    """
    from spacediff.reporting.formats import render

    if report_format == "zip":
        raise InvalidArgument("a ZIP is not a text", hint="write_report writes it into a file")
    folder = _folder(audit)
    return render(_checked_format(report_format), _reported(folder, against), folder)


def write_report(
    audit: AuditResult | StrPath,
    formats: ReportFormat | Iterable[ReportFormat] = "html",
    *,
    out: StrPath | None = None,
    against: StrPath | None = None,
    variant: str = "",
) -> tuple[ReportFile, ...]:
    """Write the report of an audit, without torch and without a network.

    Args:
        audit: The result of an audit, or its folder.
        formats: One or several of `html`, `md`, `json`, `junit`, `zip`, `summary`.
        out: The file, or a folder for several formats; by default the audit folder.
        against: An earlier audit to compare with.
        variant: The run that a ZIP shows next to the reference; by default the baseline.

    Raises:
        InvalidArgument: A format is unknown, or `variant` is given without `zip`.
        RecordError: A record cannot be read.
        FileExists: The audit's own record would be replaced by a different one.
        FileNotAccessible: A file or its folder cannot be written.
        UnknownName: The audit has no run named `variant`.
        NothingToShow: The audit folder lacks the clips for a ZIP.
    """
    from spacediff.reporting.formats import FILES, write_format

    wanted = [_checked_format(each) for each in _names(formats)]
    if variant and "zip" not in wanted:
        raise InvalidArgument("a variant chooses the clip of the ZIP", hint="ask for the format zip too")
    folder = _folder(audit)
    record = _reported(folder, against)
    place = folder if out is None else Path(out)
    if len(wanted) > 1:
        make_folder(place)
    return tuple(
        ReportFile(each, path, tuple(write_format(each, record, folder, path, variant)))
        for each in wanted
        for path in [place / FILES[each] if place.is_dir() else place]
    )


def accept_audit(scenario: StrPath, *, out: StrPath | None = None) -> Accepted:
    """Accept the result of a scenario's last audit, for later audits to be compared with.

    Args:
        scenario: The scenario's file; the accepted state is written next to it.
        out: The audit folder; by default `audits/` and the scenario's name.

    Raises:
        NotAnAuditFolder: There is no audit in the folder.
        NotAcceptable: The audit was interrupted, a control failed, or it is an audit of a different scenario.
        FileNotAccessible: The accepted state cannot be read or written.
    """
    from spacediff.gate.accepted import approve
    from spacediff.record import read_record as read_folder
    from spacediff.wording import sentences

    path = Path(scenario)
    folder = Path("audits") / portable_name(path.stem) if out is None else Path(out)
    record = read_folder(folder)
    return Accepted(*approve(record, path), tuple(sentences(record.approximations)))


def check_machine() -> list[Check]:
    """List what this machine can run: libraries, accelerator, memory, metrics, the Hub."""
    from spacediff.doctor import examine

    return examine()


def _execute(
    plan: Plan,
    folder: Path,
    listener: ProgressListener | None,
    *,
    reuse: bool = True,
    strict: bool = False,
    earlier: Earlier | None = None,
    runs_required: bool = False,
) -> AuditResult:
    """Execute a plan and write the report.

    Args:
        plan: What to do.
        folder: The audit folder.
        listener: Receives the progress.
        reuse: Whether runs share work.
        strict: For the result's exit code.
        earlier: The audit to compare with.
        runs_required: Whether a run without a clip is an error.
    """
    from spacediff.audit import audit
    from spacediff.progress import SilentListener
    from spacediff.reporting.html import write_report as write_page

    record = audit(plan, folder, listener or SilentListener(), reuse=reuse, earlier=earlier)
    for run in record.runs if runs_required else ():
        if not run.measured:
            raise error_from_record(run.code, run.reason, run.hint)
    result = AuditResult(record, folder, write_page(record, folder), strict)
    if not record.finished:
        raise AuditInterrupted(result)
    return result


def _scenario(scenario: Scenario | StrPath) -> Scenario:
    return load_scenario(scenario) if isinstance(scenario, str | PathLike) else scenario


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return one or several names as a tuple without repetitions; a text is one name, not a series of letters."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def _checked(budget: int | None) -> int | None:
    if budget is not None and budget < 1:
        raise InvalidArgument(f"the budget is {budget}; it must be at least 1")
    return budget


def _checked_format(name: str) -> ReportFormat:
    formats: tuple[ReportFormat, ...] = get_args(ReportFormat)
    for known in formats:
        if known == name:
            return known
    raise InvalidArgument(f"there is no report format {name!r}", hint=f"the formats are {', '.join(formats)}")


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


def _folder(audit: AuditResult | StrPath) -> Path:
    return audit.folder if isinstance(audit, AuditResult) else Path(audit)


def _reported(folder: Path, against: StrPath | None) -> AuditRecord:
    """Read the record that a report shows, compared with an earlier one where that is asked for."""
    from spacediff.gate.history import history_of
    from spacediff.record import read_record as read_folder
    from spacediff.record import redacted

    record = read_folder(folder)
    if against is None:
        return record
    earlier = Path(against)
    history = history_of(read_record(earlier), record, earlier.resolve().name)
    command = f"{record.command}; {shell_command('report', folder, '--against', earlier)}"
    return redacted(record.model_copy(update={"history": history, "command": command}))
