"""The lock of an environment: every package with its version and hashes, resolved once and kept in the cache.

The key insight: what need not move does not. The versions that are installed here are preferred, so that a difference
between two runs is of as few packages as the resolver allows.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import re
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from spacediff.environments.releases import releases_of
from spacediff.environments.shared import installed_here
from spacediff.environments.uv import run_uv
from spacediff.environments.wanted import OPTIONAL, TORCH, Wanted, wanted_of
from spacediff.errors import EnvironmentUnavailable, SpacediffError
from spacediff.files import environments_dir, make_folder, write_atomically
from spacediff.progress import Progress, SilentListener
from spacediff.settings import Settings

_DEADLINE = 180.0
"""Seconds that resolving may take."""
_NEVER = "sys_platform == 'never'"
_OF_TORCH = ("torch", "torchvision", "torchaudio")
"""Not resolved where torch is shared from here: others are built for another torch."""
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """What an environment consists of.

    Attributes:
        packages: Normalised name to version, without what is shared from here.
        text: The lines of requirements with hashes that install them.
        shared: The version of torch that is shared from here; empty where it has its own.
        python: The version of Python and the platform.
    """

    packages: Mapping[str, str]
    text: str
    shared: str
    python: str

    @property
    def digest(self) -> str:
        """Identifies the environment: SHA-256 in hex of everything in it, shortened."""
        content = json.dumps([self.text, self.shared, self.python])
        return hashlib.sha256(content.encode()).hexdigest()[:32]


def lock_of(wanted: Wanted, progress: Progress) -> Lock:
    """Return the lock of what is wanted, from the cache or by asking the resolver.

    Raises:
        EnvironmentUnavailable: There is no such release, nothing fits together, or the index does not answer.
    """
    here, python = installed_here(), python_here()
    file = _folder() / f"{wanted.identity(here, python)}.json"
    with suppress(OSError, ValueError, TypeError):
        return Lock(**json.loads(file.read_text("utf-8")))
    progress.on_status(f"resolving {wanted.named}")
    found = _resolved(wanted, here, python, progress)
    make_folder(file.parent)
    write_atomically(file, json.dumps(asdict(found)))
    return found


def identity_of(settings: Settings) -> str:
    """Return what identifies the environment of a run: the digest of its lock; empty where it happens in this one.

    Where it cannot be resolved, which the run itself will say, it is what the settings ask for.
    """
    try:
        wanted = wanted_of(settings)
    except SpacediffError:
        return "unresolved"
    return "" if wanted is None else _identity(wanted)


@functools.cache  # an index that does not answer is asked once
def _identity(wanted: Wanted) -> str:
    try:
        return lock_of(wanted, SilentListener()).digest
    except SpacediffError:
        return wanted.identity(installed_here(), python_here())


def python_here() -> str:
    """Return the version of this Python and its platform."""
    return f"{platform.python_version()} {sys.platform} {platform.machine()}"


def _resolved(wanted: Wanted, here: Mapping[str, str], python: str, progress: Progress) -> Lock:
    limits = [f"--exclude-newer-package={name}={moment}" for name, moment in _limits(wanted).items()]
    with tempfile.TemporaryDirectory(prefix="spacediff-lock-") as temporary:
        asked, lock, overrides = (Path(temporary) / each for each in ("asked.in", "lock.txt", "overrides.txt"))
        optional = [name for name in OPTIONAL if name in here and name not in wanted.packages]
        asked.write_text("\n".join([*wanted.requirements, *optional, ""]), encoding="utf-8")
        kept = [f"{name}=={version}" for name, version in here.items() if "+" not in version]
        lock.write_text("\n".join([*kept, ""]), encoding="utf-8")  # uv prefers what its output has already
        excluded = () if wanted.has_own_torch else _OF_TORCH
        overrides.write_text("".join(f"{name} ; {_NEVER}\n" for name in excluded), encoding="utf-8")
        words = ["pip", "compile", str(asked), "--output-file", str(lock), "--override", str(overrides)]
        words += ["--python", sys.executable, "--only-binary", ":all:", "--generate-hashes", "--no-header"]
        try:
            run_uv([*words, "--no-annotate", "--quiet", *limits], _DEADLINE, progress)
        except EnvironmentUnavailable as error:
            raise EnvironmentUnavailable(
                f"no environment with {wanted.named}: {error.message}", hint=error.hint
            ) from error
        text = lock.read_text("utf-8")
    packages: dict[str, str] = {canonicalize_name(name): version for name, version in _PINNED.findall(text)}
    return Lock(packages, text, "" if wanted.has_own_torch else here.get(TORCH, ""), python)


def _limits(wanted: Wanted) -> Mapping[str, str]:
    """Return the moment of which each contemporary may be the newest.

    Raises:
        EnvironmentUnavailable: There is no such release, or the index does not say when it was.
    """
    moments: dict[tuple[str, str], str] = {}
    for package, version in set(wanted.contemporaries.values()):
        known = {each.version: each.uploaded for each in releases_of(package)}
        if version not in known:
            raise EnvironmentUnavailable(
                f"there is no release {version} of {package}; the newest is {next(reversed(known), 'none')}"
            )
        if not known[version]:
            raise EnvironmentUnavailable(f"the index does not say when {package} {version} was released")
        moments[package, version] = known[version]
    return {name: moments[anchor] for name, anchor in wanted.contemporaries.items()}


def _folder() -> Path:
    return environments_dir() / "locks"
