"""The commands, options and help of the command line, parsed into one dataclass per command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from spacediff import __version__
from spacediff.cli import exit_codes
from spacediff.cli.command_parser import CommandParser, add_verbosity
from spacediff.cli.options import (
    ApproveOptions,
    AuditOptions,
    CheckOptions,
    CompareOptions,
    EnvironmentOptions,
    Options,
    ProbeOptions,
    ReadOptions,
    RecordOptions,
    ReportOptions,
    VersionsOptions,
    WhyOptions,
)
from spacediff.cli.setup_parser import Commands, add_setup
from spacediff.cli.values import count, counts, generations, minutes, path, place, seconds
from spacediff.errors import did_you_mean
from spacediff.metric_info import OptionalMetric
from spacediff.results import IssueTemplate, ReportFormat

_FORMATS = """formats:
  html     the page: report.html
  md       GitHub Markdown to paste into an issue, under 60,000 characters: issue.md
  zip      to attach to an issue, under 25 MB: the page, both clips side by side as
           MP4 (pictures: as PNG), the Markdown, the scenario, script and patch where
           there are such, and the record: report.zip
  junit    JUnit XML for CI: junit.xml
  summary  the lines for a CI job's page: summary.md; `audit` and `compare` add them
           automatically if GITHUB_STEP_SUMMARY names a file
  issue    the bug form of another project, filled in: bug-form.md
  json     the record, printed unless --out is given; `spacediff schema --record`
           describes it
"""

_CALLS = 6
_APPROXIMATE = "run a scenario that leaves out what its script does, and say so in the verdict"
_BLOCK = "the code block of a Markdown file to read (default: the only script that calls a pipeline)"


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Parse a command line, by default that of this process; exits after a wrong one, `--help`, or no word at all."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    whole, commands = parsers()
    if not words:
        whole.print_help()
        whole.exit()
    if words[0] == "help":
        words = [*words[1:2], "--help"]
    if not words[0].startswith("-") and words[0] not in commands:
        whole.error(f"there is no command {words[0]!r}{did_you_mean(words[0], commands)}")
    namespace, unknown = whole.parse_known_args(words)
    found = vars(namespace)
    command: CommandParser = found.pop("command")
    kind = found.pop("kind")
    command.refuse_unknown(unknown)
    options: Options = kind(**{name: tuple(each) if isinstance(each, list) else each for name, each in found.items()})
    if isinstance(options, WhyOptions) and (problem := _without_effect(options)):
        command.error(problem)
    if isinstance(options, AuditOptions) and (problem := _not_together(options)):
        command.error(problem)
    return options


def _not_together(options: AuditOptions) -> str:
    """Return which options of `audit` do not go together; empty if all do."""
    if options.against is not None and len(options.scenarios) > 1:
        return "--against compares one scenario with an earlier audit; give the others in a command of their own"
    if options.reference_from is not None and len(options.scenarios) > 1:
        return "--reference-from is for one scenario; give the others in a command of their own"
    if options.shared_folder and options.executor != "ray":
        return "--shared-folder has no effect without --executor ray"
    return ""


def _without_effect(options: WhyOptions) -> str:
    """Return which option of `why` the others leave without an effect; empty if none."""
    if options.plan_only and options.budget is not None:
        return "--budget has no effect with --plan-only, which generates no clips"
    if options.plan_only and options.approximate:
        return "--approximate has no effect with --plan-only, which runs no scenario"
    if options.run and options.plan_only and options.scenario is None:
        return "--run has no effect with --plan-only, which runs nothing; with --write it is written into the scenario"
    if options.run and options.call:
        return (
            "--call has no effect with --run: it is the call of the script that is read; baseline.call names one to run"
        )
    if options.format == "json" and not options.plan_only:
        return "--format json needs --plan-only; an audit writes its record to audit.json"
    return ""


def parsers() -> tuple[CommandParser, dict[str, CommandParser]]:
    """Create the parser, and those of its commands by their names.

    It sets `command` to the parser of the command, `kind` to its dataclass, and the fields of that.
    """
    whole = CommandParser(
        prog="spacediff",
        description="Audit whether a video model gives the same result locally as on a hosted Space, and why not.",
        epilog=exit_codes.OF_AUDITS,
    )
    whole.add_argument("--version", action="version", version=f"spacediff {__version__}")
    commands: Commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _audit,
        _versions,
        _record,
        _probe,
        _compare,
        _report,
        _approve,
        _read,
        _why,
        _check,
        _environment,
        add_setup,
    ):
        add(commands)
    for command in commands.choices.values():
        command.set_defaults(command=command)
    return whole, commands.choices


def _audit(commands: Commands) -> None:
    audit = commands.add_parser("audit", help="run a scenario and write its report",
                                epilog=exit_codes.OF_AUDITS)  # fmt: skip
    planned = "in Python, spacediff.plan_audit(SCENARIO).runs are the runs of an audit, without one being executed"
    audit.elsewhere = dict.fromkeys(("plan-only", "plan", "dry-run"), planned)
    audit.add_argument("scenarios", type=path, nargs="+", metavar="SCENARIO.toml",
                       help="what to audit; several are audited one after the other")  # fmt: skip
    audit.add_argument("--out", type=path, metavar="DIR",
                       help="audit folder (default: audits/ and the scenario's name); several: of each")  # fmt: skip
    audit.add_argument("--only", action="append", default=[], metavar="VARIANT",
                       help="measure this variant only, with baseline and reference; can be repeated")  # fmt: skip
    audit.add_argument("--fresh", action="store_true", help="discard what earlier runs of this audit finished")
    audit.add_argument("--budget", type=generations, metavar="N",
                       help="search with at most N generations, such as 2.5 (default: the scenario's)")  # fmt: skip
    audit.add_argument("--no-reuse", dest="reuse", action="store_false",
                       help="compute every clip from the start, including work that runs share")  # fmt: skip
    audit.add_argument("--against", type=path, metavar="DIR",
                       help="compare with this earlier audit (default: the accepted state, if any)")  # fmt: skip
    audit.add_argument("--strict", action="store_true", help="exit with 3 if anything at all was not measured")
    audit.add_argument("--approximate", action="store_true", help=_APPROXIMATE)
    audit.add_argument(
        "--anyway", action="store_true", help="begin although the machine is too small, and try every run"
    )
    audit.add_argument("--wait", type=minutes, default=0.0, metavar="MINUTES",
                       help="wait so long, in all, for a GPU quota to be renewed (default: do not wait)")  # fmt: skip
    _add_executor(audit)
    audit.add_argument("--reference-from", type=path, metavar="DIR",
                       help="use the reference of this earlier audit again (default: fetch it)")  # fmt: skip
    audit.add_argument("--stop-without-reference", action="store_true",
                       help="generate nothing if the reference is unavailable")  # fmt: skip
    _add_output_options(audit)
    audit.set_defaults(kind=AuditOptions)


def _add_executor(parser: CommandParser) -> None:
    parser.add_argument("--executor", choices=("local", "ray"), default="local",
                        help="generate on this machine (default) or on a Ray cluster")  # fmt: skip
    parser.add_argument("--shared-folder", default="", metavar="URL",
                        help="with --executor ray: a folder that all machines see, for the files of runs")  # fmt: skip


def _add_output_options(parser: CommandParser) -> None:
    parser.add_argument("--json", dest="as_json", action="store_true",
                        help="print the record of the audit in place of its summary")  # fmt: skip
    parser.add_argument("--open", dest="open_page", action="store_true", help="show the report in the browser")
    add_verbosity(parser)


def _versions(commands: Commands) -> None:
    versions = commands.add_parser("versions", help="run a baseline under every release of a library in a range",
                                   epilog=exit_codes.OF_VERSIONS)  # fmt: skip
    versions.add_argument("scenario", type=path, metavar="SCENARIO.toml", help="the scenario, whose baseline is run")
    versions.add_argument("--package", choices=["diffusers", "transformers", "torch"], default="diffusers",
                          help="the library (default: diffusers)")  # fmt: skip
    versions.add_argument("--from", dest="first", required=True, metavar="VERSION", help="the oldest release")
    versions.add_argument("--to", dest="last", metavar="VERSION", help="the newest release (default: the newest)")
    versions.add_argument("--out", type=path, metavar="DIR", help="audit folder (default: in audits/)")
    _add_executor(versions)
    _add_output_options(versions)
    versions.set_defaults(kind=VersionsOptions)


def _record(commands: Commands) -> None:
    record = commands.add_parser("record", help="run your own script unchanged, and keep what its calls were",
                                 epilog=exit_codes.OF_RECORD)  # fmt: skip
    record.add_argument("--out", type=path, metavar="FILE.zip",
                        help="the recording (default: the script's name with .recording.zip)")  # fmt: skip
    record.add_argument("--python", type=path, metavar="VENV/bin/python",
                        help="the interpreter that runs the script; spacediff need not be installed there")  # fmt: skip
    record.add_argument("--call", type=count, metavar="N", help="record only this call (default: every call)")
    record.add_argument("--private", action="store_true",
                        help="leave out prompts, pictures, arguments and file names")  # fmt: skip
    record.add_argument("--tensors", action="store_true",
                        help="keep embeddings, noise, and latents of some steps, the last among them")  # fmt: skip
    record.add_argument("--tensors-steps", type=counts, default=(), metavar="N,N,…",
                        help="the steps whose latents are kept, such as 1,10,50 (implies --tensors)")  # fmt: skip
    record.add_argument("script", type=path, metavar="SCRIPT.py", help="the script, as you run it; or a notebook")
    own = record.add_argument("arguments", nargs=argparse.REMAINDER, metavar="[ARGS …]", help="its own arguments")
    own.required = False  # argparse of Python 3.11 asks for what REMAINDER does not need
    record.set_defaults(kind=RecordOptions)


def _probe(commands: Commands) -> None:
    probe = commands.add_parser("probe", help="write the file that records inside a Space of your own",
                                epilog=exit_codes.OF_OTHERS)  # fmt: skip
    probe.add_argument("--write", dest="file", type=path, required=True, metavar="spacediff_probe.py",
                       help="the file, which the app imports; its first lines say how")  # fmt: skip
    probe.set_defaults(kind=ProbeOptions)


def _compare(commands: Commands) -> None:
    compare = commands.add_parser(
        "compare", help="score two videos, pictures or recordings", epilog=exit_codes.OF_OTHERS
    )
    compare.add_argument(
        "reference", type=path, metavar="A.mp4", help="the reference: a video, a picture, or a recording"
    )
    compare.add_argument(
        "candidate", type=path, metavar="B.mp4", help="what to compare with it; call 2 of a recording is B.zip#2"
    )
    compare.add_argument("--out", type=path, metavar="DIR", help="audit folder (default: in audits/, by their names)")
    compare.add_argument("--metric", dest="metrics", action="append", default=[], choices=get_args(OptionalMetric),
                         help="measure this too, next to MAE, PSNR, SSIM and LPIPS; can be repeated")  # fmt: skip
    compare.add_argument("--semantics", default="", metavar="MODEL",
                         help="CLIP checkpoint, folder or Hub id: how far frames show a --part")  # fmt: skip
    compare.add_argument("--part", dest="parts", action="append", default=[], metavar="TEXT",
                         help="what to look for, such as hand; can be repeated")  # fmt: skip
    compare.add_argument("--max-frames", type=count, metavar="N",
                         help="compare only the first N frames of each video (default: all)")  # fmt: skip
    _add_output_options(compare)
    compare.set_defaults(kind=CompareOptions)


def _report(commands: Commands) -> None:
    report = commands.add_parser("report", help="write an audit's report again, in any format; or show a recording",
                                 epilog=f"{_FORMATS}\n{exit_codes.OF_OTHERS}")  # fmt: skip
    report.add_argument(
        "folder", type=path, metavar="AUDIT_DIR", help="the audit folder; or a recording, as html, md or json"
    )
    report.add_argument("--format", dest="formats", action="append", default=[], metavar="FORMAT",
                        choices=get_args(ReportFormat),
                        help="what to write, see below (default: html); can be repeated")  # fmt: skip
    report.add_argument("--out", type=path, metavar="FILE",
                        help="the file, or - for standard output (default: in the audit folder); a folder for several "
                             "formats")  # fmt: skip
    report.add_argument("--against", type=path, metavar="DIR", help="compare with this earlier audit")
    report.add_argument("--variant", default="", metavar="NAME",
                        help="in a zip, the run next to the reference (default: the baseline)")  # fmt: skip
    report.add_argument("--template", choices=get_args(IssueTemplate), metavar="PROJECT",
                        help="with issue, whose bug form: diffusers")  # fmt: skip
    report.set_defaults(kind=ReportOptions)


def _approve(commands: Commands) -> None:
    approve = commands.add_parser("approve", help="accept the result of an audit, to compare later audits with",
                                  epilog=exit_codes.OF_OTHERS)  # fmt: skip
    approve.add_argument("scenario", type=path, metavar="SCENARIO.toml", help="the scenario that was audited")
    approve.add_argument("--out", type=path, metavar="DIR",
                         help="audit folder (default: audits/ and the scenario's name)")  # fmt: skip
    approve.set_defaults(kind=ApproveOptions)


def _read(commands: Commands) -> None:
    read = commands.add_parser("read", help="list the settings that a script or a Space declares, without running it",
                               epilog=exit_codes.OF_READ)  # fmt: skip
    read.add_argument("source", metavar="run.py|FOLDER|ORG/NAME",
                      help="a script, a notebook, a Markdown file with code, an app's folder, or a Space; or a picture "
                           "or video in which a program wrote its settings")  # fmt: skip
    read.add_argument("--format", choices=["table", "json"], default="table", help="how to print it (default: table)")
    _add_json(read)
    read.add_argument("--call", type=place, default="", metavar="LINE|FILE:LINE",
                      help="the pipeline call to read, by its line (default: the main call)")  # fmt: skip
    read.add_argument("--block", type=count, default=0, metavar="N", help=_BLOCK)
    _add_command_options(read)
    read.set_defaults(kind=ReadOptions)


def _add_command_options(parser: CommandParser) -> None:
    parser.add_argument("--source", dest="folder", default="", metavar="FOLDER",
                        help="folder of the command that is given as the script, or stands in Markdown")  # fmt: skip
    parser.add_argument("--arguments", metavar="ARGS",
                        help="the script's arguments, as one text: --arguments='--steps 30'")  # fmt: skip


def _add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def _why(commands: Commands) -> None:
    why = commands.add_parser("why", help="list what a script and a Space set differently, and measure what matters",
                              epilog=exit_codes.OF_AUDITS)  # fmt: skip
    why.add_argument("--script", required=True, metavar="FILE.py|ISSUE.md",
                     help="the script as you run it, or a Markdown file with its code")  # fmt: skip
    why.add_argument("--space", required=True, metavar="ORG/NAME",
                     help="the Space, its address, builtin:tiny-space, or a folder or file with its source, whose "
                          "settings are then run here")  # fmt: skip
    why.add_argument("--call", type=place, default="", metavar="LINE|FILE:LINE",
                     help="the script's pipeline call to compare, by its line (default: the main call)")  # fmt: skip
    why.add_argument("--space-call", type=place, default="", metavar="LINE|FILE:LINE",
                     help="the Space's pipeline call to compare, by its line (default: its main call)")  # fmt: skip
    why.add_argument("--block", type=count, default=0, metavar="N", help=_BLOCK)
    _add_command_options(why)
    why.add_argument("--plan-only", action="store_true", help="only read: takes seconds, needs no GPU")
    why.add_argument("--run", action="store_true",
                     help="run the script itself as the baseline, instead of what was read of it")  # fmt: skip
    why.add_argument("--versions", action="store_true",
                     help="suspect the versions of diffusers and transformers that the Space pins, too")  # fmt: skip
    why.add_argument("--format", choices=["table", "json"], default="table",
                     help="how to print what was read, with --plan-only (default: table)")  # fmt: skip
    _add_json(why)
    why.add_argument("--write", dest="scenario", type=path, metavar="SCENARIO.toml",
                     help="write the scenario that measures the differences")  # fmt: skip
    why.add_argument("--patch", type=path, metavar="FILE", help="write the changes to the script as a patch")
    why.add_argument("--budget", type=generations, metavar="N",
                     help="search with at most N generations, such as 2.5")  # fmt: skip
    why.add_argument("--approximate", action="store_true", help=_APPROXIMATE)
    add_verbosity(why)
    why.set_defaults(kind=WhyOptions)


def _check(commands: Commands) -> None:
    check = commands.add_parser("check", help="put a Space under test: does a call repeat itself, what do inputs do",
                                epilog=exit_codes.OF_CHECK)  # fmt: skip
    check.add_argument("space", metavar="ORG/NAME|SCENARIO.toml",
                       help="the Space, its address, or a scenario whose reference it is")  # fmt: skip
    check.add_argument("--calls", type=count, default=_CALLS, metavar="N",
                       help=f"make at most N calls; each costs what a clip costs (default: {_CALLS})")  # fmt: skip
    check.add_argument("--endpoint", default="", metavar="/NAME",
                       help="the endpoint (default: the only one that can be meant)")  # fmt: skip
    check.add_argument("--deadline", type=seconds, metavar="SECONDS",
                       help="seconds that the Space has to describe itself (at most 600), and then for each call "
                            "(default: the scenario's, or 600 and 1800)")  # fmt: skip
    check.add_argument("--json", dest="as_json", action="store_true", help="print the answers and calls as JSON")
    add_verbosity(check)
    check.set_defaults(kind=CheckOptions)


def _environment(commands: Commands) -> None:
    environment = commands.add_parser("environment", help="list what would be installed as in a Space",
                                      epilog=exit_codes.OF_OTHERS)  # fmt: skip
    environment.add_argument("space", metavar="ORG/NAME", help="the Space, or the address of its page")
    environment.add_argument("--torch", metavar="VERSION",
                             help="with this version of torch (default: with the one that is here)")  # fmt: skip
    environment.add_argument("--python", metavar="VERSION",
                             help="with this version of Python, which is on this machine")  # fmt: skip
    environment.add_argument("--json", dest="as_json", action="store_true", help="print the list as JSON")
    add_verbosity(environment)
    environment.set_defaults(kind=EnvironmentOptions)
