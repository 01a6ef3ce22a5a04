"""What determines the clip of a script besides its settings: its code, the modules next to it, the files that it names.

The key insight: this has to be known before the script runs, since a run that is stored is not made again. So the code
is read and not executed: what it imports from its own folder, and which of its texts name a file or a repository.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from spacediff.hub.commits import kept_commit
from spacediff.hub.ids import is_repository_id
from spacediff.observer.digest_length import DIGITS
from spacediff.recordings.interpreters import answer_of
from spacediff.recordings.notebook import cells_to_run, is_notebook
from spacediff.watch.machine import LIBRARIES

_MOST_BYTES = 4 * 2**20
"""A larger file of Python is not read for its imports."""
_LONGEST_NAME = 500
_MOST_NAMES = 1000
_MOST_FILES = 2000
"""Files of a folder that are looked at."""
_WRITER = re.compile(r"^(save|export|write|mkdir|makedirs|imsave|imwrite|mimsave|mimwrite|dump)|_(save|write|to_file)$")
_MODE = re.compile(r"[rwaxbtU+]+")
_OUTPUT_OPTION = re.compile(r"(-o|--?(out(put)?|save|logs?|results?)([-_]?(dir|file|path|folder|name|video))?)$")
_SAY_VERSIONS = """\
import importlib.metadata, platform, sys
print(platform.python_version())
for name in sys.argv[1:]:
    try: print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError: pass
"""


def script_request(
    script: Path, folder: Path, arguments: Sequence[str], call: Any, python: Path | None
) -> dict[str, Any]:
    """Return what a run needs to run a script, and what identifies it.

    Args:
        script: The script.
        folder: The folder that it runs in.
        arguments: Its arguments.
        call: The number of its call; anything but a number for the first that returns frames.
        python: Its interpreter; None for this one, whose versions are part of every run anyway.

    Raises:
        InvalidArgument: The interpreter does not start, or the notebook has magics that are not run.
    """
    code = code_of(script)
    names = names_in([script.parent / name for name in code], arguments)
    return {
        "script": script.as_posix(),
        "folder": folder.as_posix(),
        "arguments": list(arguments),
        "code": code,
        "files": stamp_of_names(names, folder),
        **({"call": call} if isinstance(call, int) else {}),
        **({"python": str(python), "versions": versions_of(python)} if python else {}),
    }


def code_of(script: Path) -> dict[str, str]:
    """Return digests of a script and of the modules that it imports from its own folder, by their relative names."""
    found: dict[str, str] = {}
    waiting = [script]
    while waiting:
        file = waiting.pop()
        name = _relative(file, script.parent)
        if name in found:
            continue
        content = _content(file)
        found[name] = hashlib.sha256(content).hexdigest()[:DIGITS]
        waiting += _imported_files(content, script.parent, file.parent)
    return dict(sorted(found.items()))


def names_in(files: Iterable[Path], arguments: Sequence[str]) -> list[str]:
    """Return the texts in files of Python, and the arguments, that may name a file, a folder or a repository.

    What is passed to a function that writes, or to an option such as `--out`, is left out: it changes with every run.
    """
    texts = [*_read_by(arguments)]
    for file in files:
        tree = _parsed(_content(file))
        written = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Call) for each in _written_by(node)}
        texts += (
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in written
        )
    usable = (each for each in texts if each.strip() and len(each) < _LONGEST_NAME and "\n" not in each)
    return sorted(set(usable) - {".", "..", "/"})[:_MOST_NAMES]


def _read_by(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, and the values of options, that do not say where something is written."""
    before = ""
    for argument in arguments:
        name, _, value = argument.partition("=")
        if not _OUTPUT_OPTION.match(before) and not _OUTPUT_OPTION.match(name):
            yield from (argument, value)
        before = argument


def _written_by(call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that writes a file, by the name of its function, or by the mode of `open`.

    Of `Path("out").mkdir()`, the arguments of `Path` are among them.
    """
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if not _WRITER.search(name) and not (name == "open" and set(_mode(call)) & set("wax+")):
        return []
    of = getattr(call.func, "value", None)
    given = [*call.args, *(each.value for each in call.keywords)]
    return [*given, *(of.args if isinstance(of, ast.Call) else ())]


def _mode(call: ast.Call) -> str:
    """Return the mode of a call of `open`, or of a method `open` of a path; an empty text where it has none to read."""
    bare = isinstance(call.func, ast.Name)
    modes = [*call.args[int(bare) :][:1], *(each.value for each in call.keywords if each.arg == "mode")]
    if not bare and len(call.args) > 1:  # `io.open(file, "w")`, `gzip.open(file, "wt")`
        modes.append(call.args[1])
    texts = [each.value for each in modes if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return next((text for text in texts if _MODE.fullmatch(text)), "")


def stamp_of_names(names: Iterable[str], folder: Path) -> str:
    """Return one fingerprint of the files, folders and repositories that names are names of.

    Args:
        names: Texts of a script, of which most name nothing.
        folder: Where relative paths start.
    """
    found = [(name, stamp) for name in names if (stamp := _stamp(name, folder))]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:DIGITS]


def _stamp(name: str, folder: Path) -> str:
    """Return sizes and times of change of a file, or of the first files of a folder, or the commit of a repository.

    The working folder and those around it have none: each run changes something in them.
    """
    try:
        place = folder / Path(name).expanduser()
        if place.is_file():
            return _digest([place])
        if place.is_dir() and not folder.resolve().is_relative_to(place.resolve()):
            return _digest(sorted(islice((each for each in place.rglob("*") if each.is_file()), _MOST_FILES)))
    except (OSError, ValueError, RuntimeError):  # a name that the system cannot have, or the home of nobody
        return ""
    return kept_commit(name) if name.count("/") == 1 and is_repository_id(name) else ""


def _digest(files: Sequence[Path]) -> str:
    stated = [(str(file), file.stat()) for file in files]
    listed = [(name, status.st_size, status.st_mtime_ns) for name, status in stated]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def versions_of(interpreter: Path) -> dict[str, str]:
    """Return the versions in the environment of another interpreter, name to text.

    Raises:
        InvalidArgument: It does not start.
    """
    python, *others = answer_of(str(interpreter), "-I", "-c", _SAY_VERSIONS, *LIBRARIES).splitlines() or [""]
    return {"python": python, **dict(line.split(" ", 1) for line in others if " " in line)}


def _imported_files(content: bytes, *folders: Path) -> Iterator[Path]:
    """Yield the files of the modules that code imports, as far as they are in these folders."""
    for node in ast.walk(_parsed(content)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names = [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
        for name in filter(None, names):
            yield from _files_of(name, dict.fromkeys(folders))


def _files_of(module: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the file of a module and those of the packages around it."""
    for folder in folders:
        place = folder
        for part in module.split("."):
            place /= part
            for file in (place.with_name(f"{part}.py"), place / "__init__.py"):
                if file.is_file():
                    yield file


def _parsed(content: bytes) -> Any:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Python will say so when it runs
        return ast.Module([], [])


def _content(file: Path) -> bytes:
    """Return the code in a file; of a notebook its cells, since what they have printed decides nothing."""
    if is_notebook(file):
        return "\n".join(code for _, code in cells_to_run(file)).encode()
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError:
        return b""


def _relative(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.as_posix()
