"""Advice: the lines to change in a script so that it sets what the Space sets, as a patch.

The key insight is that every edit can be checked: the patched script is read again. An edit that does not remove the
difference, or that adds another one, is dropped; the advice then says what to change by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spacediff.reading import Reading, main_file, read_changed
from spacediff.settings import is_plain
from spacediff.why.by_hand import words
from spacediff.why.differences import UNSET, ComparedSettings, SourceDifference, compare_sources
from spacediff.why.edits import Proposal, Proposer, seed_of
from spacediff.why.rewriting import NotEditableError, Script, unified_diff

_MOST_TRIED = 24
"""Edits tried for one difference."""
_RUNS_CODE = frozenset({"load.trust_remote_code", "load.custom_pipeline"})
"""Settings that run code of others; they are never part of a patch."""


@dataclass(frozen=True)
class Advice:
    """What to change in a script.

    Attributes:
        patch: A unified diff; empty if nothing can be patched.
        name: The file that it changes, without its folder.
        folder: The folder of the file, where the patch applies.
        changes: Path of a setting to what the patch changes, in one line.
        by_hand: Path of a setting to what to change by hand.
        reason: Why nothing is patched, if one reason applies to everything; otherwise empty.
    """

    patch: str = ""
    name: str = ""
    folder: Path = field(default_factory=Path)
    changes: Mapping[str, str] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def advise(
    source: str, script: Reading, space: Reading, found: ComparedSettings, *, only: Collection[str] | None = None,
    ask: bool = False,
) -> Advice:  # fmt: skip
    """Return what to change in a script.

    Args:
        source: The script, as the user named it; there is no patch if it is not a file of this machine.
        script: What was read of it.
        space: What was read of the Space.
        found: What differs.
        only: The paths of the settings to change; None for all that differ.
        ask: Whether checkpoints are looked up, as they were for `found`.
    """
    rows = [row for row in found.differences if only is None or row.path in only]
    path = Path(source)
    if not path.exists():
        return Advice(
            by_hand={row.path: words(row, rows) for row in rows}, reason=f"{source} is not a file on this machine"
        )
    main = main_file(path)
    if main.suffix != ".py":
        by_hand = {row.path: words(row, rows) for row in rows}
        return Advice(name=main.name, folder=main.parent, by_hand=by_hand, reason=f"{main.name} is not a .py file")
    original = main.read_bytes()
    patched = _PatchedScript(main, original, script, space, found, ask=ask)
    everything = {"model.id", "model.pipeline"} <= {row.path for row in found.differences}  # a different model
    by_hand = {row.path: words(row, rows) for row in rows if everything or not _may_be_patched(row)}
    remaining = [row for row in rows if row.path not in by_hand]
    for _ in range(2):  # a change that depends on another one succeeds in the second round
        remaining = [row for row in remaining if not patched.removes(row)]
    by_hand |= {row.path: words(row, rows) for row in remaining}
    patch = unified_diff(main.name, original, patched.content) if patched.changes else ""
    reason = _another_model(found) if everything and not patch else _not_editable(original)
    return Advice(patch, main.name, main.parent, patched.changes, by_hand, reason)


def _not_editable(content: bytes) -> str:
    """Return why a script cannot be edited; empty if it can."""
    try:
        Script(content)
    except NotEditableError as error:
        return str(error)
    return ""


def _another_model(found: ComparedSettings) -> str:
    """Return the reason for sources with different pipelines and checkpoints: their settings are not comparable."""
    rows = {row.path: row for row in found.differences}
    pipeline, model = rows["model.pipeline"], rows["model.id"]
    left = f"{pipeline.left.value} of {model.left.value}"
    right = f"{pipeline.right.value} of {model.right.value}"
    return f"the script runs {left}, the Space {right}: change the model first"


def _may_be_patched(row: SourceDifference) -> bool:
    makes_none = row.known is not None and row.known.size == "none"
    is_left = makes_none or row.path in _RUNS_CODE or row.path == "placement"  # the machine may not have that device
    return not is_left and row.right is not UNSET and is_plain(row.right.value)


class _PatchedScript:
    """A script that is changed step by step; each step is checked by reading the script again."""

    def __init__(
        self, main: Path, content: bytes, script: Reading, space: Reading, found: ComparedSettings, *, ask: bool
    ) -> None:
        self.content = content
        self.changes: dict[str, str] = {}
        self._main = main
        self._reading = script
        self._space = space
        self._found = found
        self._ask = ask

    def removes(self, row: SourceDifference) -> bool:
        """Remove one difference; return whether that was possible."""
        now = next((one for one in self._found.differences if one.path == row.path), None)
        if now is None:  # an earlier change removed it too
            self.changes[row.path] = "comes with another change"
            return True
        try:
            proposer = Proposer(Script(self.content), self._main.name, self._reading, self._found.script, now)
            for proposal, _ in zip(proposer.proposals(), range(_MOST_TRIED), strict=False):
                if self._succeeds(proposal, row.path):
                    self.changes[row.path] = proposal.words
                    return True
        except NotEditableError:
            return False
        return False

    def _succeeds(self, proposal: Proposal, path: str) -> bool:
        """Keep an edit if it removes one difference and adds no other; return whether it was kept."""
        try:
            content = Script(self.content).edited(proposal.edits)
            Script(content)
        except NotEditableError:
            return False
        reading = read_changed(self._main, content, look_up=lambda _: self._reading.machine)
        if seed_of(self._reading) not in {None, seed_of(reading)}:
            return False
        if reading.settings.value("placement") != self._reading.settings.value("placement"):
            return False
        found = compare_sources(reading, self._space, ask=self._ask)
        before = {row.path for row in self._found.differences}
        after = {row.path for row in found.differences}
        if path in after or not after < before or len(found.questions) > len(self._found.questions):
            return False
        self.content, self._reading, self._found = content, reading, found
        return True
