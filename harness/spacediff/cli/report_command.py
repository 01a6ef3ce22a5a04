"""`spacediff report`: write the report of an audit again, or print its record."""

from __future__ import annotations

from pathlib import Path

from spacediff.api import render_report, write_report
from spacediff.cli.console import show_json, show_line, show_text
from spacediff.cli.options import ReportOptions
from spacediff.errors import Exit, InvalidArgument
from spacediff.results import ReportFormat

STANDARD_OUTPUT = Path("-")


def report(options: ReportOptions) -> Exit:
    """Write a report in one or several formats."""
    formats = options.formats or (("issue",) if options.template else ("html",))
    if options.template and "issue" not in formats:
        raise InvalidArgument("a template chooses the bug form of the format issue", hint="ask for the format issue")
    if options.out == STANDARD_OUTPUT or (set(formats) == {"json"} and not options.out and not options.variant):
        return _print_report(formats, options)
    written = write_report(
        options.folder, formats, out=options.out, against=options.against, variant=options.variant,
        template=options.template or "diffusers",
    )  # fmt: skip
    for file in written:
        for line in file.left_out:
            show_line(line, error=True)
        show_line(file.path)
    return Exit.GATE_PASSED


def _print_report(formats: tuple[ReportFormat, ...], options: ReportOptions) -> Exit:
    """Print one format to standard output."""
    if len(set(formats)) > 1:
        raise InvalidArgument("standard output takes one format", hint="name a folder for several")
    show = show_json if formats[0] == "json" else show_text
    show(render_report(options.folder, formats[0], against=options.against, template=options.template or "diffusers"))
    return Exit.GATE_PASSED
