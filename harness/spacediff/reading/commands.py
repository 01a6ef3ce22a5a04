"""Commands of a shell that run a Python script: which script, its arguments, its environment. None is ever executed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_PROMPT = re.compile(r"\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[\w:~/. -]*)?[$#%>]\s+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_CONTINUED = ("\\", "^", "`")
_SEPARATOR = re.compile(r"[();<>|&]+")
_WRAPPERS = frozenset(
    {"sudo", "env", "time", "nohup", "uv", "poetry", "pdm", "pipenv", "conda", "run", "xvfb-run", "exec"}
)
_LAUNCHERS = frozenset({"accelerate", "torchrun", "deepspeed", "accelerate-launch"})
_WITH_VALUE = frozenset({"-W", "-X"})
_LONGEST_PROMPT = 200
_MOST_LETTERS = 5_000
"""Characters of one command."""
_MOST_SPLIT = 50_000
"""Characters of a text that are split into words, each attempt counted; the splitting of `shlex` is slow."""
_NUMBER = re.compile(r"-\.?\d")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs a Python script.

    Attributes:
        script: The path of the script, or the dotted name of a module after `-m`.
        arguments: What it is given.
        environment: The variables that are set for it.
        where: File and line of the command, or how it was given.
    """

    script: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    where: str = "the command line"

    @property
    def words(self) -> str:
        """The script and its arguments as a shell writes them."""
        return shlex.join([self.script, *self.arguments])

    @property
    def files(self) -> tuple[str, ...]:
        """The paths at which its script may be."""
        if self.script.endswith(".py"):
            return (self.script.removeprefix("./"),)
        path = self.script.replace(".", "/")
        return (f"{path}.py", f"{path}/__main__.py")

    def given(self, flags: Sequence[str]) -> list[str] | None:
        """Return what follows an option, up to the next one; None if the option is not given."""
        found: list[str] | None = None
        for place, word in enumerate(self.arguments):
            name, equals, value = word.partition("=")
            if name not in flags:
                continue
            following = self.arguments[place + 1 :]
            end = next((number for number, one in enumerate(following) if _is_option(one)), len(following))
            found = [value] if equals else list(following[:end])
        return found

    def positional(self, place: int) -> str | None:
        """Return an argument before the first option, by its place from 0; None if there is none."""
        end = next((number for number, one in enumerate(self.arguments) if _is_option(one)), len(self.arguments))
        return self.arguments[place] if place < end else None


def _is_option(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not _NUMBER.match(word)


def arguments_of(text: str) -> tuple[str, ...]:
    """Split the arguments of a command as a shell does.

    Raises:
        ValueError: A quotation mark is not closed, or the text is too long.
    """
    if len(text) > _MOST_LETTERS:
        raise ValueError(f"it is longer than {_MOST_LETTERS} characters")
    return tuple(shlex.split(text))


def commands_in(text: str, place: Callable[[int], str]) -> list[Command]:
    """Return the commands in a text that run a Python script.

    Args:
        text: Lines of a shell, with or without prompts and output.
        place: Returns file and line for a line of the text, counted from 1.
    """
    found: list[Command] = []
    exported: dict[str, str] = {}
    for line, words in _split(text):
        environment, rest = _environment(words)
        if rest[:1] in (["export"], ["set"]):
            exported |= _environment(rest[1:])[0]
            continue
        made = _command(rest, {**exported, **environment}, place(line))
        if made is not None:
            found.append(made)
    return found


def _split(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield first line and words of each simple command; a line goes on after a backslash or inside quotation marks."""
    pending, start, left = "", 0, _MOST_SPLIT
    for number, line in enumerate(text.split("\n"), 1):
        prompt = _PROMPT.match(line[:_LONGEST_PROMPT]) if not pending else None
        bare = line[prompt.end() :] if prompt else line
        start = start if pending else number
        pending = f"{pending}\n{bare}" if pending else bare
        if pending.rstrip().endswith(_CONTINUED):
            pending = pending.rstrip()[:-1]
            continue
        left -= len(pending)
        if left < 0:
            return
        if len(pending) > _MOST_LETTERS:
            pending = ""
            continue
        try:
            words = list(_lexer(pending))
        except ValueError:  # a quotation mark is not closed
            continue
        pending = ""
        yield from ((start, part) for part in _simple(words))


def _lexer(text: str) -> shlex.shlex:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    return lexer


def _simple(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield the parts of a line between `&&`, `;` and `|`; what follows a redirection is dropped."""
    part: list[str] = []
    for word in words:
        if _SEPARATOR.fullmatch(word):
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _environment(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the assignments at the beginning of a command, and the rest."""
    count = next((place for place, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))
    pairs = (word.partition("=") for word in words[:count])
    return {name: value for name, _, value in pairs}, list(words[count:])


def _command(words: Sequence[str], environment: Mapping[str, str], where: str) -> Command | None:
    """Return the command that some words are; None if they run no Python script."""
    rest = list(words)
    environment = dict(environment)
    while rest and (rest[0] in _WRAPPERS or (_ASSIGNMENT.match(rest[0]) is not None)):
        environment |= _environment(rest[:1])[0]
        rest = rest[1:]
    if not rest:
        return None
    name = rest[0].rsplit("/", 1)[-1]
    if name in _LAUNCHERS:
        rest = _after_options_of_launcher(rest[1:])
    elif re.fullmatch(r"(?:python|py|ipython)[\d.]*(?:\.exe)?", name):
        rest = _after_options_of_python(rest[1:])
    if rest[:1] == ["-m"] and len(rest) > 1:
        return Command(rest[1], tuple(rest[2:]), environment, where)
    return Command(rest[0], tuple(rest[1:]), environment, where) if rest and rest[0].endswith(".py") else None


def _after_options_of_python(words: Sequence[str]) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in {"-m", "-c"}:
        rest = rest[2:] if rest[0] in _WITH_VALUE else rest[1:]
    return rest


def _after_options_of_launcher(words: Sequence[str]) -> list[str]:
    """Return the script and what follows it; a launcher's own options stand before it."""
    for place, word in enumerate(words):
        if word.endswith(".py"):
            return list(words[place:])
        if word in {"-m", "--module"}:
            return ["-m", *words[place + 1 :]]
    return []
