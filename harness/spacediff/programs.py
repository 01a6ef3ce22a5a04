"""A program that gives the reference, as plain data: its command line, and what identifies the code that it runs.

Nothing here starts a process: a scenario is read, planned and shown without running what it names.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacediff.errors import InvalidArgument
from spacediff.files import environments_dir
from spacediff.inputs.files import Input
from spacediff.inputs.placeholders import named_in
from spacediff.observer.digest_length import DIGITS
from spacediff.processes import interpreter_in
from spacediff.scenario.tables.reference import CommandReference
from spacediff.store.store import PROGRAMS

_PYTHONS = ("python", "python3")
"""What stands for the interpreter that a scenario names."""
_INTERPRETER = re.compile(r"python(3(\.\d+)?)?(\.exe)?")
"""Names of programs that are an interpreter of Python."""
_PACKAGES = (
    "lib*/python*/site-packages",
    "lib*/python*/dist-packages",
    "local/lib*/python*/site-packages",
    "local/lib*/python*/dist-packages",
    "Lib/site-packages",
)
"""Where the packages of an interpreter are, from the folder above its own."""
_REPLACED = re.compile(r"\{(prompt|seed|out|trace)\}")
_MOST_ENTRIES = 20_000
"""Files and folders among which scripts are looked for."""
_HASHED = 10_000_000
"""Bytes; of a larger file only size and date are part of the identity."""
_PACKAGE = re.compile(r"[A-Za-z0-9][\w.-]*\s*(\[[\w\s,.-]*\])?\s*(\(?\s*[=<>!~][^/@]*)?(;[^@]*)?(--hash=[\w:]+\s*)*")
"""A requirement of a package by its name and version, with its marker and hashes."""
_FILE = re.compile(r"(?i)[\w.-]*\.(whl|zip|tar|tgz|gz|bz2)(?![\w.-])")
_INDEXES = re.compile(
    r"(-i|-f|--index-url|--extra-index-url|--find-links)[\s=]\s*https?://\S+"
    r"|--(no-index|pre|prefer-binary|require-hashes)|--(no|only)-binary[\s=]\s*[\w:,.-]+"
)
"""Options that say where packages are looked for, and which of them are taken."""
_NO_SCRIPTS = frozenset({"__pycache__", "node_modules", "site-packages"})


def request_of(command: CommandReference, folder: Path) -> dict[str, Any]:
    """Return the request of a run: what the scenario says, and what identifies the program's code.

    Args:
        command: The table of the scenario.
        folder: The scenario's folder.

    Raises:
        InvalidArgument: The program's folder has too many files to look for scripts in it, or its requirements cannot
            be read.
    """
    place = command.folder or folder.absolute()
    python = command.python.as_posix() if command.python else ""
    wanted = _digest_of_requirements(command.requirements) if command.requirements else ""
    if wanted:
        python = interpreter_in(environments_dir() / wanted[:DIGITS]).as_posix()
    request = {
        "run": list(command.run),
        "folder": place.as_posix(),
        "python": python,
        "requirements": command.requirements.as_posix() if command.requirements else "",
        "env": dict(command.env),
        "suffix": command.suffix,
        "settings": dict(command.settings),
        "deadline": command.deadline,
        "scripts": _digest_of(place, command.run),
    }
    return request | {
        "interpreter": {"requirements": wanted} if wanted else _interpreter_stamp(interpreter_of(request))
    }


def scratch_of(folder: Path, prompt: str, name: str) -> Path:
    """Return the folder that a program writes into: in the audit folder, so that its command line is known before."""
    return folder.absolute() / PROGRAMS / f"{prompt}-{name}"


def command_line(request: Mapping[str, Any], text: str, seed: int, inputs: Sequence[Input], scratch: Path) -> list[str]:
    """Return the program and its arguments, with the placeholders replaced.

    Args:
        request: The request of the run.
        text: The prompt.
        seed: The seed.
        inputs: The inputs of the prompt; `{file:NAME}` of a list becomes as many arguments.
        scratch: The folder of the clip.
    """
    program, *arguments = request["run"]
    if request["python"] and program in _PYTHONS:
        program = request["python"]
    files = {each.name: [file.path for file in each.files] for each in inputs}
    values = {
        "prompt": text,
        "seed": str(seed),
        "out": str(clip_file(request, scratch)),
        "trace": str(trace_file(scratch)),
    }
    line = [program]
    for argument in arguments:
        if (name := named_in(argument)) in files:
            line += files[name]
        else:  # in one pass, so that a prompt that contains "{seed}" is not changed
            line.append(_REPLACED.sub(lambda found: values[found[1]], argument))
    return line


def clip_file(request: Mapping[str, Any], scratch: Path) -> Path:
    """Return the file that the program writes its clip to."""
    return scratch / f"out{request['suffix']}"


def trace_file(scratch: Path) -> Path:
    """Return the file that the program may write its trace to."""
    return scratch / "trace.jsonl"


def wants_trace(request: Mapping[str, Any]) -> bool:
    """Whether the program is given a file for its trace."""
    return any("{trace}" in each for each in request["run"][1:])


def shown_command(request: Mapping[str, Any], line: Sequence[str]) -> str:
    """Return a command line as a shell would need it, its variables first; what does not print is spelled out."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in request["env"].items()]
    text = " ".join([*variables, shlex.join(line)])
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def environ_of(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of the program; the scripts of its interpreter's environment are found first."""
    environ: dict[str, str] = {**os.environ, **request["env"]}
    if request["python"]:
        environ["PATH"] = os.pathsep.join([str(Path(request["python"]).parent), environ.get("PATH", os.defpath)])
    return environ


def found_program(program: str, folder: Path, environ: Mapping[str, str]) -> str | None:
    """Return the path of a program that can be executed, or None; a relative path starts at the program's folder."""
    return shutil.which(str(folder / program) if is_path(program) else program, path=environ.get("PATH"))


def is_path(program: str) -> bool:
    """Whether a program is named by its path, and so not looked for on the PATH."""
    return any(mark and mark in program for mark in (os.sep, os.altsep))


def interpreter_of(request: Mapping[str, Any]) -> str:
    """Return the path of the Python that runs a program, or that is declared for it; empty where there is none."""
    program = request["run"][0]
    if not _INTERPRETER.fullmatch(Path(program).name) or (request["python"] and program in _PYTHONS):
        return str(request["python"])
    return found_program(program, Path(request["folder"]), environ_of(request)) or ""


def is_noticed(request: Mapping[str, Any]) -> bool:
    """Whether another package in the program's environment makes its run another one; true where it has no Python."""
    return bool(request["interpreter"].get("packages", True))


def _digest_of_requirements(file: Path) -> str:
    """Hash a file of requirements and the version of Python that they are installed for.

    Raises:
        InvalidArgument: It cannot be read, or has a line that names no package.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{file} of reference.command.requirements cannot be read: {error}") from error
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if not _names_a_package(re.sub(r"(^|\s)#.*", "", line).strip()):
            raise InvalidArgument(
                f"{file.name} has a line that names no package: {line.strip()!r}; a change of what it names would not"
                " be noticed",
                hint="name packages with their versions, or an interpreter as reference.command.python",
            )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(f"{version}\0{text}".encode()).hexdigest()


def _names_a_package(line: str) -> bool:
    """Whether a line of requirements names a package of an index; or is empty, or says where packages are found."""
    return not line or bool(_INDEXES.fullmatch(line) or (_PACKAGE.fullmatch(line) and not _FILE.match(line)))


def _digest_of(folder: Path, run: Sequence[str]) -> str:
    """Hash the Python files of a folder and the files that the command line names."""
    found = hashlib.sha256()
    named = [folder / each.rpartition("=")[2] for each in run if "{" not in each and each.strip()]
    for path in [*sorted(_scripts(folder)), *(each for each in named if _is_file(each))]:
        try:
            size, changed = path.stat().st_size, path.stat().st_mtime_ns
            content = path.read_bytes() if size <= _HASHED else f"{size} {changed}".encode()
        except OSError:
            continue
        found.update(f"{os.path.relpath(path, folder)}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return found.hexdigest()


def _scripts(folder: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > _MOST_ENTRIES:
            raise InvalidArgument(
                f"the folder {folder} of reference.command has more than {_MOST_ENTRIES:,} files",
                hint="name the folder with the program's own code as reference.command.folder",
            )
        folders[:] = sorted(each for each in folders if not _is_left_out(Path(place, each)))
        yield from (Path(place, each) for each in files if each.endswith(".py"))


def _is_left_out(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _NO_SCRIPTS or (folder / "pyvenv.cfg").is_file()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a path may be
        return False


def _interpreter_stamp(python: str) -> dict[str, Any]:
    """Return what identifies an interpreter and its packages without starting it; empty for a program without one."""
    if not python:
        return {}
    path = Path(python)
    folders = _package_folders(path) or _package_folders(path.resolve())
    names = sorted(each.name for folder in folders for each in folder.glob("*.*-info"))
    try:
        status = path.stat()
        program = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
    except OSError:
        program = {}
    packages = hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest() if folders else ""
    return {"path": path.as_posix(), **program, "packages": packages}


def _package_folders(interpreter: Path) -> list[Path]:
    return [each for pattern in _PACKAGES for each in interpreter.parent.parent.glob(pattern)]
