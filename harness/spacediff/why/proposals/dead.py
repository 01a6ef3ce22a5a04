"""Proposals that remove what has no effect: arguments that the library accepts at a place and ignores."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from spacediff.reading.model import IgnoredArgument
from spacediff.why.editing import RemovedArgument, Script
from spacediff.why.proposals.site import Proposal, keywords, last_name, line_in


def without_dead_argument(script: Script, name: str, ignored: IgnoredArgument) -> Iterator[Proposal]:
    """Yield the removal of an ignored argument from its call, where the script itself writes it as a keyword.

    Args:
        script: The script.
        name: Its file name.
        ignored: The argument, as it was read.
    """
    line = line_in(name, ignored.where)
    for call in script.every(cst.Call) if line else ():
        given = keywords(call).get(ignored.argument)
        is_here = given is not None and line in {script.line_of(call), script.line_of(given.value)}
        if is_here and last_name(call.func) == ignored.given_to.rpartition(".")[2]:
            words = f"remove {ignored.argument}=... from {script.source_of(call.func)}(...), which ignores it"
            yield Proposal((RemovedArgument(call, ignored.argument),), words)
