"""What moved between this environment and another one, which all together is the suspect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spacediff.environments.locking import Lock
from spacediff.environments.shared import TORCH
from spacediff.environments.wanted import BUILT_UPON, Wanted

NAMED = ("diffusers", *BUILT_UPON["diffusers"], TORCH)
"""Packages that determine a clip, in the order in which they are named; others follow by name."""


@dataclass(frozen=True)
class Moved:
    """A package that an environment has in another version than this one.

    Attributes:
        name: Its normalised name.
        there: Its version there.
        here: Its version here; empty where it is not installed.
    """

    name: str
    there: str
    here: str


def moved(lock: Lock, here: Mapping[str, str]) -> tuple[Moved, ...]:
    """Return the packages whose versions differ, those that compute first.

    Args:
        lock: The environment.
        here: The packages of this one, normalised name to version.
    """
    found = [Moved(name, version, here.get(name, "")) for name, version in lock.packages.items()]
    differing = [each for each in found if each.there != each.here]
    return tuple(sorted(differing, key=lambda each: (_rank(each.name), each.name)))


def described(wanted: Wanted, lock: Lock, here: Mapping[str, str]) -> str:
    """Describe an environment in one line, with everything that moved and what is shared from here."""
    changes = moved(lock, here)
    asked = {name for name, _ in wanted.pins}
    others = [each for each in changes if each.name not in asked and each.here]
    if wanted.hosted is not None:  # nearly everything moves: what is installed is said by a sentence of its own
        others = [each for each in others if each.name in NAMED]
    words = [f"{each.name} {each.there} (here {each.here})" for each in others]
    text = f"{wanted.named} with {', '.join(words)}" if words else wanted.named
    return f"{text}; torch {lock.shared} of this environment" if lock.shared else text


def _rank(name: str) -> int:
    return NAMED.index(name) if name in NAMED else len(NAMED)
