"""Commands of a shell that run a Python script: which script, its arguments, its environment. None is ever executed."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from spacediff.reading.expansions import Expansion, is_unknown, plain, put_in, taken_out

_PROMPT = re.compile(r"\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[\w:~/. -]*)?[$#%>]\s+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_CONTINUED = ("\\", "^", "`")
_SEPARATOR = re.compile(r"[();<>|&]+")
_WRAPPERS = frozenset(
    {"sudo", "env", "time", "nohup", "uv", "poetry", "pdm", "pipenv", "conda", "run", "xvfb-run", "exec"}
)
_OPENING, _CLOSING = frozenset({"if", "for", "while", "until", "case", "select"}), frozenset({"fi", "done", "esac"})
_BEFORE_A_COMMAND = frozenset({"do", "then", "else", "{", "!"})
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
        arguments: What it is given; a word with a part that only the shell knows is marked (`expansions.py`).
        environment: The variables that are set for it.
        folder: The folder that commands before it have changed to; empty if none has.
        where: File and line of the command, or how it was given.
    """

    script: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    where: str = "the command line"
    folder: str = ""

    @property
    def words(self) -> str:
        """The script and its arguments as a shell writes them."""
        return shlex.join([self.script, *map(plain, self.arguments)])

    @property
    def files(self) -> tuple[str, ...]:
        """The paths at which its script may be: in the folder that was changed to, or in one that contains it."""
        path = self.script.removeprefix("./") if self.script.endswith(".py") else self.script.replace(".", "/")
        paths = (path,) if self.script.endswith(".py") else (f"{path}.py", f"{path}/__main__.py")
        parts = [part for part in self.folder.split("/") if part]
        folders = ["/".join(parts[place:]) for place in range(len(parts) + 1)]
        return tuple(posixpath.join(folder, each) for folder in folders for each in paths)

    def given(self, flags: Sequence[str]) -> list[str] | None:
        """Return what follows an option, up to the next one; None if the option is not given."""
        found: list[str] | None = None
        for place, word in enumerate(self.arguments):
            name, equals, value = word.partition("=")
            if name not in flags and word[:2] in flags and not word.startswith("--"):  # -s30
                name, equals, value = word[:2], "=", word[2:].removeprefix("=")
            if name not in flags:
                continue
            following = self.arguments[place + 1 :]
            end = next((number for number, one in enumerate(following) if is_option(one)), len(following))
            found = [value] if equals else list(following[:end])
        return found

    def positional(self, place: int) -> str | None:
        """Return an argument before the first option, by its place from 0; None if there is none."""
        end = next((number for number, one in enumerate(self.arguments) if is_option(one)), len(self.arguments))
        return self.arguments[place] if place < end else None


def is_option(word: str) -> bool:
    """Return whether a word names an option; a negative number does not."""
    return word.startswith("-") and len(word) > 1 and not _NUMBER.match(word)


def arguments_of(text: str) -> tuple[str, ...]:
    """Split the arguments of a command as a shell does.

    Raises:
        ValueError: A quotation mark is not closed, or the text is too long.
    """
    if len(text) > _MOST_LETTERS:
        raise ValueError(f"it is longer than {_MOST_LETTERS} characters")
    bare, expansions = taken_out(text)
    return tuple(put_in(shlex.split(bare), expansions, {}))


def commands_in(text: str, place: Callable[[int], str]) -> list[Command]:
    """Return the commands in a text that run a Python script.

    Args:
        text: Lines of a shell, with or without prompts and output.
        place: Returns file and line for a line of the text, counted from 1.
    """
    shell = _Shell()
    made = (
        shell.run(put_in(words, expansions, shell.variables), place(line)) for line, words, expansions in _split(text)
    )
    return [command for command in made if command is not None]


class _Shell:
    """What the commands of a text change for those after them.

    Attributes:
        variables: Its variables whose values are known.
    """

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self._exported: dict[str, str] = {}
        self._folder = ""
        self._branches = 0

    def run(self, words: Sequence[str], where: str) -> Command | None:
        """Take a simple command over; return it if it runs a Python script."""
        while words and words[0] in _BEFORE_A_COMMAND:
            words = words[1:]
        name = words[0] if words else ""
        self._branches += (name in _OPENING) - (name in _CLOSING)
        environment, rest = _environment(words)
        if rest[:1] in (["export"], ["set"]):
            environment = _environment(rest[1:])[0]
            self._exported |= environment
        if not rest or rest[0] in {"export", "set"}:
            self._assign(environment)
            return None
        if rest[0] in {"read", "for", "select", "unset"}:
            self._assign(dict.fromkeys(rest[1:], ""), known=False)
        if rest[0] in {"cd", "pushd"}:
            self._change_folder(rest[-1] if len(rest) > 1 else "")
        return _command(rest, {**self._exported, **environment}, where, self._folder)

    def _assign(self, values: Mapping[str, str], *, known: bool = True) -> None:
        """Set variables; in a branch or a loop it is not certain that they are set."""
        for name, value in values.items():
            if known and not self._branches and plain(value) == value:
                self.variables[name] = value
            else:
                self.variables.pop(name, None)

    def _change_folder(self, path: str) -> None:
        """Change to a folder; one that is not known is the folder that is given for the command."""
        unknown = plain(path) != path or path.startswith(("/", "~", "-")) or self._branches > 0
        folder = "" if unknown else posixpath.normpath(posixpath.join(self._folder, path))
        self._folder = "/".join(part for part in folder.split("/") if part not in {"..", "."})


def _split(text: str) -> Iterator[tuple[int, list[str], list[Expansion]]]:
    """Yield each simple command with its first line, its words, and the expansions that they contain.

    A line goes on after a backslash or inside quotation marks.
    """
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
            bare, expansions = taken_out(pending)
            words = list(_lexer(bare))
        except ValueError:  # a quotation mark is not closed
            continue
        pending = ""
        yield from ((start, part, expansions) for part in _simple(words))


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


def _command(words: Sequence[str], environment: Mapping[str, str], where: str, folder: str) -> Command | None:
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
        return Command(rest[1], tuple(rest[2:]), environment, where, folder)
    script = _script(rest[0]) if rest else ""
    return Command(script, tuple(rest[1:]), environment, where, folder) if script else None


def _script(word: str) -> str:
    """Return the path of the script that a word is; below a folder of unknown name, the path within it."""
    path = word.partition("/")[2] if is_unknown(word) else word
    return path if path.endswith(".py") and not is_unknown(path) else ""


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
