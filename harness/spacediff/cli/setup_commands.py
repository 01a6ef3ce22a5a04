"""`spacediff doctor`, `init` and `schema`: check this machine, and help to write the first scenario."""

from __future__ import annotations

import json

from spacediff.api import check_machine
from spacediff.cli.console import show_line, show_text
from spacediff.cli.options import InitOptions, SchemaOptions
from spacediff.errors import Exit


def doctor() -> Exit:
    """Show what this machine can run."""
    from spacediff.cli.tables import show_checks

    show_checks(check_machine())
    return Exit.GATE_PASSED


def init(options: InitOptions) -> Exit:
    """Copy the example scenarios."""
    from spacediff.shipped import copy_scenarios

    copied, kept = copy_scenarios(options.folder)
    for path in copied:
        show_line(f"wrote {path}")
    for path in kept:
        show_line(f"kept {path}, which exists already")
    show_line(f"edit one, then: spacediff audit {options.folder / 'quickstart.toml'}")
    return Exit.GATE_PASSED


def schema(options: SchemaOptions) -> Exit:
    """Print a JSON Schema."""
    from spacediff.record import record_schema
    from spacediff.scenario.scenario import scenario_schema

    show_text(json.dumps(record_schema() if options.record else scenario_schema(), indent=2) + "\n")
    return Exit.GATE_PASSED
