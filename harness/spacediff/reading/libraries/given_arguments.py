"""Values that a command line gives to the options of a script, as the script's parser converts them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from spacediff.reading.expansions import is_unknown, plain
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, External, Function, Items, Known, Unknown, Value, last_part
from spacediff.reading.values.inputs import text_of

_SWITCHES = frozenset({"store_true", "store_false"})
_LONGEST_LITERAL = 100
_TRUE, _FALSE = frozenset({"true", "yes", "1", "on", "y", "t"}), frozenset({"false", "no", "0", "off", "n", "f"})


def given_option(state: State, flags: Sequence[str], arguments: Arguments, *, by_default: bool) -> Value | None:
    """Return what the command line gives for an option of argparse or click; None if it does not give it.

    Args:
        state: What follows the source.
        flags: The names of the option, such as `-s` and `--steps`.
        arguments: The arguments of `add_argument` or `click.option`.
        by_default: Whether an option without a type has that of its default.
    """
    command = state.files.command
    if command is None:
        return None
    words, switched_off = command.given(flags), command.given([f"--no-{flag.removeprefix('--')}" for flag in flags])
    action = _name(arguments.get("action"))
    if action == "BooleanOptionalAction" and (words, switched_off) != (None, None):
        return Known(command.where, value=switched_off is None)
    if words is None:
        return None
    if action in _SWITCHES or text_of(arguments.get("is_flag")) == "True":
        return Known(command.where, value=action != "store_false")
    if action not in {"", "store"} or not words:
        return arguments.get("const") or Unknown(command.where, plain(" ".join(words)))
    kind = _name(arguments.get("type")) or (_type_of(arguments.get("default")) if by_default else "")
    return _stored(words, kind, arguments.get("nargs"), command.where)


def _stored(words: Sequence[str], kind: str, count: Value | None, where: str) -> Value:
    """Return the words of an option, converted; a list if the option takes a number of them."""
    if count is not None and text_of(count) != "?":
        return Items(where, tuple(_converted(word, kind, where) for word in words))
    return _converted(words[0], kind, where)


def given_positional(state: State, place: int, arguments: Arguments) -> Value | None:
    """Return what the command line gives for a positional argument by its place; None if it does not give it."""
    command = state.files.command
    word = command.positional(place) if command is not None else None
    return None if command is None or word is None else _converted(word, _name(arguments.get("type")), command.where)


def given_parameter(state: State, parameter: ast.arg, default: Value | None) -> Value | None:
    """Return what the command line gives for a parameter of a function that becomes a command; None if nothing."""
    command = state.files.command
    if command is None:
        return None
    flags = [f"--{parameter.arg}", f"--{parameter.arg.replace('_', '-')}"]
    if command.given([f"--no-{flag[2:]}" for flag in flags]) is not None:
        return Known(command.where, value=False)
    words = command.given(flags)
    if words is None:
        return None
    annotated = last_part(ast.unparse(parameter.annotation)) if isinstance(parameter.annotation, ast.Name) else ""
    kind = annotated or _type_of(default)
    if kind == "bool" and (not words or words[0].lower() not in _TRUE | _FALSE) and not any(map(is_unknown, words)):
        return Known(command.where, value=True)
    return _converted(words[0], kind or "literal", command.where) if words else Known(command.where, value=True)


def given_variable(state: State, name: str) -> Value | None:
    """Return what the command sets an environment variable to; None if it does not set it."""
    command = state.files.command
    value = command.environment.get(name) if command is not None else None
    return None if command is None or value is None else _converted(value, "", command.where)


def given_word(state: State, place: Value) -> Value | None:
    """Return an argument by its place in `sys.argv`; None if it is not given."""
    command = state.files.command
    number = place.value if isinstance(place, Known) else None
    if command is None or not isinstance(number, int) or not 0 < number <= len(command.arguments):
        return None
    return _converted(command.arguments[number - 1], "", command.where)


def _name(value: Value | None) -> str:
    """Return the name of a type or of a function that converts a text."""
    if isinstance(value, External):
        return value.last_name
    return value.name if isinstance(value, Function) else text_of(value)


def _type_of(default: Value | None) -> str:
    """Return the type that click, typer and fire derive from a default."""
    return type(default.value).__name__ if isinstance(default, Known) and default.value is not None else ""


def _converted(word: str, kind: str, where: str) -> Value:
    """Return a word as a script receives it; unknown if a function of its own converts it."""
    if is_unknown(word):
        return Unknown(where, plain(word))
    convert = _CONVERSIONS.get(kind.lower())
    if convert is None and "bool" in kind.lower() and word.lower() in _TRUE | _FALSE:
        return Known(where, word.lower() in _TRUE)
    try:
        return Known(where, convert(word)) if convert is not None else Unknown(where, word)
    except ValueError:
        return Unknown(where, word)


def _literal(word: str) -> str | float | bool | None:
    """Return what fire makes of a word: a constant of Python if it is one, otherwise the word."""
    try:
        value = ast.literal_eval(word) if len(word) <= _LONGEST_LITERAL else word
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return word
    return value if isinstance(value, int | float | str | None) else word


_CONVERSIONS: dict[str, Callable[[str], str | float | bool | None]] = {
    "": str,
    "bool": bool,  # any word but an empty one is true
    "float": float,
    "int": int,
    "integer": int,
    "literal": _literal,
    "path": str,
    "str": str,
    "string": str,
}
