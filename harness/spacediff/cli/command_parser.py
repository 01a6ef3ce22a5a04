"""A parser of a command's words that suggests the nearest option, and knows which options name files."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any

from spacediff.cli.options import Verbosity
from spacediff.cli.values import path
from spacediff.errors import nearest_name

_LEAST_SIMILAR = 0.7
"""Options are short, so that one word of two is similar to the whole by less: `only` to `plan-only` by 0.62."""


class CommandParser(argparse.ArgumentParser):
    """The parser of the program or of one of its commands.

    Attributes:
        files: The actions whose values are names of files or folders, for the completion of shells.
        options: Every spelling of its options.
        elsewhere: Options that are looked for here, without dashes, and what does it instead.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.files: list[argparse.Action] = []
        self.options: list[str] = []
        self.elsewhere: dict[str, str] = {}
        super().__init__(*args, **{"formatter_class": argparse.RawDescriptionHelpFormatter, **options})

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an argument, as the base class does."""
        action = super().add_argument(*names, **options)
        self.options += action.option_strings
        if action.type is path:
            self.files.append(action)
        return action

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or an error; before Python 3.11.4, a reader that has gone away raised here."""
        with suppress(BrokenPipeError):
            super()._print_message(message, file)

    def refuse_unknown(self, words: list[str]) -> None:
        """Exit with 2 if there are words that no argument takes, with the nearest option of each."""
        if words:
            known = [option.removeprefix("--") for option in self.options]  # the dashes alone make any two similar
            names = [word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")]
            near = next((found for name in names if (found := nearest_name(name, known, _LEAST_SIMILAR))), "")
            suggested = f"; did you mean '--{near}'?" if near else ""
            suggested = next((f"; {self.elsewhere[name]}" for name in names if name in self.elsewhere), suggested)
            self.error(f"unrecognized arguments: {' '.join(words)}{suggested}")


def add_verbosity(parser: CommandParser) -> None:
    """Add the options that say how much is printed."""
    parser.set_defaults(verbosity=Verbosity.NORMAL)
    for names, level, text in (
        (("-q", "--quiet"), Verbosity.QUIET, "print only the result"),
        (("-v", "--verbose"), Verbosity.VERBOSE, "print the work on each clip, and its seconds by stage"),
    ):
        parser.add_argument(*names, dest="verbosity", action="store_const", const=level, help=text)
