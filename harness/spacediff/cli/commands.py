"""The program: parse the command line, run the command, and turn errors into a message and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, assert_never

from spacediff.cli.options import (
    ApproveOptions,
    AuditOptions,
    CacheOptions,
    CheckOptions,
    CompareOptions,
    CompletionOptions,
    DoctorOptions,
    EnvironmentOptions,
    InitOptions,
    Options,
    ProbeOptions,
    ReadOptions,
    RecordOptions,
    ReportOptions,
    SchemaOptions,
    VersionsOptions,
    WhyOptions,
)
from spacediff.cli.parser import parse
from spacediff.errors import Exit, FileNotAccessible, MissingPackage, SpacediffError, disk_full
from spacediff.extras import INSTALL_RUN, RUN
from spacediff.freed_memory import share_heaps
from spacediff.interrupts import end_with, ignore_at_exit, install
from spacediff.privacy.private_prompts import private
from spacediff.results import AuditInterrupted

_INTERRUPTED = "interrupted: ending, with what is finished kept; Ctrl-C again ends at once"


def program() -> NoReturn:
    """Run the command line as a program, whose exit code no signal changes any more once it is known."""
    share_heaps()
    ignore_at_exit()
    code: int = Exit.INTERRUPTED
    with suppress(KeyboardInterrupt):  # one more, while the first was answered
        code = main()
        end_with(code)
    end_with(code)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from spacediff.cli.console import flush_output
    from spacediff.cli.encoding import prepare_output

    prepare_output()
    try:
        options = parse(arguments)
        install(_INTERRUPTED)
        with private():  # what a command marks as private is redacted in all later messages
            return int(_exit_code(options))
    finally:
        flush_output()


def _exit_code(options: Options) -> int:
    """Run a command, and show its error if there is one."""
    from spacediff.cli.console import show_error, show_internal_error, show_line

    try:
        return _run_with_packages(options)
    except SpacediffError as error:
        from spacediff.cli.hints import with_option

        show_error(with_option(error, options))
        return error.exit_code
    except AuditInterrupted as interrupted:
        from spacediff.cli.audit_commands import show_result

        as_json = isinstance(options, AuditOptions | CompareOptions) and options.as_json
        show_result(interrupted.result, as_json=as_json)
        return Exit.INTERRUPTED
    except KeyboardInterrupt:
        show_line("interrupted", error=True)
        return Exit.INTERRUPTED
    except OSError as error:
        found = disk_full(error) or FileNotAccessible(f"{error.filename or 'a file'}: {error.strerror or error}")
        show_error(found)
        return found.exit_code
    except Exception:  # noqa: BLE001 - an internal error must not look like a gate that failed
        show_internal_error()
        return Exit.INTERNAL


def _run_with_packages(options: Options) -> int:
    """Run a command; a package of the extra `run` that it turns out to need is a mistake of the installation."""
    try:
        return _run_command(options)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in RUN:
            raise
        raise MissingPackage(f"this needs {error.name}, which is not installed", hint=INSTALL_RUN) from error


def _run_command(options: Options) -> int:  # noqa: C901, PLR0911, PLR0912 - one branch for each command
    """Run the command that the options belong to; only its module is imported."""
    match options:
        case AuditOptions():
            from spacediff.cli.audit_commands import audit

            return audit(options)
        case VersionsOptions():
            from spacediff.cli.versions_command import versions

            return versions(options)
        case RecordOptions():
            from spacediff.cli.record_command import record

            return record(options)
        case ProbeOptions():
            from spacediff.cli.setup_commands import probe

            return probe(options)
        case CompareOptions():
            from spacediff.cli.audit_commands import compare

            return compare(options)
        case ApproveOptions():
            from spacediff.cli.audit_commands import approve

            return approve(options)
        case ReportOptions():
            from spacediff.cli.report_command import report

            return report(options)
        case ReadOptions():
            from spacediff.cli.source_commands import read

            return read(options)
        case WhyOptions():
            from spacediff.cli.source_commands import why

            return why(options)
        case CheckOptions():
            from spacediff.cli.check_command import check

            return check(options)
        case EnvironmentOptions():
            from spacediff.cli.environment_command import environment

            return environment(options)
        case CacheOptions():
            from spacediff.cli.setup_commands import cache

            return cache(options)
        case DoctorOptions():
            from spacediff.cli.setup_commands import doctor

            return doctor(options)
        case CompletionOptions():
            from spacediff.cli.setup_commands import completion

            return completion(options)
        case InitOptions():
            from spacediff.cli.setup_commands import init

            return init(options)
        case SchemaOptions():
            from spacediff.cli.setup_commands import schema

            return schema(options)
        case _:
            assert_never(options)


if __name__ == "__main__":
    sys.exit(main())
