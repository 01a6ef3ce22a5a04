"""Build an environment from its lock, once: from wheels with known hashes, so that nothing runs meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from spacediff.environments.locking import Lock, platform_here
from spacediff.environments.pythons import python_named
from spacediff.environments.shared import TORCH, installed_here, share_torch
from spacediff.environments.uv import run_uv
from spacediff.errors import EnvironmentUnavailable
from spacediff.files import environments_dir, make_folder, remove_folder
from spacediff.interrupts import raise_if_interrupted
from spacediff.processes import interpreter_in
from spacediff.progress import Progress

_COMPLETE = "complete"
"""A file in an environment whose building has ended well."""
_DEADLINE = 1800.0
"""Seconds that building may take: a torch of its own has gigabytes."""
_LOOKED_EVERY = 0.2


def built(lock: Lock, progress: Progress) -> str:
    """Return the interpreter of an environment, which is built where the cache does not have it.

    Args:
        lock: What it consists of.
        progress: Receives what is being installed.

    Raises:
        EnvironmentUnavailable: It cannot be built, or was resolved for another kind of machine.
    """
    _ensure_it_is_for_here(lock)
    folder = environments_dir() / f"locked-{lock.digest}"
    if not (folder / _COMPLETE).is_file():
        make_folder(folder.parent)
        with _alone(folder.with_suffix(".lock"), progress):
            if not (folder / _COMPLETE).is_file():  # another audit may have built it meanwhile
                _build(lock, folder, progress)
    return str(interpreter_in(folder))


def _ensure_it_is_for_here(lock: Lock) -> None:
    """Refuse a lock of another machine that cannot give the same environment here."""
    if lock.platform != platform_here():
        raise EnvironmentUnavailable(
            f"the environment was resolved for {lock.platform}, and this machine is {platform_here()}",
            hint="run the command on a machine like those of the cluster",
        )
    if lock.shared and (here := installed_here().get(TORCH, "none")) != lock.shared:
        raise EnvironmentUnavailable(
            f"the environment shares torch {lock.shared}, and this machine has {here}",
            hint="install the same torch on all machines, or name one by env.torch",
        )


def _build(lock: Lock, folder: Path, progress: Progress) -> None:
    remove_folder(folder)
    made_with = python_named(lock.python_version, progress)
    python = str(interpreter_in(folder))
    progress.on_status("building an environment")
    try:
        run_uv(["venv", "--no-project", "--python", made_with.path, str(folder)], _DEADLINE, progress)
        with tempfile.TemporaryDirectory(prefix="spacediff-build-") as temporary:
            file = Path(temporary) / "lock.txt"
            file.write_text(lock.text, encoding="utf-8")
            words = ["pip", "install", "--python", python, "--no-deps", "--only-binary", ":all:", "--require-hashes"]
            run_uv([*words, "--requirement", str(file)], _DEADLINE, progress)
        if lock.shared:
            share_torch(folder, _packages(folder), lock.packages.keys())
        (folder / _COMPLETE).touch()
    except OSError as error:
        raise EnvironmentUnavailable(f"an environment cannot be built: {error.strerror or error}") from error
    finally:
        if not (folder / _COMPLETE).is_file():
            remove_folder(folder)


@contextmanager
def _alone(file: Path, progress: Progress) -> Iterator[None]:
    """Wait until no other process builds this environment; Ctrl-C ends the waiting."""
    lock, said = FileLock(file), False
    while True:
        raise_if_interrupted()
        try:
            lock.acquire(timeout=_LOOKED_EVERY)
            break
        except Timeout:
            if not said:
                progress.on_status("waiting for another audit, which builds the environment")
                said = True
    try:
        yield
    finally:
        lock.release()


def _packages(folder: Path) -> Path:
    (found,) = [*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]
    return found
