"""The lock of an environment: every package with its version and hashes, resolved once and kept in the cache.

The key insight: what need not move does not. The versions that are installed here are preferred, so that a difference
between two runs is of as few packages as the resolver allows. What a Space installs is resolved as it was there: the
newest of its day.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import re
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from spacediff.environments.pythons import Interpreter, python_named
from spacediff.environments.releases import releases_of
from spacediff.environments.shared import TORCH, installed_here
from spacediff.environments.uv import run_uv
from spacediff.environments.wanted import OPTIONAL, Wanted, wanted_of
from spacediff.environments.wheels import without_wheels
from spacediff.errors import EnvironmentUnavailable, SpacediffError
from spacediff.files import environments_dir, make_folder, write_atomically
from spacediff.hub.requirement_lines import Refusal, name_of
from spacediff.progress import Progress, SilentListener
from spacediff.settings import Settings

_DEADLINE = 180.0
"""Seconds that resolving may take."""
_ANY_DAY = "false"
"""What uv takes for a package that no date limits."""
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
        left_out: Lines of a Space's requirements that are not installed, each with the reason as `Refusal` has it.
    """

    packages: Mapping[str, str]
    text: str
    shared: str
    python: str
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def python_version(self) -> str:
        """The whole version of Python."""
        return self.python.partition(" ")[0]

    @property
    def platform(self) -> str:
        """The platform, as `platform_here` has it."""
        return self.python.partition(" ")[2]

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
    here, python = installed_here(), _python_of(wanted)
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
        return wanted.identity(installed_here(), _python_of(wanted))


def platform_here() -> str:
    """Return the system of this machine and its processor."""
    return f"{sys.platform} {platform.machine()}"


def _python_of(wanted: Wanted) -> str:
    """Return the version of the Python that is wanted, and the platform."""
    return f"{wanted.python or platform.python_version()} {platform_here()}"


def _resolved(wanted: Wanted, here: Mapping[str, str], python: str, progress: Progress) -> Lock:
    with tempfile.TemporaryDirectory(prefix="spacediff-lock-") as temporary:
        resolver = _Resolver(wanted, python_named(wanted.python, progress), Path(temporary), progress)
        left_out: Mapping[str, str] = {}
        try:
            if wanted.hosted is None:
                kept = [f"{name}=={version}" for name, version in here.items() if "+" not in version]
                optional = [name for name in OPTIONAL if name in here and name not in wanted.packages]
                text = resolver.text([*wanted.requirements, *optional], preferred=kept)
            else:
                text, left_out = _hosted(wanted, resolver, progress)
        except EnvironmentUnavailable as error:
            raise EnvironmentUnavailable(
                f"no environment with {wanted.named}: {error.message}", hint=error.hint
            ) from error
    return Lock(_versions(text), text, "" if wanted.has_own_torch else here.get(TORCH, ""), python, left_out)


def _hosted(wanted: Wanted, resolver: _Resolver, progress: Progress) -> tuple[str, dict[str, str]]:
    """Resolve what a Space installs as a whole, then the part of it that generates, in the versions of the whole.

    Where that fails, lines without a wheel are left out.
    """
    dropped: tuple[str, ...] = ()
    try:
        whole = resolver.text([*wanted.requirements, *wanted.beside])
    except EnvironmentUnavailable:
        dropped = without_wheels([*wanted.lines, *wanted.beside], wanted.newest, resolver.python, progress)
        if not dropped:
            raise
        wanted = replace(wanted, lines=_but(dropped, wanted.lines), beside=_but(dropped, wanted.beside))
        whole = resolver.text([*wanted.requirements, *wanted.beside])
    constraints = [f"{name}=={version}" for name, version in _versions(whole).items()]
    text = resolver.text(wanted.requirements, constraints=constraints)
    installed = _versions(text)
    unused = [line for line in wanted.lines if name_of(line) not in installed]
    return text, {**dict.fromkeys(unused, str(Refusal.MARKER)), **dict.fromkeys(dropped, str(Refusal.NO_WHEEL))}


def _but(dropped: Collection[str], lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line not in dropped)


@dataclass(frozen=True)
class _Resolver:
    """Resolves requirements by uv, in a folder of its own."""

    wanted: Wanted
    python: Interpreter
    folder: Path
    progress: Progress

    def text(self, asked: Sequence[str], *, preferred: Sequence[str] = (), constraints: Sequence[str] = ()) -> str:
        """Return the lines with hashes that install what is asked for.

        Args:
            asked: Requirements.
            preferred: Pinned packages that are kept where they fit.
            constraints: Pinned packages that are not installed for that alone.

        Raises:
            EnvironmentUnavailable: Nothing fits together, or the index does not answer.
        """
        limits = [f"--exclude-newer-package={name}={moment}" for name, moment in _limits(self.wanted).items()]
        if self.wanted.newest:
            limits.append(f"--exclude-newer={self.wanted.newest}")
        lock = self._file("lock.txt", preferred)  # uv prefers what its output has already
        excluded = () if self.wanted.has_own_torch else _OF_TORCH
        overrides = self._file("overrides.txt", [f"{name} ; {_NEVER}" for name in excluded])
        words = ["pip", "compile", str(self._file("asked.in", asked)), "--output-file", str(lock)]
        words += ["--override", str(overrides), "--constraint", str(self._file("constraints.txt", constraints))]
        words += ["--python", self.python.path, "--only-binary", ":all:", "--generate-hashes", "--no-header"]
        run_uv([*words, "--no-annotate", "--quiet", *limits], _DEADLINE, self.progress)
        return lock.read_text("utf-8")

    def _file(self, name: str, lines: Sequence[str]) -> Path:
        file = self.folder / name
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return file


def _versions(text: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in _PINNED.findall(text)}


def _limits(wanted: Wanted) -> Mapping[str, str]:
    """Return the moment of which each contemporary may be the newest; and that pins are free of a Space's date.

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
    free = {name: _ANY_DAY for name, _ in wanted.pins} if wanted.newest else {}
    return free | {name: moments[anchor] for name, anchor in wanted.contemporaries.items()}


def _folder() -> Path:
    return environments_dir() / "locks"
