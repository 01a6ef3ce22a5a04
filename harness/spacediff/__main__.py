"""`python -m spacediff` is `spacediff`."""

from spacediff.cli.commands import program

program()
