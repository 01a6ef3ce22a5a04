"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import tomlkit

from spacediff.hub.ids import is_repository_id
from spacediff.reading import Reading
from spacediff.scenario.writing import comment, commented, toml_path, toml_value
from spacediff.settings import Origin, Setting, Settings, is_plain
from spacediff.why.approximations import approximations_table, left_out, why_left_out
from spacediff.why.differences import UNSET, ComparedSettings, matters
from spacediff.why.round_trip import Refused, loadable, misfits, reason_at
from spacediff.why.space_request import PLACEHOLDER, space_table

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

_LONGEST_TITLE = 500
_FIRST_TOO_LARGE_SEED = 2**63


def scenario_text(comparison: ComparedSettings, script: Reading, space: Reading, space_id: str) -> str:
    """Return the scenario that measures the differences, as TOML.

    What the script does and the scenario cannot say is in `[[approximations]]`, at which an audit stops; what the
    variant does not say of the Space is in comments.

    Args:
        comparison: What differs.
        script: What was read of the script: the baseline.
        space: What was read of the Space: its endpoint, and what differs there.
        space_id: The Space; any other text leaves a placeholder to be filled in.
    """
    changes = {row.path: row.right for row in comparison.differences}

    def write(refused: Refused) -> str:
        document = _beginning(
            _titled("The script", space_id),
            _prompt_table(comparison.script, refused),
            _baseline_table(script.settings, refused),
            space_table(space, space_id, refused),
        )
        hosted = tomlkit.table()
        hosted.comment("what was read of the Space, where it differs")
        _add_settings(hosted, changes, "variants.as-hosted", refused)
        document.append("variants", _parent_of("as-hosted", hosted))
        document.append("explain", tomlkit.item({"from": "baseline", "to": "as-hosted"}))
        document.append("gate", tomlkit.item({"variant": "as-hosted"}))
        for question in [*comparison.questions, *_differences_left_out(comparison, refused)]:
            document.add(comment(f"open: {question}"))
        return _with_approximations(document, script, script.settings, refused)

    return loadable(write, misfits(script.settings, changes, "as-hosted"))


def corrected_text(
    comparison: ComparedSettings, script: Reading, space: Reading, space_id: str, cause: Collection[str]
) -> str:
    """Return the scenario whose baseline has the cause fixed: its gate asks whether that reproduces the Space.

    Args:
        comparison: What differs.
        script: What was read of the script.
        space: What was read of the Space.
        space_id: The Space; any other text leaves a placeholder to be filled in.
        cause: The paths of the settings that are the cause.
    """
    fixed = Settings({row.path: row.right for row in comparison.differences if row.path in cause})
    baseline = script.settings.changed_by(fixed)

    def write(refused: Refused) -> str:
        document = _beginning(
            _titled("The corrected script", space_id),
            _prompt_table(comparison.script, refused),
            _baseline_table(baseline, refused),
            space_table(space, space_id, refused),
        )
        document.append("gate", tomlkit.item({"variant": "baseline"}))
        return _with_approximations(document, script, baseline, refused)

    return loadable(write, misfits(baseline, {}, ""))


def _with_approximations(document: TOMLDocument, script: Reading, baseline: Settings, refused: Refused) -> str:
    if found := left_out(script, baseline, refused):
        document.add(
            comment("What the script does and this scenario does not say. An audit stops here: say it above and")
        )
        document.add(comment("remove its entry, or accept the approximation with --approximate."))
        document.append("approximations", approximations_table(found))
    return document.as_string()


def _titled(subject: str, space_id: str) -> str:
    return f"{subject} against {space_id if is_repository_id(space_id) else 'the Space'}"[:_LONGEST_TITLE]


def _beginning(title: str, prompt: Table, baseline: Table, reference: Table) -> TOMLDocument:
    document = tomlkit.document()
    document.append("title", tomlkit.item(title))
    document.append("prompts", _parent_of("main", prompt))
    document.append("baseline", baseline)
    document.append("reference", _parent_of("space", reference))
    return document


def _parent_of(name: str, table: Table) -> Table:
    """Return a table that has no header of its own: `[parent.name]` alone is written."""
    parent = tomlkit.table(is_super_table=True)
    parent.append(name, table)
    return parent


def _prompt_table(script: Settings, refused: Refused) -> Table:
    prompt, seed = script.value("call.prompt"), script.value("rng.seed")
    text = prompt if isinstance(prompt, str) and prompt.strip() and is_plain(prompt) else ""
    if not text or reason_at("prompts.main.text", refused):
        text = "write the prompt here"
    usable = type(seed) is int and 0 <= seed < _FIRST_TOO_LARGE_SEED
    unknown = "to be chosen: the script sets no seed that a scenario can hold"
    table = tomlkit.table()
    table.append("text", text)
    table.append("seed", tomlkit.item(seed) if usable else commented(tomlkit.item(42), unknown))
    return table


def _baseline_table(baseline: Settings, refused: Refused) -> Table:
    if "placement" not in baseline and "load.device_map" not in baseline:
        not_moved = Setting("cpu", Origin.DEFAULT, "nothing moves the pipeline")
        baseline = baseline.changed_by(Settings({"placement": not_moved}))
    table = tomlkit.table()
    table.comment("what was read of the script")
    if not _is_written("model.id", baseline.get("model.id"), "baseline", refused):
        unknown = "to be filled in: the checkpoint could not be read"
        table.append(toml_path("model.id"), commented(tomlkit.item(PLACEHOLDER), unknown))
    _add_settings(table, baseline, "baseline", refused)
    return table


def _add_settings(table: Table, settings: Mapping[str, Setting], owner: str, refused: Refused) -> None:
    for path, setting in sorted(settings.items()):
        if _is_written(path, setting, owner, refused):
            table.append(toml_path(path), toml_value(setting.value))


def _is_written(path: str, setting: Setting | None, owner: str, refused: Refused) -> bool:
    """Whether a value is written into a table; the prompt has a table of its own."""
    if setting is None or setting.origin is Origin.UNKNOWN or not matters(path) or path == "call.prompt":
        return False
    return not _why_left_out(path, setting, owner, refused)


def _why_left_out(path: str, setting: Setting, owner: str, refused: Refused) -> str:
    """Return why a scenario cannot hold a value; empty where it can."""
    return "a variant cannot take it back" if setting is UNSET else why_left_out(path, setting.value, owner, refused)


def _differences_left_out(comparison: ComparedSettings, refused: Refused) -> list[str]:
    """Say which differences the variant does not make; what the script alone has is among the approximations."""
    found: dict[str, str] = {}
    for row in comparison.differences:
        why = _why_left_out(row.path, row.right, "variants.as-hosted", refused)
        only_here = row.right is UNSET and _why_left_out(row.path, row.left, "baseline", refused)
        if why and not only_here:
            found[row.path] = f"{_described(row.right)} in the Space, {_described(row.left)} in the script; {why}"
    return [f"{path}: {words}" for path, words in found.items()]


def _described(setting: Setting) -> str:
    return UNSET.value if setting is UNSET else f"{setting.value!r} ({setting.where})"
