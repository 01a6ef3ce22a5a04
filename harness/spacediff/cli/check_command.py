"""`spacediff check`: put a Space under test, show the progress, and print the answers."""

from __future__ import annotations

import json
import time

from rich.table import Table
from rich.text import Text

from spacediff.api import CheckInterrupted, check_space, load_scenario, plan_audit
from spacediff.checking.probes import Probe
from spacediff.checking.result import Answer, Call, SpaceCheck, Standing
from spacediff.cli.console import Terminal, one_line, show_json, show_line, wide_terminal
from spacediff.cli.options import CheckOptions, Verbosity
from spacediff.cli.progress import ProgressBars
from spacediff.errors import Exit
from spacediff.privacy.private_prompts import keep_private
from spacediff.wording import sentence
from spacediff.wording.numbers import counted, duration, value

_COLOURS = {Standing.FINE: "green", Standing.CONCERN: "red", Standing.UNKNOWN: "yellow"}


def check(options: CheckOptions) -> Exit:
    """Put a Space under test."""
    if options.space.endswith(".toml"):
        keep_private(plan_audit(load_scenario(options.space)).private_texts)
    try:
        with _CheckBars(options.verbosity) as display:
            found = check_space(
                options.space,
                calls=options.calls,
                endpoint=options.endpoint,
                deadline=options.deadline,
                listener=display,
            )
    except CheckInterrupted as interrupted:
        found = interrupted.result
    if options.as_json:
        show_json(json.dumps(found.as_json(), indent=2) + "\n")
    else:
        show_check(found)
    return found.exit_code


class _CheckBars(ProgressBars):
    """Shows a line for each call, and the work on it."""

    def __init__(self, verbosity: Verbosity) -> None:
        super().__init__(verbosity)
        self._lines = Terminal(stderr=True, highlight=False)
        self._lines.quiet = verbosity is Verbosity.QUIET
        self._said = time.monotonic()

    def on_call_started(self, number: int, most: int, probe: Probe) -> None:
        """Say which call is made."""
        self.on_status(f"call {number} of at most {most}: {_purpose(probe)}")

    def on_call_finished(self, number: int, call: Call) -> None:
        """Say what came of it."""
        took = call.reason if call.code else f"{duration(call.seconds)}{', from a cache' if call.cached else ''}"
        self._lines.print(Text(one_line(f"[{number}] {_purpose(call)}: {took}")))


def _purpose(call: Call | Probe) -> str:
    return f"{call.changed} = {value(call.value)}" if call.changed else call.purpose.value


def show_check(found: SpaceCheck) -> None:
    """Print the answers of a check as a table."""
    console = wide_terminal()
    console.print(Text(one_line(f"{found.space} {found.endpoint}"), "bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("question", "calls", "answer"):
        table.add_column(column, overflow="fold")
    for each in found.answers:
        table.add_row(each.question.value, _calls(each), Text(one_line(sentence(each.fact)), _COLOURS[each.standing]))
    if found.answers:
        console.print(table)
    if found.unreadable:
        show_line(one_line(f"the source was not read: {found.unreadable}"))
    for call in found.calls:
        if call.code:
            hint = f" ({call.hint})" if call.hint else ""
            show_line(one_line(f"error[{call.code}]: {call.reason}{hint}"), error=True)
    show_line(f"{counted(len(found.calls), 'call')} of at most {found.most_calls}: {_verdict(found)}")


def _calls(answer: Answer) -> str:
    return str(answer.calls) if answer.calls else "none"


def _verdict(found: SpaceCheck) -> str:
    match found.exit_code:
        case Exit.INTERRUPTED:
            return "interrupted; what was found until then is above"
        case Exit.GATE_FAILED:
            return "something speaks against comparing with this Space, or has to be known for it"
        case Exit.NOT_MEASURED:
            return "whether the Space repeats itself is not known"
        case _:
            return "nothing that was found speaks against comparing with this Space"
