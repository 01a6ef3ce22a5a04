"""The commands that see to this machine, and write what one begins with: their options and help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from spacediff.cli.command_parser import CommandParser
from spacediff.cli.options import CacheOptions, CompletionOptions, DoctorOptions, InitOptions, SchemaOptions
from spacediff.cli.values import path

Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"  # noqa: SLF001 - argparse names it nowhere else
"""The commands of the program, to which others are added."""

_COMPLETION = """for bash, in ~/.bashrc:    eval "$(spacediff completion bash)"
for zsh, in a folder of $fpath:    spacediff completion zsh > _spacediff
for fish:    spacediff completion fish > ~/.config/fish/completions/spacediff.fish
"""


def add_setup(commands: Commands) -> None:
    """Add the commands that see to this machine and write what one begins with."""
    doctor = commands.add_parser("doctor", help="show what this machine can run, and why not")
    doctor.add_argument("--json", dest="as_json", action="store_true", help="print the checks as JSON")
    doctor.set_defaults(kind=DoctorOptions)

    cache = commands.add_parser("cache", help="show what is kept in the cache folder, and remove it",
                                description="What is removed is made again when it is needed. Audit folders are "
                                "no part of it.")  # fmt: skip
    cache.add_argument("--prune", action="store_true",
                       help="remove what is of no use: checkpoints of other versions, unfinished work")  # fmt: skip
    cache.add_argument("--all", dest="everything", action="store_true", help="with --prune, remove everything")
    cache.add_argument("--json", dest="as_json", action="store_true", help="print the parts as JSON")
    cache.set_defaults(kind=CacheOptions)

    completion = commands.add_parser("completion", help="print the completion script of a shell",
                                     epilog=_COMPLETION)  # fmt: skip
    completion.add_argument("shell", choices=["bash", "zsh", "fish", "tcsh", "powershell"], metavar="SHELL",
                            help="bash, zsh, fish, tcsh or powershell")  # fmt: skip
    completion.set_defaults(kind=CompletionOptions)

    init = commands.add_parser("init", help="copy the example scenarios to edit")
    init.add_argument("folder", type=path, nargs="?", default=Path("scenarios"), metavar="DIR",
                      help="where to (default: scenarios)")  # fmt: skip
    init.set_defaults(kind=InitOptions)

    schema = commands.add_parser("schema", help="print the JSON Schema of a scenario, for editors")
    schema.add_argument("--record", action="store_true", help="that of `audit.json`, for programs that read it")
    schema.set_defaults(kind=SchemaOptions)
