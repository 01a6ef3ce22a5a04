"""The check of a patched script: it is read again, and only the wanted differences may be gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from spacediff.reading import Reading, read_changed
from spacediff.reading.signatures import refusals
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.proposals.generators import seed_of

_FAULTS = frozenset({"not read", "not read to the end", "random", "reused generator"})
"""Kinds of notes of which a patched script may not have more than before."""


class Checker:
    """Reads patched versions of a script; each one that is accepted is what the next one is compared with.

    Args:
        main: The script.
        script: What was read of it.
        space: What was read of the Space.
        found: What differs.
        ask: Whether checkpoints are looked up, as they were for `found`.
    """

    def __init__(self, main: Path, script: Reading, space: Reading, found: ComparedSettings, *, ask: bool) -> None:
        self._main = main
        self._reading = script
        self._space = space
        self._found = found
        self._ask = ask

    def removed_by(self, content: bytes, paths: Collection[str], *, dead: int = 0) -> set[str] | None:
        """Return the differences that a patched version removes; None unless it removes those, and is no worse.

        Args:
            content: The patched script.
            paths: The settings whose differences it is to remove.
            dead: How many ignored arguments it is to remove.
        """
        reading = self._read(content)
        has_its_seed = seed_of(self._reading) in {None, seed_of(reading)} or "rng.seed" in paths
        if not has_its_seed or not self._is_as_good(reading, dead):
            return None
        found = compare_sources(reading, self._space, ask=self._ask)
        before = {row.path for row in self._found.differences}
        after = {row.path for row in found.differences}
        removed = before - after
        changed = _changed(self._found.script, found.script)
        if not removed.issuperset(paths) or not after <= before or not changed <= before:
            return None
        if len(found.questions) > len(self._found.questions) or not _effects(found) <= _effects(self._found):
            return None
        self._reading, self._found = reading, found
        return removed

    def _read(self, content: bytes) -> Reading:
        """Read a patched version, by the same call as the script, whose line may be another one now."""
        chosen = [call.where for call in self._reading.calls].index(self._reading.called_at)
        reading = read_changed(self._main, content, look_up=lambda _: self._reading.machine)
        where = reading.calls[chosen].where if len(reading.calls) == len(self._reading.calls) else reading.called_at
        if where == reading.called_at:
            return reading
        return read_changed(self._main, content, look_up=lambda _: self._reading.machine, call=where)

    def _is_as_good(self, reading: Reading, dead: int) -> bool:
        """Return whether a patched script still has its placement, no new fault, and so many fewer dead arguments."""
        old = self._reading
        return (
            bool(reading.called_at)
            and reading.settings.value("placement") == old.settings.value("placement")
            and len(reading.undecided) <= len(old.undecided)
            and len(reading.ignored) <= len(old.ignored) - dead
            and len(refusals(reading)) <= len(refusals(old))
            and _faults(reading) <= _faults(old)
        )


def _faults(reading: Reading) -> Counter[str]:
    return Counter(note.kind for note in reading.notes if note.kind in _FAULTS)


def _effects(found: ComparedSettings) -> set[str]:
    return {effect.kind for effect in found.effects}


def _changed(before: Settings, after: Settings) -> set[str]:
    """Return the settings that have another value; a seed that the script did not set may be any."""
    return {
        path
        for path in {*before, *after} - {"rng.seed"}
        if _plain(before.get(path)) != _plain(after.get(path))
    }  # fmt: skip


def _plain(setting: Setting | None) -> object:
    """Return the value of a setting; what is not set and what is unknown are values too."""
    if setting is None:
        return Origin.DEFAULT
    return Origin.UNKNOWN if setting.origin is Origin.UNKNOWN else repr(setting.value)
