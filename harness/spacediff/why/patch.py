"""Advice: the lines to change in a script so that it sets what the Space sets, as a patch.

The key insight is that every edit can be checked: the patched script is read again. An edit that does not remove the
difference, or that changes anything else, is dropped; the advice then says what to change by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from spacediff.catalogue.pipelines import GENERIC
from spacediff.reading import Reading, main_file
from spacediff.why.by_hand import kept_for_memory, reason_by_hand, words
from spacediff.why.checks import Checker
from spacediff.why.compared import ComparedSettings
from spacediff.why.editing import NotEditableError, Operation, Script, unified_diff
from spacediff.why.proposals import Proposal, Site, choosing_input, proposals, without_dead_argument

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
        dead: What the patch removes because the library ignores it, one line each.
        reason: Why nothing is patched, if one reason applies to everything; otherwise empty.
    """

    patch: str = ""
    name: str = ""
    folder: Path = field(default_factory=Path)
    changes: Mapping[str, str] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    dead: tuple[str, ...] = ()
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
        only: The paths of the settings to change, the cause; None for all that differ, but for those that save memory.
        ask: Whether checkpoints are looked up, as they were for `found`.
    """
    rows = [row for row in found.differences if only is None or row.path in only]
    main = main_file(Path(source)) if Path(source).exists() and not script.command else None
    name = main.name if main is not None and main.suffix == ".py" else ""
    signature = _signature(script, found)
    kept = {row.path: text for row in rows if only is None and (text := kept_for_memory(row))}
    reasons = {row.path: reason_by_hand(row, name, signature, script, space) for row in rows}
    by_hand = {row.path: words(row, rows, reasons[row.path]) for row in rows} | kept
    reasons |= kept
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
    dead = search.without_dead(_dead(tree, name, script, only))
    patch = unified_diff(name, original, search.content)
    left = {path: text for path, text in by_hand.items() if path not in search.changes}
    return replace(unpatched, patch=patch, changes=search.changes, by_hand=left, dead=dead)


def _dead(tree: Script, name: str, script: Reading, only: Collection[str] | None) -> Iterator[Proposal]:
    """Yield the removal of arguments that are ignored: all, or those that were meant as what is changed."""
    meant = None if only is None else {path.rpartition(".")[2] for path in only}
    for each in script.ignored:
        if meant is None or each.argument in meant:
            yield from islice(without_dead_argument(tree, name, each), 1)


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
        self.content = script.module.bytes
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

    def without_dead(self, removals: Iterable[Proposal]) -> tuple[str, ...]:
        """Remove arguments without effect, each of which may change nothing else; return what was removed, in words."""
        return tuple(each.words for each in removals if self._is_kept(each.operations, (), dead=1) is not None)

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
        operations = tuple(operation for each in chosen.values() for operation in each.operations)
        removed = self._is_kept(operations, chosen.keys())
        for path in removed or ():
            self.changes[path] = chosen[path].words if path in chosen else "comes with another change"
        return bool(removed)

    def _is_kept(self, operations: Iterable[Operation], paths: Collection[str], *, dead: int = 0) -> set[str] | None:
        """Return the differences that operations remove beside those that are kept; None if they are not kept."""
        if self._readings >= _MOST_READINGS:
            return None
        together = (*self._kept, *operations)
        try:
            content = self._script.edited(together)
        except NotEditableError:
            return None
        self._readings += 1
        removed = self._checker.removed_by(content, paths, dead=dead)
        if removed is not None:
            self.content, self._kept = content, together
        return removed
