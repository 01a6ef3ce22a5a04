"""The environment of a Space, as far as its files say: what its requirements name, its Python, its SDK, and when.

Nothing of the Space is run or trusted: its lines are read by `spacediff.hub.requirement_lines`, and what they name is
installed from wheels of the index alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from spacediff.environments.recent_failures import RecentFailures
from spacediff.environments.releases import moment
from spacediff.errors import EnvironmentUnavailable
from spacediff.hub.asking import SpaceOnHub, small_file, space_on_hub
from spacediff.hub.requirement_lines import LeftOut, Refusal, RequirementLines, name_of, requirement_lines
from spacediff.hub.requirements import FILE, FILE_BEFORE, MOST_BYTES
from spacediff.hub.space_errors import plain

_SYSTEM = "packages.txt"
"""Packages of the system. Source: huggingface.co/docs/hub/spaces-dependencies."""
_SDK = "gradio"
_APP = frozenset({_SDK, "gradio-client", "spaces"})
"""What serves the app: the resolver takes it into account, and it is not installed, since no app is run."""
_INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv"})
_OF_TORCH = frozenset(
    {
        "torchvision", "torchaudio", "torchtext", "torchao", "torchcodec", "xformers", "flash-attn", "flash-attn-3",
        "sageattention", "natten", "triton",
    }
)  # fmt: skip
"""Packages whose wheels are built for one version of torch."""
CUDA = ("nvidia-", "cuda-")
"""How the names of packages begin that a CUDA build needs."""
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*((a|b|rc|\.post)[0-9]+)?")
_PYTHON = re.compile(r"3(\.[0-9]+){1,2}")
_FAILURES = RecentFailures()


@dataclass(frozen=True)
class HostedEnvironment:
    """What a Space installs, as far as its files say.

    Attributes:
        space: `ORG/NAME`.
        commit: The commit whose files were read.
        running: The commit that runs; empty if the Hub does not say.
        moment: When the Space was last changed, RFC 3339 in UTC; empty if that is unknown.
        python: The version of Python that its README names; empty where it names none.
        app: The requirement of its SDK, such as `gradio==4.44.1`; empty without a version.
        lines: Lines that name packages of an index.
        refused: The other lines.
    """

    space: str
    commit: str
    running: str
    moment: str
    python: str
    app: str
    lines: tuple[str, ...]
    refused: tuple[LeftOut, ...]

    @property
    def torch(self) -> str:
        """The line of torch; empty without one."""
        return next((line for line in self.lines if name_of(line) == "torch"), "")


@dataclass(frozen=True)
class Chosen:
    """What is installed of a Space's requirements.

    Attributes:
        lines: Lines that are installed.
        beside: Lines that are resolved with them, and not installed.
        left_out: What is not installed at all.
    """

    lines: tuple[str, ...]
    beside: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def hosted_environment(space: str) -> HostedEnvironment:
    """Return what a Space installs. The Hub is asked once, and again a minute after it gave none that can be used.

    Raises:
        EnvironmentUnavailable: The Space has no requirements, or is built otherwise than from them.
        NotMeasuredError: The Hub does not give the Space.
    """
    return _FAILURES.ask(space, lambda: _asked(space))


def chosen_of(hosted: HostedEnvironment, pinned: Iterable[str] = (), *, has_own_torch: bool = False) -> Chosen:
    """Divide the lines of a Space into what is installed and what is not.

    Args:
        hosted: What the Space installs.
        pinned: Packages whose version is a setting, which replaces their line.
        has_own_torch: Whether torch is installed, and not shared from here.
    """
    pins = set(pinned)
    lines: list[str] = []
    beside = [hosted.app] if hosted.app else []
    left_out = list(hosted.refused)
    for line in hosted.lines:
        name = name_of(line)
        if name in pins or (name == "torch" and not has_own_torch):
            continue
        if name in _INSTALLERS:
            left_out.append(LeftOut(line, Refusal.INSTALLER, name))
        elif (name in _OF_TORCH or name.startswith(CUDA)) and not has_own_torch:
            left_out.append(LeftOut(line, Refusal.OF_TORCH, name))
        elif name in _APP:
            beside = [each for each in beside if name_of(each) != name] + [line]
        else:
            lines.append(line)
    left_out += [LeftOut(line, Refusal.APP, name_of(line)) for line in beside]
    return Chosen(tuple(lines), tuple(beside), tuple(left_out))


@cache  # one question for all runs of an audit
def _asked(space: str) -> HostedEnvironment:
    return _read(space_on_hub(space))


def _read(found: SpaceOnHub) -> HostedEnvironment:
    """Read the files of a Space that say what it installs.

    Raises:
        EnvironmentUnavailable: It has none, or they cannot be read.
    """
    sdk = found.facts.get("sdk", "")
    if sdk != _SDK:
        raise EnvironmentUnavailable(
            f"the environment of Space {found.id} is unknown: its SDK is {sdk or 'unknown'}",
            hint="only a Space of Gradio is built from its requirements alone; name versions by env.diffusers",
        )
    if FILE not in found.files:
        raise EnvironmentUnavailable(
            f"the environment of Space {found.id} is unknown: it has no {FILE}",
            hint="name versions by env.diffusers, env.transformers or env.requirements",
        )
    before, own = (_lines(found, name) for name in (FILE_BEFORE, FILE))
    named = {name_of(line) for line in own.taken}
    lines = (*(line for line in before.taken if name_of(line) not in named), *own.taken)
    system = (LeftOut(_SYSTEM, Refusal.SYSTEM),) if _SYSTEM in found.files else ()
    version = found.facts.get("sdk version", "")
    return HostedEnvironment(
        space=found.id,
        commit=found.commit,
        running=found.facts.get("running commit", ""),
        moment=moment(found.facts.get("last modified")),
        python=_python(found.facts.get("python", "")),
        app=f"{_SDK}=={version}" if _VERSION.fullmatch(version) else "",
        lines=lines,
        refused=(*before.refused, *own.refused, *system),
    )


def _lines(found: SpaceOnHub, name: str) -> RequirementLines:
    if name not in found.files:
        return RequirementLines()
    content = small_file(found.id, name, kind="space", revision=found.commit or None, most_bytes=MOST_BYTES)
    if content is None:
        raise EnvironmentUnavailable(
            f"{name} of Space {found.id} is unavailable",
            hint=f"only files up to {MOST_BYTES // 1024} KiB are read; name versions by env.diffusers",
        )
    return requirement_lines(content.decode("utf-8", "replace"))


def _python(said: str) -> str:
    """Return a version of Python; YAML makes a number of 3.10 that is not quoted."""
    found = plain(said, 20)
    return ("3.10" if found == "3.1" else found) if _PYTHON.fullmatch(found) else ""
