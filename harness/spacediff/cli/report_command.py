"""`spacediff report`: write the report of an audit again, or print its record."""

from __future__ import annotations

from spacediff.api import render_report, write_report
from spacediff.cli.console import show_json, show_line
from spacediff.cli.options import ReportOptions
from spacediff.errors import Exit


def report(options: ReportOptions) -> Exit:
    """Write a report in one or several formats."""
    if set(options.formats) == {"json"} and not options.out and not options.variant:
        show_json(render_report(options.folder, "json", against=options.against))
        return Exit.GATE_PASSED
    formats = options.formats or ("html",)
    written = write_report(options.folder, formats, out=options.out, against=options.against, variant=options.variant)
    for file in written:
        for line in file.left_out:
            show_line(line, error=True)
        show_line(file.path)
    return Exit.GATE_PASSED
