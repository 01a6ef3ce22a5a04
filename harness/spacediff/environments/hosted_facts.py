"""What is to be known of a run in a Space's environment: what is installed, and in what it is not the Space's.

The key insight: a run "in the Space's environment" claims the same versions. So whatever keeps that from being true is
said beside it: lines that were left out, versions that were chosen, another Python, another torch, an inferred date.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator

from packaging.requirements import Requirement

from spacediff.environments.hosted import CUDA
from spacediff.environments.locking import Lock
from spacediff.environments.named import NAMED
from spacediff.environments.shared import TORCH, needed_by
from spacediff.environments.wanted import NEEDED, Wanted
from spacediff.hub.requirement_lines import LeftOut, Refusal, name_of
from spacediff.record import Fact, FactKind, fact

_MOST = 12
"""Lines that are named."""
_WATCHES = "psutil"
"""What is needed to watch a run, and makes no clip."""


def installed_fact(wanted: Wanted, lock: Lock) -> Fact | None:
    """Return what is installed as a Space asks for it; None where no Space is asked.

    Args:
        wanted: What is asked for.
        lock: What that comes to.
    """
    hosted = wanted.hosted
    if hosted is None:
        return None
    first = [name for name in NAMED if name in lock.packages]
    return fact(
        FactKind.HOSTED_INSTALLED,
        space=hosted.space,
        commit=hosted.commit,
        packages=[f"{name} {lock.packages[name]}" for name in first],
        others=len(lock.packages) - len(first),
    )


def differing_facts(wanted: Wanted, lock: Lock) -> list[Fact]:
    """Return in what an environment is not, or may not be, that of the Space; empty where no Space is asked."""
    return list(_differing(wanted, lock))


def _differing(wanted: Wanted, lock: Lock) -> Iterator[Fact]:
    hosted = wanted.hosted
    if hosted is None:
        return
    space = hosted.space
    left_out = [*wanted.left_out, *(LeftOut(line, Refusal(why), name_of(line)) for line, why in lock.left_out.items())]
    missing = [each for each in left_out if each.reason not in {Refusal.APP, Refusal.INSTALLER, Refusal.MARKER}]
    if missing:
        named = missing[:_MOST]
        yield fact(
            FactKind.HOSTED_LEFT_OUT,
            space=space,
            lines=[each.line for each in named],
            reasons=[str(each.reason) for each in named],
            instead=[_with_version(each.name, lock) for each in named],
            more=len(missing) - len(named),
        )
    taken = {name_of(line) for line in wanted.lines if line not in lock.left_out} | {name for name, _ in wanted.pins}
    known = {each.name for each in missing}
    of_clips = [name for name in NEEDED if name != _WATCHES]
    if chosen := [each for name in of_clips if name not in taken | known and (each := _with_version(name, lock))]:
        yield fact(FactKind.HOSTED_CHOSEN, space=space, packages=chosen)
    if unpinned := [line for line in wanted.lines if line not in lock.left_out and not _is_pinned(line)]:
        yield fact(FactKind.HOSTED_NEWEST, space=space, moment=wanted.newest, lines=unpinned[:_MOST])
    used = wanted.python or platform.python_version()
    if not f"{used}.".startswith(f"{hosted.python}.") or not hosted.python:
        yield fact(FactKind.HOSTED_PYTHON, space=space, there=hosted.python, here=used, kept=wanted.python_kept)
    yield _torch(wanted, lock, hosted.torch, space)
    if hosted.running and hosted.commit and hosted.running != hosted.commit:
        yield fact(FactKind.HOSTED_COMMIT, space=space, read=hosted.commit, running=hosted.running)


def _torch(wanted: Wanted, lock: Lock, asked: str, space: str) -> Fact:
    """Return which torch there is: a build for CUDA and one without compute differently, whatever the version."""
    installed = lock.shared or lock.packages.get(TORCH, "")
    needs = lock.packages if wanted.has_own_torch else needed_by(TORCH)
    return fact(
        FactKind.HOSTED_TORCH,
        space=space,
        asked=asked,
        installed=installed,
        fits=bool(asked) and Requirement(asked).specifier.contains(installed, prereleases=True),
        shared=not wanted.has_own_torch,
        cuda="+cu" in installed or any(name.startswith(CUDA) for name in needs),
    )


def _with_version(name: str, lock: Lock) -> str:
    """Return a package with the version that is installed; empty for one that is not."""
    return f"{name} {lock.packages[name]}" if name in lock.packages else ""


def _is_pinned(line: str) -> bool:
    return any(each.operator in {"==", "==="} and "*" not in each.version for each in Requirement(line).specifier)
