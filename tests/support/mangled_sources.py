"""Mangled sources, read in a child process with limits: `python -m support.mangled_sources --count 20000` in tests/.

Each number gives one source: a file of the corpus after a few mutations. A source fails if reading it raises anything
but an error for the user, if it takes more than 5 s of the processor, or if the process grows by more than 1 GiB.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

TESTS = Path(__file__).parents[1]
MOST_SECONDS = 5
MOST_BYTES = 1024**3
_BEGUN = -1
_SUFFIXES = (".py", ".ipynb", ".md")
_LARGEST_FILE = 60_000
_LARGEST_MADE = 400_000
_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
_ODD = [
    "\0",
    "\r",
    "\u2028",
    "\x0c",
    "“",
    "…",
    "\ud800",
    "𝔛",
    "\\",
    "'''",
    "(" * 80,
    "[*a, *a]",
    "**x",
    "`" * 3,
    "    ",
]


@dataclass(frozen=True)
class Outcome:
    """How reading one mangled source went.

    Attributes:
        number: The number that the source was made from.
        file: The file that was mangled.
        seconds: Time of the processor; -1 if it has only begun.
        grown: Bytes by which the largest size of the process grew.
        failure: The exception; empty if there was none.
    """

    number: int
    file: str
    seconds: float
    grown: int
    failure: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether the source was read; otherwise the process has only begun."""
        return self.seconds != _BEGUN

    @property
    def is_fine(self) -> bool:
        """Whether the source was read without a crash, in time and in memory."""
        return not self.failure and self.seconds <= MOST_SECONDS and self.grown <= MOST_BYTES


def corpus(folders: Sequence[Path]) -> list[Path]:
    """Return the files that are mangled, in a fixed order."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES)
    return [path for path in found if path.is_file() and path.stat().st_size <= _LARGEST_FILE]


def mangled(content: bytes, number: int, others: Sequence[Path]) -> bytes:
    """Return a file after one to four mutations."""
    chance = random.Random(number)  # noqa: S311 - not for secrets
    for _ in range(chance.randint(1, 4)):
        mutate = chance.choice(_MUTATIONS)
        text = content.decode("utf-8", "surrogateescape")
        made = mutate(text, chance)
        if chance.random() < 0.1:
            made += "\n" + chance.choice(others).read_text("utf-8", "replace")
        content = made[:_LARGEST_MADE].encode("utf-8", "surrogatepass" if "\ud800" in made else "surrogateescape")
    if chance.random() < 0.1:
        place = chance.randrange(len(content) + 1)
        content = content[:place] + chance.randbytes(chance.randint(1, 20)) + content[place:]
    encoding = chance.choice(["utf-8"] * 20 + ["utf-16", "latin-1", "utf-8-sig"])
    return content if encoding == "utf-8" else content.decode("utf-8", "replace").encode(encoding, "replace")


def _swap_tokens(text: str, chance: random.Random) -> str:
    tokens = _TOKEN.findall(text) or [""]
    for _ in range(chance.randint(1, 8)):
        one, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def _lose_tokens(text: str, chance: random.Random) -> str:
    return "".join(token for token in _TOKEN.findall(text) if chance.random() > 0.003)


def _repeat_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    start = chance.randrange(len(lines))
    end = start + chance.randint(1, 30)
    return "\n".join([*lines[:end], *lines[start:end] * chance.choice([1, 3, 50, 400]), *lines[end:]])


def _lose_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    start = chance.randrange(len(lines))
    return "\n".join([*lines[:start], *lines[start + chance.randint(1, 10) :]])


def _nest(text: str, chance: random.Random) -> str:
    opening = chance.choice(
        ["if x{0}:\n", "for i{0} in y:\n", "while z{0}:\n", "def f{0}(a=1):\n", "class C{0}:\n", "try:\n"]
    )
    depth = chance.choice([3, 10, 20, 60])
    lines = [" " * level + opening.format(level) for level in range(depth)]
    body = "".join(" " * depth + line + "\n" for line in text.split("\n"))
    ends = [" " * level + "except E:\n" + " " * level + " pass\n" for level in reversed(range(depth))]
    return "".join(lines) + body + ("".join(ends) if opening == "try:\n" else "")


def _grow(text: str, chance: random.Random) -> str:
    names = re.findall(r"^\s*(\w+) = ", text, re.MULTILINE) or ["x"]
    name = chance.choice(names)
    growth = ["{0} = [{0}, *{0}]", "{0} = f'{{{0}}}{{{0}}}'", "{0} = {0} + {0}", "{0} = {{'a': {0}, **{0}}}",
              "{0} = lambda: {0}()", "{0} = {0} * 99999999", "{0} = {0} ** {0}", "{0}.append({0})", "{0}.update({0})",
              "{0} = {0} if u else [{0}]", "{0} = partial({0}, {0})", "{0} = [{0} for {0} in {0}]"]  # fmt: skip
    line = chance.choice(growth).format(name) + "\n"
    return text + "\n" + line * chance.choice([2, 30, 1000]) + text


def _insert_odd(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(_ODD) + text[place:]
    return text


def _truncate(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _paste(text: str, chance: random.Random) -> str:
    fence = chance.choice(["```python", "```", "~~~py", "```bash", "    "])
    return f"### Describe\n\n{fence}\n{text}\n{fence[:3]}\n"


_MUTATIONS: list[Callable[[str, random.Random], str]] = [
    _swap_tokens, _lose_tokens, _repeat_lines, _lose_lines, _nest, _grow, _insert_odd, _truncate, _paste,
]  # fmt: skip


def _child(folders: Sequence[Path], numbers: Iterator[int]) -> None:
    """Read mangled sources, and print a line before and after each."""
    import resource
    import signal

    from spacediff.errors import SpacediffError
    from spacediff.reading import read_text

    files = corpus(folders)
    for number in numbers:
        chance = random.Random(-number)  # noqa: S311 - not for secrets
        file = chance.choice(files)
        content = mangled(file.read_bytes(), number, files)
        name = f"source{chance.choice([file.suffix] * 4 + list(_SUFFIXES))}"
        _write(json.dumps(asdict(Outcome(number, file.name, _BEGUN, 0))))
        signal.setitimer(signal.ITIMER_PROF, 4 * MOST_SECONDS)  # ends the process
        before, start, failure = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), ""
        try:
            read_text(content, name).as_json()
        except SpacediffError:
            pass
        except Exception as error:  # noqa: BLE001 - any is a finding
            failure = f"{type(error).__name__}: {error}"[:200]
        seconds = time.process_time() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(json.dumps(asdict(Outcome(number, file.name, seconds, grown, failure))))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def read_mangled(count: int, first: int = 0, folders: Sequence[Path] = (TESTS,)) -> Iterator[Outcome]:
    """Read mangled sources in child processes; a process that dies is replaced, and its source has failed."""
    number = first
    while number < first + count:
        command = [sys.executable, "-m", "support.mangled_sources", "--child", "--first", str(number),
                   "--count", str(first + count - number), *map(str, folders)]  # fmt: skip
        with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            begun = Outcome(number, "", _BEGUN, 0)
            for line in process.stdout:
                begun = Outcome(**json.loads(line))
                if begun.is_finished:
                    yield begun
        number = begun.number + 1
        if not begun.is_finished:
            yield replace(begun, failure=f"the process ended with {process.returncode}")


def main() -> int:
    """Read mangled sources, and print those that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[TESTS], help="whose files are mangled")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.folders, iter(range(given.first, given.first + given.count)))
        return 0
    outcomes = []
    for outcome in read_mangled(given.count, given.first, given.folders):
        outcomes.append(outcome)
        if not outcome.is_fine:
            _write(str(outcome))
    slowest, largest = max(one.seconds for one in outcomes), max(one.grown for one in outcomes)
    failed = sum(not one.is_fine for one in outcomes)
    _write(f"{len(outcomes)} sources, {failed} failed; at most {slowest:.1f} s and {largest // 1024**2} MiB")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
