"""Print tables: the differences between two sources, and the checks of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from spacediff.cli.console import Terminal, listed, one_line, wide_terminal
from spacediff.doctor import Check
from spacediff.settings import Setting, Settings
from spacediff.why.apart import words_said
from spacediff.why.compared import UNSET, ComparedSettings
from spacediff.why.effects import Effect
from spacediff.why.headline import headline
from spacediff.wording.numbers import size as size_text

if TYPE_CHECKING:
    from spacediff.kept import Kept
    from spacediff.why.candidate_calls import ComparedCall
    from spacediff.why.patch import Advice  # it edits Python, which takes long to import


def show_checks(checks: Iterable[Check]) -> None:
    """Print the checks of the doctor."""
    console = Terminal()
    for check in checks:
        mark = ("yes ", "green") if check.fine else ("no  ", "yellow")
        console.print(Text.assemble(mark, (f"{check.name}: ", "bold"), check.found))
        if check.hint:
            console.print(Text(f"    {check.hint}"))


def show_kept(folder: Path, parts: Sequence[Kept], *, removed: bool) -> None:
    """Print the parts of the cache folder, or those that were removed from it."""
    console = wide_terminal()
    whole = f"{size_text(sum(each.size for each in parts))} in {folder}"
    console.print(Text(f"removed {whole}" if removed else whole, "bold"))
    if not parts:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "size", "of", "name"):
        table.add_column(column, justify="right" if column == "size" else "left", overflow="fold")
    for each in parts:
        day = datetime.fromtimestamp(each.changed, UTC).date().isoformat()
        note = "" if each.of_use or removed else ", of no use any more"
        table.add_row(each.kind.value, size_text(each.size), day, f"{each.path.name}{note}")
    console.print(table)


def show_differences(found: ComparedSettings, advice: Advice, calls: Sequence[ComparedCall] = ()) -> None:
    """Print the differences between two sources, what is known about them, and how to change the script."""
    console = wide_terminal()
    console.print(Text(headline(found), "bold"))
    listed(console, "calls that may be the main one", [one_line(call.sentence) for call in calls])
    listed(console, "given without effect", [one_line(argument) for argument in found.ignored])
    if found.ignored and found.differences:
        console.print()
    if found.differences:
        console.print(_differences_table(found))
    listed(console, "the same under the paths of a scenario", [*_in_a_scenario(found)])
    listed(console, "what else differs, or may differ", [
        one_line(line) for effect in found.effects for line in _effect(effect)
    ])  # fmt: skip
    changes = {**advice.by_hand, **advice.changes}
    listed(console, "what to change in the script", [
        *advice.dead,
        *(
            f"{row.path}: {'by hand: ' * (row.path in advice.by_hand)}{changes[row.path]}"
            for row in found.differences
            if row.path in changes
        ),
    ])  # fmt: skip
    causes = [*(row.known for row in found.differences), *(effect.known for effect in found.effects)]
    known = {cause.name: f"{cause.name}: {cause.looks} ({cause.source})" for cause in causes if cause}
    listed(console, "what is known", [*known.values()])
    listed(console, "questions: what reading cannot show", [one_line(question) for question in found.questions])
    listed(console, "only under conditions", [one_line(condition) for condition in found.conditions])
    listed(console, "notes", [one_line(note) for note in found.notes])


def _differences_table(found: ComparedSettings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("setting", "script", "Space", "typical size"):
        table.add_column(column, overflow="fold")
    for row in found.differences:
        sides = [Text.assemble(_side(side), (f"\n{one_line(side.where)}", "dim")) for side in (row.left, row.right)]
        table.add_row(Text(one_line(row.path), "bold"), *sides, row.known.size if row.known else "not known")
    return table


def _in_a_scenario(found: ComparedSettings) -> Iterator[str]:
    """Yield the paths that a scenario has for what is loaded or quantised by itself."""
    changed = {row.path: row.right for row in found.differences}
    space = Settings({path: each for path, each in {**found.script, **changed}.items() if each is not UNSET})
    for row in found.differences:
        if said := words_said(row.path, found.script, space):
            yield f"{row.path}: {', '.join(said)}"


def _effect(effect: Effect) -> Iterator[str]:
    yield f"{effect.kind}: {effect.agreement}"
    for name, lines in (("script", effect.script), ("Space", effect.space)):
        yield from (f"  {name}: {line}" for line in lines)
    if effect.known:
        yield f"  what to do: {effect.known.change}"


def _side(setting: Setting) -> str:
    """Return the value that a source uses, whether it sets it or not."""
    return setting.value if setting is UNSET else one_line(repr(setting.value))
