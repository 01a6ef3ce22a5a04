"""`spacediff doctor`, `cache`, `init`, `schema` and `probe`: see to this machine, and write what one begins with."""

from __future__ import annotations

import json
import keyword
from dataclasses import asdict

from spacediff.api import check_machine, write_probe
from spacediff.cli.console import show_json, show_line, show_text
from spacediff.cli.options import (
    CacheOptions,
    CompletionOptions,
    DoctorOptions,
    InitOptions,
    ProbeOptions,
    SchemaOptions,
)
from spacediff.errors import Exit, InvalidArgument
from spacediff.privacy.redaction import redact


def doctor(options: DoctorOptions) -> Exit:
    """Show what this machine can run."""
    checks = check_machine()
    if options.as_json:
        show_json(json.dumps([redact(asdict(check)) for check in checks], indent=2) + "\n")
    else:
        from spacediff.cli.tables import show_checks

        show_checks(checks)
    return Exit.GATE_PASSED


def cache(options: CacheOptions) -> Exit:
    """Show what is kept in the cache folder, and remove what is of no use or all of it."""
    from spacediff.cli.tables import show_kept
    from spacediff.files import cache_dir
    from spacediff.kept import kept, prune

    if options.everything and not options.prune:
        raise InvalidArgument("everything is removed only where removing is asked for", hint="add --prune")
    parts = prune(found, everything=options.everything) if (found := kept()) and options.prune else found
    if options.as_json:
        shown = [redact(asdict(each) | {"path": each.path.as_posix()}) for each in parts]
        show_json(json.dumps(shown, indent=2) + "\n")
    else:
        show_kept(cache_dir(), parts, removed=options.prune)
    return Exit.GATE_PASSED


def completion(options: CompletionOptions) -> Exit:
    """Print the completion script of a shell, in which files are completed where options name them."""
    import shtab

    from spacediff.cli.parser import parsers

    whole, commands = parsers()
    for command in commands.values():
        for action in command.files:
            vars(action)["complete"] = shtab.FILE  # the attribute that shtab reads
    show_text(shtab.complete(whole, options.shell) + "\n")
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


def probe(options: ProbeOptions) -> Exit:
    """Write the file that records inside a Space, and say how the app uses it."""
    module = options.file.stem
    if not module.isidentifier() or keyword.iskeyword(module):
        raise InvalidArgument(f"{module} is no name that Python imports", hint="name a file such as space_probe.py")
    write_probe(options.file)
    show_line(f"wrote {options.file}; put it next to the app, and into the app, before it is launched:")
    show_line(f"  import {module}")
    show_line(f"  {module}.attach(demo)")
    return Exit.GATE_PASSED


def schema(options: SchemaOptions) -> Exit:
    """Print a JSON Schema."""
    from spacediff.record import record_schema
    from spacediff.scenario.scenario import scenario_schema

    show_text(json.dumps(record_schema() if options.record else scenario_schema(), indent=2) + "\n")
    return Exit.GATE_PASSED
