"""`spacediff environment`: show what would be installed as in a Space, and what would not."""

from __future__ import annotations

import json

from rich.table import Table
from rich.text import Text

from spacediff.api import space_environment
from spacediff.cli.console import one_line, show_json, show_line, wide_terminal
from spacediff.cli.options import EnvironmentOptions
from spacediff.cli.progress import ProgressBars
from spacediff.errors import Exit
from spacediff.privacy.redaction import redact


def environment(options: EnvironmentOptions) -> Exit:
    """List what a run in the environment of a Space would install."""
    with ProgressBars(options.verbosity) as display:
        found = space_environment(options.space, torch=options.torch, python=options.python, progress=display)
    if options.as_json:
        show_json(json.dumps(redact(found.as_json()), indent=2) + "\n")
        return Exit.GATE_PASSED
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("package", "would be installed", "here"):
        table.add_column(column, overflow="fold")
    for each in found.packages:
        style = "" if each.version == each.here else "bold"
        table.add_row(Text(one_line(each.name)), Text(one_line(each.version), style), Text(one_line(each.here or "—")))
    wide_terminal().print(table)
    for said in found.sentences:
        show_line(one_line(said))
    return Exit.GATE_PASSED
