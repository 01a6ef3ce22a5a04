"""Records and reports: what an audit wrote is read, and shown in another format."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from spacediff.api.given import StrPath, as_names
from spacediff.errors import InvalidArgument, RecordError, SpacediffError, failure
from spacediff.files import make_folder, write_atomically
from spacediff.results import AuditResult, IssueTemplate, ReportFile, ReportFormat
from spacediff.shell_command import shell_command

if TYPE_CHECKING:
    from spacediff.record import AuditRecord

_Name = TypeVar("_Name", bound=str)
_OF_RECORDINGS = ("html", "md", "json")


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
    audit: AuditResult | StrPath,
    report_format: ReportFormat = "md",
    *,
    against: StrPath | None = None,
    template: IssueTemplate = "diffusers",
) -> str:
    """Return a report as text, without writing a file.

    Args:
        audit: The result of an audit, or its folder; or a recording, whose formats are `html`, `md` and `json`.
        report_format: `html`, `md`, `json`, `junit`, `summary` or `issue`.
        against: An earlier audit to compare with.
        template: Whose bug form `issue` fills in.

    Raises:
        InvalidArgument: The format or template is unknown, or not a text; or a recording has no such format.
        RecordError: A record cannot be read, or its values do not fit together.
        RecordingNotReadable: The recording is damaged.
    """
    from spacediff.reporting.formats import render

    if report_format == "zip":
        raise InvalidArgument("a ZIP is not a text", hint="write_report writes it into a file")
    if _is_recording(audit):
        return _recording(_folder(audit), report_format, chosen=against is not None)
    folder = _folder(audit)
    record = _reported(folder, against)
    with _of_anybody(audit):
        return render(_checked_format(report_format), record, folder, _checked_template(template))


def write_report(
    audit: AuditResult | StrPath,
    formats: ReportFormat | Iterable[ReportFormat] = "html",
    *,
    out: StrPath | None = None,
    against: StrPath | None = None,
    variant: str = "",
    template: IssueTemplate = "diffusers",
) -> tuple[ReportFile, ...]:
    """Write the report of an audit, without torch and without a network.

    Args:
        audit: The result of an audit, or its folder; or a recording, whose formats are `html`, `md` and `json`.
        formats: One or several of `html`, `md`, `json`, `junit`, `zip`, `summary`, `issue`.
        out: The file, or a folder for several formats; by default the audit folder, or the recording's.
        against: An earlier audit to compare with.
        variant: The run that a ZIP shows next to the reference; by default the baseline.
        template: Whose bug form `issue` fills in.

    Raises:
        InvalidArgument: A format or template is unknown, or `variant` is given without `zip`; or a recording has no
            such format.
        RecordError: A record cannot be read, or its values do not fit together.
        RecordingNotReadable: The recording is damaged.
        FileExists: The audit's own record would be replaced by a different one.
        FileNotAccessible: A file or its folder cannot be written.
        UnknownName: The audit has no run named `variant`.
        NothingToShow: The audit folder lacks the clips for a ZIP.
    """
    from spacediff.reporting.formats import FILES, write_format

    wanted, form = [_checked_format(each) for each in as_names(formats)], _checked_template(template)
    if variant and "zip" not in wanted:
        raise InvalidArgument("a variant chooses the clip of the ZIP", hint="ask for the format zip too")
    folder = _folder(audit)
    if _is_recording(audit):
        return _written_of_recording(folder, wanted, out, chosen=against is not None or bool(variant))
    record = _reported(folder, against)
    place = folder if out is None else Path(out)
    if len(wanted) > 1:
        make_folder(place)
    with _of_anybody(audit):
        return tuple(
            ReportFile(each, path, tuple(write_format(each, record, folder, path, variant=variant, template=form)))
            for each in wanted
            for path in [place / FILES[each] if place.is_dir() else place]
        )


@contextmanager
def _of_anybody(audit: AuditResult | StrPath) -> Iterator[None]:
    """Report a stored record that cannot be shown as the wrong input that it is; one of this process is ours to fix.

    Raises:
        RecordError: Its values do not fit together, in a way that reading it did not notice.
    """
    try:
        yield
    except (SpacediffError, OSError, MemoryError):
        raise
    except Exception as error:
        if isinstance(audit, AuditResult):
            raise
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise RecordError(
            f"the record in {audit} cannot be shown, since its values do not fit together: {failure(error)} "
            f"({Path(last.filename).name}, line {last.lineno})",
            hint="run the audit again; if spacediff wrote this record unchanged, please report this message",
        ) from error


def _is_recording(audit: AuditResult | StrPath) -> bool:
    from spacediff.recordings import is_recording

    return not isinstance(audit, AuditResult) and is_recording(Path(audit))


def _written_of_recording(
    file: Path, formats: list[ReportFormat], out: StrPath | None, *, chosen: bool
) -> tuple[ReportFile, ...]:
    texts = {each: _recording(file, each, chosen=chosen) for each in formats}
    place = file.parent if out is None else Path(out)
    if len(formats) > 1:
        make_folder(place)
    paths = {each: place / f"{file.stem}.{each}" if place.is_dir() else place for each in formats}
    for each, text in texts.items():
        write_atomically(paths[each], text)
    return tuple(ReportFile(each, paths[each], ()) for each in formats)


def _recording(file: Path, name: ReportFormat, *, chosen: bool) -> str:
    """Return a recording in one format; `chosen` says whether something was asked for that only audits have."""
    from spacediff.reporting.recording import render_recording

    if name not in _OF_RECORDINGS or chosen:
        what = "is compared with nothing, and has no variants" if chosen else f"has no report format {name!r}"
        raise InvalidArgument(f"a recording {what}", hint=f"its formats are {', '.join(_OF_RECORDINGS)}")
    return render_recording(file, name)


def _checked_format(name: str) -> ReportFormat:
    formats: tuple[ReportFormat, ...] = get_args(ReportFormat)
    return _one_of(formats, name, f"there is no report format {name!r}", "the formats are")


def _checked_template(name: str) -> IssueTemplate:
    templates: tuple[IssueTemplate, ...] = get_args(IssueTemplate)
    return _one_of(templates, name, f"there is no bug form of {name!r}", "there are those of")


def _one_of(known: tuple[_Name, ...], name: str, problem: str, hint: str) -> _Name:
    """Return a name that is known.

    Raises:
        InvalidArgument: It is none; the hint lists those that there are.
    """
    for each in known:
        if each == name:
            return each
    raise InvalidArgument(problem, hint=f"{hint} {', '.join(known)}")


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
