"""Arguments with which the parser of a script ends in an error, so that no pipeline is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from spacediff.reading.commands import Command, is_option
from spacediff.reading.expansions import is_unknown, plain
from spacediff.reading.interpreter.records import Option
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import External, Items, Known, Object
from spacediff.reading.values.inputs import text_of

_NUMBERS: dict[str, Callable[[str], float]] = {"int": int, "float": float}
_HELP = ("-h", "--help")


def doubt_refused(state: State, parser: Object) -> None:
    """Write down why a parser refuses the arguments of the command, if all of its options are known."""
    command = state.files.command
    if command is None or parser.cell in state.open_parsers or state.conditions:
        return
    reasons = "; ".join(dict.fromkeys(_reasons(command, state.options.get(parser.cell, ()))))
    if reasons:
        state.undecided(f"the script refuses its arguments: {reasons}")


def _reasons(command: Command, options: Sequence[Option]) -> Iterator[str]:
    named = [option for option in options if option.is_named]
    yield from _unknown_options(command, [flag for option in named for flag in option.flags])
    if len(named) == len(options) and command.positional(0) is not None:
        yield f"{plain(command.arguments[0])} belongs to no option"
    for option in named:
        yield from _refused_value(command, option)


def _unknown_options(command: Command, flags: Sequence[str]) -> Iterator[str]:
    for word in command.arguments:
        name = word.partition("=")[0]
        if word == "--":
            return
        if not is_option(word) or name in {*flags, *_HELP} or name.replace("--no-", "--", 1) in flags:
            continue
        meant = [flag for flag in flags if name.startswith("--") and flag.startswith(name)]
        if len(meant) == 1:
            yield f"{plain(name)} is short for {meant[0]}, which is not read: write it out"
        elif name.startswith("--") or word[:2] not in flags:
            yield f"it has no option {plain(name)}"


def _refused_value(command: Command, option: Option) -> Iterator[str]:
    words, flag = command.given(option.flags), max(option.flags, key=len)
    if words is None:
        if option.always and text_of(option.arguments.get("required")) == "True":
            yield f"{flag} is required"
        return
    kind, choices = option.arguments.get("type"), option.arguments.get("choices")
    for word in [word for word in words[:1] if not is_unknown(word)]:
        if isinstance(kind, External) and kind.name in _NUMBERS and not _converts(word, kind.name):
            yield f"{flag} {word}: it takes {'a whole number' if kind.name == 'int' else 'a number'}"
        elif isinstance(choices, Items) and not choices.open and kind is None:
            allowed = [str(one.value) for one in choices.items if isinstance(one, Known)]
            if word not in allowed and len(allowed) == len(choices.items):
                yield f"{flag} {word}: it takes {', '.join(allowed)}"


def _converts(word: str, kind: str) -> bool:
    try:
        _NUMBERS[kind](word)
    except ValueError:
        return False
    return True
