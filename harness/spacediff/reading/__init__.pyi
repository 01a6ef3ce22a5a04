# What others use of this package, each name with the module that defines it.

from .model import Alternative, Call, Coverage, IgnoredArgument, Input, Note, Reading
from .reader import main_file, read_changed, read_command, read_fetched, read_pasted, read_source, read_text

__all__ = [
    "Alternative",
    "Call",
    "Coverage",
    "IgnoredArgument",
    "Input",
    "Note",
    "Reading",
    "main_file",
    "read_changed",
    "read_command",
    "read_fetched",
    "read_pasted",
    "read_source",
    "read_text",
]
