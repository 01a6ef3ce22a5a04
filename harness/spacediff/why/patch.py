"""Advice: the lines to change in a script so that it sets what the Space sets, as a patch.

The key insight is that every edit can be checked: the patched script is read again. An edit that does not remove the
difference, or that changes anything else, is dropped; the advice then says what to change by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from spacediff.catalogue.pipelines import GENERIC
from spacediff.reading import Reading, main_file
from spacediff.why.by_hand import reason_by_hand, words
from spacediff.why.checks import Checker
from spacediff.why.compared import ComparedSettings
from spacediff.why.editing import NotEditableError, Operation, Script, unified_diff
from spacediff.why.proposals import Proposal, Site, choosing_input, proposals

_MOST_TRIED = 8
"""Proposals tried for one difference."""
_MOST_READINGS = 48
"""Readings of patched scripts; a script with ten differences takes one to fifteen."""


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
    main = main_file(Path(source)) if Path(source).exists() and not script.command else None
    name = main.name if main is not None and main.suffix == ".py" else ""
    signature = _signature(script, found)
    reasons = {row.path: reason_by_hand(row, name, signature, script, space) for row in rows}
    by_hand = {row.path: words(row, rows, reasons[row.path]) for row in rows}
    if main is None:
        why = f"the settings are those of a command: {script.command}" if script.command else ""
        return Advice(by_hand=by_hand, reason=why or f"{source} is not a file on this machine")
    unpatched = Advice(name=main.name, folder=main.parent, by_hand=by_hand)
    if not name:
        return replace(unpatched, reason=f"{main.name} is not a .py file")
    if {"model.id", "model.pipeline"} <= {row.path for row in found.differences}:
        return replace(unpatched, reason=_another_model(found))
    original = main.read_bytes()
    try:
        tree = Script(original)
    except NotEditableError as error:
        return replace(unpatched, reason=str(error))
    wanted = {row.path: row for row in rows if not reasons[row.path]}
    sites = {
        path: Site(tree, name, script, found.script, signature, row, wanted, space) for path, row in wanted.items()
    }
    chosen = {path: choosing_input(site) for path, site in sites.items()}
    by_hand |= {path: f"comes with {label}, which chooses it" for path, label in chosen.items() if label}
    proposed = {path: list(islice(proposals(site), _MOST_TRIED)) for path, site in sites.items() if not chosen[path]}
    search = _Search(tree, Checker(main, script, space, found, ask=ask), proposed)
    search.run()
    patch = unified_diff(name, original, search.content) if search.changes else ""
    left = {path: text for path, text in by_hand.items() if path not in search.changes}
    return replace(unpatched, patch=patch, changes=search.changes, by_hand=left)


def _signature(script: Reading, found: ComparedSettings) -> str:
    """Return the class whose arguments a script's call has: that of its pipeline, or what a generic class loads."""
    pipeline = script.settings.value("model.pipeline")
    return str(found.script.value("model.pipeline")) if pipeline in GENERIC else script.signature


def _another_model(found: ComparedSettings) -> str:
    """Return the reason for sources with different pipelines and checkpoints: their settings are not comparable."""
    rows = {row.path: row for row in found.differences}
    pipeline, model = rows["model.pipeline"], rows["model.id"]
    left = f"{pipeline.left.value} of {model.left.value}"
    right = f"{pipeline.right.value} of {model.right.value}"
    return f"the script runs {left}, the Space {right}: change the model first"


class _Search:
    """The search for the edits that remove the differences; each set of edits is checked by reading the script again.

    The first proposals for all differences are tried at once, since they usually succeed. If they do not, halves are
    tried, down to a single difference, for which other proposals are tried too.
    """

    def __init__(self, script: Script, checker: Checker, proposed: Mapping[str, list[Proposal]]) -> None:
        self.content = b""
        self.changes: dict[str, str] = {}
        self._script = script
        self._checker = checker
        self._proposed = {path: each for path, each in proposed.items() if each}
        self._kept: tuple[Operation, ...] = ()
        self._readings = 0

    def run(self) -> None:
        """Remove as many differences as possible."""
        for _ in range(2):  # a change that depends on another one succeeds in the second round
            self._remove([*self._proposed])

    def _remove(self, paths: list[str]) -> None:
        paths = [path for path in paths if path not in self.changes]
        first: dict[str, Proposal] = {}
        for path in paths:
            if not any(path in each.also for each in first.values()):
                first[path] = self._proposed[path][0]
        if not first or self._try(first):
            return
        if len(paths) > 1:
            self._remove(paths[: len(paths) // 2])
            self._remove(paths[len(paths) // 2 :])
        else:
            any(self._try({paths[0]: proposal}) for proposal in self._proposed[paths[0]][1:])

    def _try(self, chosen: Mapping[str, Proposal]) -> bool:
        """Keep some proposals if they remove their differences and change nothing else; return whether they do."""
        if self._readings >= _MOST_READINGS:
            return False
        operations = (*self._kept, *(operation for each in chosen.values() for operation in each.operations))
        try:
            content = self._script.edited(operations)
        except NotEditableError:
            return False
        self._readings += 1
        removed = self._checker.removed_by(content, chosen.keys())
        if not removed:
            return False
        self.content, self._kept = content, operations
        for path in removed:
            self.changes[path] = chosen[path].words if path in chosen else "comes with another change"
        return True
