"""`spacediff versions`: run a scenario under every release of a package, and print at which its output changes."""

from __future__ import annotations

from itertools import groupby

from rich.table import Table
from rich.text import Text

from spacediff.api import compare_versions
from spacediff.cli.audit_commands import open_page
from spacediff.cli.console import one_line, show_json, show_line, wide_terminal
from spacediff.cli.options import Verbosity, VersionsOptions
from spacediff.cli.progress import ProgressBars
from spacediff.errors import Exit
from spacediff.record import VersionsRecord
from spacediff.results import VersionsResult
from spacediff.wording import moved_text, release_text, versions_text


def versions(options: VersionsOptions) -> Exit:
    """Compare the releases of a package."""
    with ProgressBars(options.verbosity) as display:
        result = compare_versions(
            options.scenario,
            package=options.package,
            first=options.first,
            last=options.last,
            out=options.out,
            executor=options.executor,
            shared_folder=options.shared_folder,
            listener=display,
        )
    _show(result, options)
    if options.open_page:
        open_page(result.audit.report)
    return result.exit_code


def _show(result: VersionsResult, options: VersionsOptions) -> None:
    if options.as_json:
        show_json(result.versions.model_dump_json(indent=2) + "\n")
        return
    if options.verbosity is not Verbosity.QUIET:
        _show_tables(result.versions)
    show_line(one_line(versions_text(result.versions)))
    show_line(f"report: {result.audit.report}")


def _show_tables(found: VersionsRecord) -> None:
    console = wide_terminal()
    for prompt, releases in groupby(found.releases, key=lambda each: each.prompt):
        console.print(Text(one_line(prompt), "bold"))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in (found.package, "output", "what moved with it"):
            table.add_column(column, overflow="fold")
        for each in releases:
            style = "bold" if each.changed else ""
            moved = one_line(moved_text(each.moved))
            table.add_row(Text(one_line(each.version), style), Text(one_line(release_text(each)), style), Text(moved))
        console.print(table)
