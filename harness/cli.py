"""The command line: parse, call, print. No logic lives here."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.errors import Exit, SpacediffError
from harness.interrupts import listen

if TYPE_CHECKING:
    from harness.advice import Advice
    from harness.reading import Reading
    from harness.record import AuditRecord
    from harness.why import Comparison

_EXIT_CODES = """exit codes:
  0  the gate holds (or there is none)
  1  the gate does not hold
  2  the scenario or the command line is wrong
  3  something that the gate needs was not measured
  70  spacediff made a mistake of its own
  130  interrupted; the same command goes on from there
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    listen()
    try:
        return int(options.command(options))
    except SpacediffError as error:
        _say_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.GATE_HOLDS)
    except OSError as error:
        _say_error(SpacediffError(f"{error.filename or 'a file'}: {error.strerror or error}"))
        return int(Exit.BAD_INPUT)
    except Exception:  # noqa: BLE001 - a mistake of ours must not look like a gate that fails
        traceback.print_exc()
        print(f"spacediff {__version__} made a mistake of its own; please report the lines above", file=sys.stderr)
        return int(Exit.INTERNAL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spacediff",
        description="Audit whether a video model gives the same result locally as on a hosted Space, and why not.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"spacediff {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    audit = commands.add_parser("audit", help="run a scenario and write its report", epilog=_EXIT_CODES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    audit.add_argument("scenario", type=Path, metavar="SCENARIO.toml", help="what to audit")
    audit.add_argument(
        "--out", type=Path, metavar="DIR", help="audit folder (default: audits/ and the scenario's name)"
    )
    audit.add_argument("--only", action="append", default=[], metavar="VARIANT",
                       help="measure this variant only, beside baseline and reference; may be repeated")  # fmt: skip
    audit.add_argument("--fresh", action="store_true", help="forget what earlier runs of this audit finished")
    audit.add_argument("--budget", type=_count, metavar="N",
                       help="generate at most N clips to find the cause (default: what the scenario says)")  # fmt: skip
    audit.add_argument("--no-reuse", action="store_true",
                       help="compute every clip from the start, also what runs share")  # fmt: skip
    audit.add_argument("--strict", action="store_true", help="fail with 3 when anything at all was not measured")
    audit.set_defaults(command=_audit)

    compare = commands.add_parser("compare", help="score two videos")
    compare.add_argument("reference", type=Path, metavar="A.mp4", help="the reference")
    compare.add_argument("candidate", type=Path, metavar="B.mp4", help="the video held against it")
    compare.add_argument("--out", type=Path, metavar="DIR", help="audit folder (default: in audits/, by their names)")
    compare.add_argument("--metric", action="append", default=[], choices=["flip"],
                         help="measure this too, beside MAE, PSNR, SSIM and LPIPS; may be repeated")  # fmt: skip
    compare.set_defaults(command=_compare)

    report = commands.add_parser("report", help="draw an audit's report again")
    report.add_argument("folder", type=Path, metavar="AUDIT_DIR", help="the folder that `spacediff audit` named")
    report.add_argument("--format", choices=["html", "json"], default="html", help="what to write (default: html)")
    report.set_defaults(command=_report)

    read = commands.add_parser("read", help="the settings that a script or a Space declares, without running it")
    read.add_argument("source", metavar="run.py|FOLDER|ORG/NAME",
                      help="a script or notebook, a folder with an app, or a Space")  # fmt: skip
    read.add_argument("--format", choices=["table", "json"], default="table", help="how to print it (default: table)")
    read.set_defaults(command=_read)

    why = commands.add_parser("why", help="what a script and a Space set differently, and which of it matters",
                              epilog=_EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    why.add_argument("--script", required=True, metavar="FILE.py", help="the script as you run it")
    why.add_argument("--space", required=True, metavar="ORG/NAME", help="the Space, or a folder with its source")
    why.add_argument("--plan-only", action="store_true", help="only read: takes seconds, needs neither torch nor a GPU")
    why.add_argument("--write", type=Path, metavar="SCENARIO.toml", help="write the scenario that measures it")
    why.add_argument("--patch", type=Path, metavar="FILE", help="write the changes to the script as a patch")
    why.add_argument("--budget", type=_count, metavar="N", help="generate at most N clips to find the cause")
    why.set_defaults(command=_why)

    doctor = commands.add_parser("doctor", help="what this machine can run, and why not")
    doctor.set_defaults(command=_doctor)

    init = commands.add_parser("init", help="copy the scenarios here to edit")
    init.add_argument("folder", type=Path, nargs="?", default=Path("scenarios"), metavar="DIR",
                      help="where to (default: scenarios)")  # fmt: skip
    init.set_defaults(command=_init)

    schema = commands.add_parser("schema", help="print the JSON Schema of a scenario, for editors")
    schema.set_defaults(command=_schema)
    return parser


def _count(text: str) -> int:
    """Read a whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number


def _audit(options: argparse.Namespace) -> Exit:
    from harness.plan import plan_scenario
    from harness.scenario import load_scenario

    # a mistake shows before the heavy imports
    only = [word for name in options.only for word in ("--only", name)]
    budget = ["--budget", str(options.budget)] if options.budget else []
    command = _command("audit", options.scenario, *only, *budget, *_where(options))
    plan = plan_scenario(load_scenario(options.scenario), options.only, budget=options.budget, command=command)

    from harness.audit import audit, refuse_anothers
    from harness.display import Display
    from harness.gate import exit_code

    folder = options.out or Path("audits") / options.scenario.stem
    if options.fresh:
        refuse_anothers(plan, folder)
        _forget(folder)
    with Display() as display:
        record = audit(plan, folder, display, reuse=not options.no_reuse)
    _conclude(record, folder)
    if not record.finished:
        return Exit.INTERRUPTED
    if options.strict and not all(run.measured for run in record.runs):
        print("strict: not everything was measured")
        return max(Exit.NOT_MEASURED, exit_code(record.gate.status))
    return exit_code(record.gate.status)


def _compare(options: argparse.Namespace) -> Exit:
    from harness.audit import audit
    from harness.display import Display
    from harness.plan import plan_files

    asked = [word for name in options.metric for word in ("--metric", name)]
    command = _command("compare", options.reference, options.candidate, *asked, *_where(options))
    files = (options.reference, options.candidate)
    mark = hashlib.sha256("\n".join(str(file.resolve()) for file in files).encode()).hexdigest()[:6]
    folder = options.out or Path("audits") / f"compare-{files[0].name}-{files[1].name}-{mark}"
    plan = plan_files(options.reference, options.candidate, options.metric, command=command)
    with Display() as display:
        record = audit(plan, folder, display)
    for run in record.runs:
        if not run.measured:
            raise SpacediffError(run.reason, hint=run.hint)
    _conclude(record, folder)
    return Exit.GATE_HOLDS if record.finished else Exit.INTERRUPTED


def _report(options: argparse.Namespace) -> Exit:
    from harness.record import read_record

    record = read_record(options.folder)
    if options.format == "json":
        print((options.folder / "audit.json").read_text("utf-8"), end="")
        return Exit.GATE_HOLDS
    from harness.reporting.html import write_report

    print(write_report(record, options.folder))
    return Exit.GATE_HOLDS


def _read(options: argparse.Namespace) -> Exit:
    from harness.reading.sources import read_any

    reading = read_any(options.source)
    if options.format == "json":
        import json

        print(json.dumps(reading.as_json(), indent=2))
        return Exit.GATE_HOLDS
    from harness.display import show_reading

    show_reading(reading)
    return Exit.GATE_HOLDS


def _why(options: argparse.Namespace) -> Exit:
    from harness.advice import advise
    from harness.display import show_differences
    from harness.files import write_new
    from harness.reading.hub import is_space
    from harness.reading.sources import read_any
    from harness.why import compare_sources
    from harness.why_scenario import scenario_text

    space_id = options.space if is_space(options.space) and not Path(options.space).exists() else ""
    if not options.plan_only and not space_id:
        raise SpacediffError("only a Space can be measured", hint="give ORG/NAME, or --plan-only to read alone")
    path = options.write or Path(f"why-{Path(options.script).stem}.toml")
    if options.patch and options.patch.exists():
        raise SpacediffError(f"{options.patch} is there already", hint="name another file with --patch")
    if options.patch and options.patch.absolute() == path.absolute():
        raise SpacediffError(f"{path} would hold both scenario and patch", hint="name another file with --patch")
    script = read_any(options.script)
    space = read_any(options.space, str(script.settings.value("model.pipeline")))
    found = compare_sources(script, space, ask=True)
    advice = advise(options.script, script, space, found, ask=True)
    show_differences(found, advice)
    if options.plan_only:
        _give(advice, options.patch)
        if not options.write:
            return Exit.GATE_HOLDS
    write_new(path, scenario_text(found, script, space, space_id), "--write")
    print(f"wrote {path}")
    if options.plan_only:
        fill_in = "" if space_id else " and fill in the Space's id, ORG/NAME"
        print(f"look it over{fill_in}, then: spacediff audit {shlex.quote(str(path))}")
        return Exit.GATE_HOLDS
    budget = ["--budget", str(options.budget)] if options.budget else []
    code = _audit(_parser().parse_args(["audit", str(path), *budget]))
    if code is not Exit.INTERRUPTED:
        _mend(options, Path("audits") / path.stem, (script, space, found))
    return code


def _mend(options: argparse.Namespace, folder: Path, read: tuple[Reading, Reading, Comparison]) -> None:
    """Advise on what a finished search found guilty, and write the corrected scenario beside the report."""
    from harness.advice import advise
    from harness.files import write_atomically
    from harness.record import read_record
    from harness.why_scenario import corrected_text

    cause = read_record(folder).cause
    if cause is None or not cause.finished or not cause.cause:
        print("no cause was found, so no change is advised")
        return
    script, space, found = read
    advice = advise(options.script, script, space, found, only=cause.cause, ask=True)
    for path, words in advice.by_hand.items():
        print(f"change by hand: {path}: {_printable(words)}")
    _give(advice, options.patch)
    corrected = folder / "corrected.toml"
    write_atomically(corrected, corrected_text(found, script, space, options.space, cause.cause))
    print(f"corrected scenario: {corrected}")


def _give(advice: Advice, path: Path | None) -> None:
    """Print a patch, and write it where that was asked for."""
    from harness.files import write_new

    if not advice.patch:
        because = f": {_printable(advice.reason)}" if advice.reason else ""
        print(f"nothing in the script can be patched{because}")
        return
    print(
        f"\nthe patch, for {shlex.quote(_printable(advice.name))} in {_printable(str(advice.folder))}: patch -p0 < FILE"
    )
    print("\n".join(_printable(line) for line in advice.patch.split("\n")), end="")
    if path:
        write_new(path, advice.patch, "--patch")
        print(f"wrote {path}")


def _printable(text: str) -> str:
    """Return a line that moves no cursor; a carriage return at its end is of no use on a screen."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\ufffd" for letter in text.removesuffix("\r"))


def _doctor(_: argparse.Namespace) -> Exit:
    from harness.display import show_checks
    from harness.doctor import examine

    show_checks(examine())
    return Exit.GATE_HOLDS


def _init(options: argparse.Namespace) -> Exit:
    from harness.shipped import copy_scenarios

    copied, kept = copy_scenarios(options.folder)
    for path in copied:
        print(f"wrote {path}")
    for path in kept:
        print(f"kept {path}, which was there")
    print(f"edit one, then: spacediff audit {options.folder / 'quickstart.toml'}")
    return Exit.GATE_HOLDS


def _schema(_: argparse.Namespace) -> Exit:
    import json

    from harness.scenario import scenario_schema

    print(json.dumps(scenario_schema(), indent=2))
    return Exit.GATE_HOLDS


def _command(*words: str | Path) -> str:
    """Return what repeats this, with paths from here; of a path elsewhere only the name is told, behind an ellipsis."""
    return shlex.join(["spacediff", *(_shown(word) if isinstance(word, Path) else word for word in words)])


def _shown(path: Path) -> str:
    here = Path.cwd()
    if path.resolve().is_relative_to(here):
        return str(path.resolve().relative_to(here))
    return str(path) if not path.is_absolute() else f".../{path.name}"


def _where(options: argparse.Namespace) -> list[str | Path]:
    return ["--out", options.out] if options.out else []


def _forget(folder: Path) -> None:
    from harness.store import Store

    Store(folder).forget_all()


def _conclude(record: AuditRecord, folder: Path) -> None:
    from harness.display import show_summary
    from harness.reporting.html import write_report

    report = write_report(record, folder)
    show_summary(record, report)


def _say_error(error: SpacediffError) -> None:
    from harness.display import show_error

    show_error(error)


if __name__ == "__main__":
    sys.exit(main())
