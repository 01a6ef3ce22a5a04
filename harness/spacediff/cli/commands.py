"""The commands: parse, call, print. No logic lives here."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff import __version__
from spacediff.cli.parser import parser
from spacediff.errors import (
    Exit,
    FileExists,
    FileNotAccessible,
    InvalidArgument,
    SpacediffError,
    error_from_record,
)
from spacediff.interrupts import install
from spacediff.privacy.private_words import keep_private, private

if TYPE_CHECKING:
    from spacediff.audit import Earlier
    from spacediff.reading import Reading
    from spacediff.record import AuditRecord
    from spacediff.why.differences import Comparison
    from spacediff.why.patch import Advice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    install()
    with private():  # what a command learns to be private, no message after it tells
        return _run_command(options)


def _run_command(options: argparse.Namespace) -> int:
    try:
        return int(_COMMANDS[options.command](options))
    except SpacediffError as error:
        _report_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.GATE_PASSED)
    except OSError as error:
        _report_error(FileNotAccessible(f"{error.filename or 'a file'}: {error.strerror or error}"))
        return int(Exit.BAD_INPUT)
    except Exception:  # noqa: BLE001 - a mistake of ours must not look like a gate that fails
        _report_internal_error()
        return int(Exit.INTERNAL)


def _audit(options: argparse.Namespace) -> Exit:
    from spacediff.plan import plan_scenario
    from spacediff.scenario.scenario import load_scenario

    # a mistake shows before the heavy imports
    only = [word for name in options.only for word in ("--only", name)]
    budget = ["--budget", str(options.budget)] if options.budget else []
    against: list[str | Path] = ["--against", options.against] if options.against else []
    switches = [f"--{name.replace('_', '-')}" for name in ("no_reuse", "strict") if getattr(options, name)]
    command = _command("audit", options.scenario, *only, *budget, *switches, *against, *_where(options))
    plan = plan_scenario(load_scenario(options.scenario), options.only, budget=options.budget, command=command)
    keep_private(plan.private_texts)

    from spacediff.audit import audit, ensure_same_audit
    from spacediff.cli.progress import Display
    from spacediff.gate.gate import exit_code

    earlier = _earlier(options)
    folder = options.out or Path("audits") / options.scenario.stem
    if options.fresh:
        ensure_same_audit(plan, folder)
        _forget(folder)
    with Display() as display:
        record = audit(plan, folder, display, reuse=not options.no_reuse, earlier=earlier)
    _conclude(record, folder)
    if not record.finished:
        return Exit.INTERRUPTED
    measured = [*(run.measured for run in record.runs), *(found.measured for found in record.semantics)]
    if options.strict and not all(measured):
        print("strict: not everything was measured")
        return max(Exit.NOT_MEASURED, exit_code(record.gate.status))
    return exit_code(record.gate.status)


def _earlier(options: argparse.Namespace) -> Earlier | None:
    """Return what an audit is held against: what was asked for, else the accepted state, else nothing."""
    from spacediff.audit import Earlier
    from spacediff.gate.accepted import NAME, read_accepted

    if options.against:
        return Earlier(_record_of(options.against), options.against.resolve().name, accepted=False)
    accepted = read_accepted(options.scenario)
    return Earlier(accepted, NAME, accepted=True) if accepted else None


def _record_of(path: Path) -> AuditRecord:
    """Read an audit folder, or a record's file such as an accepted state."""
    from spacediff.record import read_record, read_record_file

    return read_record_file(path) if path.is_file() else read_record(path)


def _compare(options: argparse.Namespace) -> Exit:
    from spacediff.audit import audit
    from spacediff.cli.progress import Display
    from spacediff.plan import plan_files

    if bool(options.semantics) != bool(options.part):
        raise InvalidArgument("--semantics and --part go together", hint="--semantics MODEL --part hand")
    asked = [word for name in options.metric for word in ("--metric", name)]
    asked += [word for part in options.part for word in ("--part", part)]
    asked += ["--semantics", options.semantics] if options.semantics else []
    command = _command("compare", options.reference, options.candidate, *asked, *_where(options))
    files = (options.reference, options.candidate)
    mark = hashlib.sha256("\n".join(str(file.resolve()) for file in files).encode()).hexdigest()[:6]
    folder = options.out or Path("audits") / f"compare-{files[0].name}-{files[1].name}-{mark}"
    parts = list(dict.fromkeys(options.part))
    plan = plan_files(*files, options.metric, command=command, semantics=options.semantics or "", parts=parts)
    with Display() as display:
        record = audit(plan, folder, display)
    for run in record.runs:
        if not run.measured:
            raise error_from_record(run.code, run.reason, run.hint)
    _conclude(record, folder)
    return Exit.GATE_PASSED if record.finished else Exit.INTERRUPTED


def _report(options: argparse.Namespace) -> Exit:
    from spacediff.gate.history import history_of
    from spacediff.record import read_record, redacted

    record = read_record(options.folder)
    if options.against:
        history = history_of(_record_of(options.against), record, options.against.resolve().name)
        again = _command("report", options.folder, "--against", options.against)
        command = f"{record.command}; {again}"
        record = redacted(record.model_copy(update={"history": history, "command": command}))
    formats = list(dict.fromkeys(options.format)) or ["html"]
    if options.variant and "zip" not in formats:
        raise InvalidArgument("--variant chooses the clip of the ZIP", hint="add --format zip")
    if formats == ["json"] and not options.out:
        from spacediff.record.file import record_text

        print(record_text(record), end="")
        return Exit.GATE_PASSED
    _write_formats(options, record, formats)
    return Exit.GATE_PASSED


def _write_formats(options: argparse.Namespace, record: AuditRecord, formats: list[str]) -> None:
    from spacediff.cli.console import say
    from spacediff.reporting.formats import FILES, write_format

    into = options.folder
    if len(formats) > 1 and options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    if options.out and options.out.is_dir():
        into, options.out = options.out, None
    for name in formats:
        path = options.out or into / FILES[name]
        for line in write_format(name, record, options.folder, path, options.variant):
            say(line, trouble=True)
        say(path)


def _approve(options: argparse.Namespace) -> Exit:
    from spacediff.cli.console import say
    from spacediff.gate.accepted import approve
    from spacediff.plan import plan_scenario
    from spacediff.record import read_record
    from spacediff.scenario.scenario import load_scenario

    folder = options.out or Path("audits") / options.scenario.stem
    record = read_record(folder)
    if options.scenario.is_file():
        keep_private(plan_scenario(load_scenario(options.scenario)).private_texts)
    path, history = approve(record, options.scenario)
    if history:
        say(f"against what was accepted before: {history.sentence}")
    say(f"accepted: {path}")
    say("commit it beside the scenario; later audits are held against it")
    return Exit.GATE_PASSED


def _read(options: argparse.Namespace) -> Exit:
    from spacediff.reading.sources import read_any

    reading = read_any(options.source)
    if options.format == "json":
        import json

        from spacediff.privacy.redaction import redact

        print(json.dumps(redact(reading.as_json()), indent=2))
        return Exit.GATE_PASSED
    from spacediff.cli.tables import show_reading

    show_reading(reading)
    return Exit.GATE_PASSED


def _why(options: argparse.Namespace) -> Exit:
    from spacediff.cli.console import say
    from spacediff.cli.tables import show_differences
    from spacediff.files import write_new
    from spacediff.hub.ids import is_repository_id
    from spacediff.reading.sources import read_any
    from spacediff.why.differences import compare_sources
    from spacediff.why.patch import advise
    from spacediff.why.scenario_writer import scenario_text

    space_id = options.space if is_repository_id(options.space) and not Path(options.space).exists() else ""
    if not options.plan_only and not space_id:
        raise InvalidArgument("only a Space can be measured", hint="give ORG/NAME, or --plan-only to read alone")
    path = options.write or Path(f"why-{Path(options.script).stem}.toml")
    if options.patch and options.patch.exists():
        raise FileExists(f"{options.patch} already exists", hint="name another file with --patch")
    if options.patch and options.patch.absolute() == path.absolute():
        raise InvalidArgument(f"{path} would hold both scenario and patch", hint="name another file with --patch")
    script = read_any(options.script)
    space = read_any(options.space, str(script.settings.value("model.pipeline")))
    found = compare_sources(script, space, ask=True)
    advice = advise(options.script, script, space, found, ask=True)
    show_differences(found, advice)
    if options.plan_only:
        _give(advice, options.patch)
        if not options.write:
            return Exit.GATE_PASSED
    write_new(path, scenario_text(found, script, space, space_id), "--write")
    say(f"wrote {path}")
    if options.plan_only:
        fill_in = "" if space_id else " and fill in the Space's id, ORG/NAME"
        say(f"look it over{fill_in}, then: spacediff audit {shlex.quote(str(path))}")
        return Exit.GATE_PASSED
    budget = ["--budget", str(options.budget)] if options.budget else []
    code = _audit(parser().parse_args(["audit", str(path), *budget]))
    if code is not Exit.INTERRUPTED:
        _shim(options, Path("audits") / path.stem, (script, space, found))
    return code


def _shim(options: argparse.Namespace, folder: Path, read: tuple[Reading, Reading, Comparison]) -> None:
    """Advise on what a finished search found guilty, and write the corrected scenario beside the report."""
    from spacediff.cli.console import say
    from spacediff.files import write_atomically
    from spacediff.record import read_record
    from spacediff.why.patch import advise
    from spacediff.why.scenario_writer import corrected_text

    cause = read_record(folder).cause
    if cause is None or not cause.finished or not cause.sufficient:
        say("no cause was found, so no change is advised")
        return
    script, space, found = read
    advice = advise(options.script, script, space, found, only=cause.sufficient, ask=True)
    for path, words in advice.by_hand.items():
        say(f"change by hand: {path}: {_printable(words)}")
    _give(advice, options.patch)
    corrected = folder / "corrected.toml"
    write_atomically(corrected, corrected_text(found, script, space, options.space, cause.sufficient))
    say(f"corrected scenario: {corrected}")


def _give(advice: Advice, path: Path | None) -> None:
    """Print a patch, and write it where that was asked for."""
    from spacediff.cli.console import say
    from spacediff.files import write_new

    if not advice.patch:
        because = f": {_printable(advice.reason)}" if advice.reason else ""
        say(f"nothing in the script can be patched{because}")
        return
    say(
        f"\nthe patch, for {shlex.quote(_printable(advice.name))} in {_printable(str(advice.folder))}: patch -p0 < FILE"
    )
    say("\n".join(_printable(line) for line in advice.patch.removesuffix("\n").split("\n")))
    if path:
        write_new(path, advice.patch, "--patch")
        say(f"wrote {path}")


def _printable(text: str) -> str:
    """Return a line that moves no cursor; a carriage return at its end is of no use on a screen."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in text.removesuffix("\r"))


def _doctor(_: argparse.Namespace) -> Exit:
    from spacediff.cli.tables import show_checks
    from spacediff.doctor import examine

    show_checks(examine())
    return Exit.GATE_PASSED


def _init(options: argparse.Namespace) -> Exit:
    from spacediff.cli.console import say
    from spacediff.shipped import copy_scenarios

    copied, kept = copy_scenarios(options.folder)
    for path in copied:
        say(f"wrote {path}")
    for path in kept:
        say(f"kept {path}, which was there")
    say(f"edit one, then: spacediff audit {options.folder / 'quickstart.toml'}")
    return Exit.GATE_PASSED


def _schema(options: argparse.Namespace) -> Exit:
    import json

    from spacediff.record import record_schema
    from spacediff.scenario.scenario import scenario_schema

    print(json.dumps(record_schema() if options.record else scenario_schema(), indent=2))
    return Exit.GATE_PASSED


def _command(*words: str | Path) -> str:
    """Return what repeats this, with paths from here; of a path elsewhere only the name is told, behind an ellipsis."""
    return shlex.join(["spacediff", *(_shown(word) if isinstance(word, Path) else word for word in words)])


def _shown(path: Path) -> str:
    here = Path.cwd()
    if path.resolve().is_relative_to(here):
        return str(path.resolve().relative_to(here))
    return str(path) if not path.is_absolute() else f".../{path.name}"


def _where(options: argparse.Namespace) -> list[str | Path]:
    """Return where it was written to; not a folder elsewhere, whose path is not told and which nobody else has."""
    return ["--out", options.out] if options.out and options.out.resolve().is_relative_to(Path.cwd()) else []


def _forget(folder: Path) -> None:
    from spacediff.store.runs import Store

    Store(folder).discard_all()


def _conclude(record: AuditRecord, folder: Path) -> None:
    from spacediff.cli.console import say
    from spacediff.cli.summary import show_summary
    from spacediff.reporting.formats import add_to_job_page
    from spacediff.reporting.html import write_report

    report = write_report(record, folder)
    show_summary(record, report)
    if trouble := add_to_job_page(record):  # the gate's exit code stays what it is
        say(trouble, trouble=True)


def _report_internal_error() -> None:
    from spacediff.cli.console import say, say_traceback

    say_traceback()
    say(f"spacediff {__version__} made a mistake of its own; please report the lines above", trouble=True)


def _report_error(error: SpacediffError) -> None:
    from spacediff.cli.console import show_error

    show_error(error)


_COMMANDS: dict[str, Callable[[argparse.Namespace], Exit]] = {
    "audit": _audit,
    "compare": _compare,
    "report": _report,
    "approve": _approve,
    "read": _read,
    "why": _why,
    "doctor": _doctor,
    "init": _init,
    "schema": _schema,
}


if __name__ == "__main__":
    sys.exit(main())
