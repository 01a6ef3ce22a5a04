"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.reading import Reading
from spacediff.scenario.writing import comment, commented, toml_path, toml_value
from spacediff.settings import Origin, Setting, Settings, is_plain
from spacediff.why.adapter_names import with_local_paths, without_adapters, without_unloading
from spacediff.why.apart import changes_with_components, paths_said, with_components
from spacediff.why.approximations import (
    LeftOut,
    approximations_table,
    is_default,
    left_out,
    left_out_of_space,
    why_left_out,
)
from spacediff.why.compared import UNSET, ComparedSettings, SourceDifference
from spacediff.why.differences import matters
from spacediff.why.prompt_inputs import FindFile, no_file, prompt_inputs, without_inputs
from spacediff.why.questions import open_questions, other_questions
from spacediff.why.round_trip import Refused, loadable, misfits, reason_at
from spacediff.why.seeds import SEED, seeds_of
from spacediff.why.space_request import PLACEHOLDER, space_table

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Table

AS_HOSTED = "as-hosted"
"""The variant with what was read of the Space."""
_LONGEST_TITLE = 500
_NONE = Settings()
_MOST_SEEDS = 8
"""Seeds of a script that are named."""


def scenario_text(
    comparison: ComparedSettings,
    script: Reading,
    space: Reading,
    space_id: str,
    find: FindFile = no_file,
    *,
    versions: Settings = _NONE,
) -> str:
    """Return the scenario that measures the differences, as TOML.

    What the script does and the scenario cannot say is in `[[approximations]]`, at which an audit stops. What the
    variant does not say of the Space is in comments; where the variant stands for the Space, among the approximations.

    Args:
        comparison: What differs.
        script: What was read of the script: the baseline.
        space: What was read of the Space: its endpoint, and what differs there.
        space_id: The Space; empty where its clip is not fetched, and the variant with its settings stands for it.
        find: Finds the files of the script's pictures and videos.
        versions: Versions of libraries that the variant has, too.
    """
    theirs = with_local_paths(Settings({row.path: row.right for row in comparison.differences}))
    changes = without_adapters(dict(theirs), UNSET)
    changes = {**changes_with_components(changes, script.settings), **versions}
    said = _of_baseline(script, without_unloading(script.settings, changes))

    def write(refused: Refused) -> str:
        inputs = prompt_inputs(said, find, refused)
        baseline = without_inputs(said, inputs)
        document = _beginning(
            _titled("The script", space_id),
            _prompt_table(comparison.script, script, inputs, refused),
            _baseline_table(baseline, refused),
            _reference(space, space_id, refused, inputs),
        )
        _add_as_hosted(document, changes, "what was read of the Space, where it differs", refused)
        missing = left_out(script, baseline, refused)
        if space_id:
            _add_gate(document, comparison, changes, refused, space=space)
        else:
            missing += left_out_of_space(
                comparison,
                space,
                _unsaid(comparison, changes, refused),
                other_questions(comparison, script, space, changes),
            )
        return _with_approximations(document, missing)

    return loadable(write, misfits(said, changes, AS_HOSTED))


def script_text(
    comparison: ComparedSettings,
    script: Reading,
    space: Reading,
    space_id: str,
    *,
    baseline: Mapping[str, Any],
    find: FindFile = no_file,
) -> str:
    """Return the scenario whose baseline is the script itself: the variant puts in what was read of the Space.

    What cannot be put into a script is in comments.

    Args:
        comparison: What differs.
        script: What was read of the script: its prompt and seed.
        space: What was read of the Space.
        space_id: The Space; empty where the variant with its settings stands for it.
        baseline: The table of the baseline: `script`, and `args` where it has any.
        find: Finds the files of the script's pictures and videos, which the Space gets.
    """
    theirs = Settings({row.path: row.right for row in comparison.differences})
    changes = {path: each for path, each in theirs.items() if each is not UNSET}
    said = _of_baseline(script, script.settings)

    def write(refused: Refused) -> str:
        inputs = prompt_inputs(said, find, refused)
        own = tomlkit.table()
        own.update(tomlkit.item(dict(baseline)))
        document = _beginning(
            _titled("The script itself", space_id),
            _prompt_table(comparison.script, script, inputs, refused),
            own,
            _reference(space, space_id, refused, inputs),
        )
        as_read = "what was read of the Space, where it differs, as far as it can be put into a script"
        _add_as_hosted(document, changes, as_read, refused)
        if space_id:
            _add_gate(document, comparison, changes, refused, space=space)
            return document.as_string()
        unsaid = _unsaid(comparison, changes, refused)
        questions = other_questions(comparison, script, space, changes)
        return _with_approximations(document, left_out_of_space(comparison, space, unsaid, questions))

    return loadable(write, {})


def corrected_text(
    comparison: ComparedSettings,
    script: Reading,
    space: Reading,
    space_id: str,
    cause: Collection[str],
    *,
    find: FindFile = no_file,
    versions: Settings = _NONE,
) -> str:
    """Return the scenario whose baseline has the cause fixed: its gate asks whether that reproduces the Space.

    Args:
        comparison: What differs.
        script: What was read of the script.
        space: What was read of the Space.
        space_id: The Space; empty where a variant with its settings stands for it.
        cause: The paths of the settings that are the cause.
        find: Finds the files of the script's pictures and videos.
        versions: Versions of libraries that are part of the cause.
    """
    fixed = without_adapters(
        {
            row.path: row.right
            for row in comparison.differences
            if not paths_said(row.path, script.settings, space.settings).isdisjoint(cause)
        },
        UNSET,
    )
    own = without_unloading(script.settings, fixed)
    corrected = _of_baseline(script, _taken_back(own.changed_by(Settings(fixed)).changed_by(versions)))
    theirs = with_local_paths(Settings({row.path: row.right for row in comparison.differences}))
    changes = {**changes_with_components(without_adapters(dict(theirs), UNSET), script.settings), **versions}
    rest = {path: each for path, each in changes.items() if path not in fixed}

    def write(refused: Refused) -> str:
        inputs = prompt_inputs(corrected, find, refused)
        baseline = without_inputs(corrected, inputs)
        document = _beginning(
            _titled("The corrected script", space_id),
            _prompt_table(comparison.script, script, inputs, refused),
            _baseline_table(baseline, refused),
            _reference(space, space_id, refused, inputs),
        )
        missing = left_out(script, baseline, refused)
        if not space_id:  # with all values, so that a fix that is taken back fails the gate
            document.append("variants", _parent_of(AS_HOSTED, _variant(changes, "what was read of the Space", refused)))
            missing += left_out_of_space(
                comparison,
                space,
                _unsaid(comparison, rest, refused),
                other_questions(comparison, script, space, changes),
            )
        document.append("gate", tomlkit.item({"variant": "baseline"}))
        return _with_approximations(document, missing)

    return loadable(write, misfits(corrected, {} if space_id else changes, "" if space_id else AS_HOSTED))


def _of_baseline(script: Reading, settings: Settings) -> Settings:
    """Return what a baseline says, in a scenario's words and without arguments that are given their default None."""
    said = Settings({path: each for path, each in settings.items() if not is_default(path, each, script)})
    return with_components(with_local_paths(said))


def _taken_back(settings: Settings) -> Settings:
    """Return settings without those that the Space does not set."""
    return Settings({path: each for path, each in settings.items() if each is not UNSET})


def _with_approximations(document: TOMLDocument, found: list[LeftOut]) -> str:
    if found:
        document.add(comment("What was read and this scenario does not say. An audit stops here: say it above and"))
        document.add(comment("remove its entry, or accept the approximation with --approximate."))
        document.append("approximations", approximations_table(found))
    return document.as_string()


def _titled(subject: str, space_id: str) -> str:
    return f"{subject} against {space_id or 'the settings of the Space'}"[:_LONGEST_TITLE]


def _beginning(title: str, prompt: Table, baseline: Table, reference: Table) -> TOMLDocument:
    document = tomlkit.document()
    document.append("title", tomlkit.item(title))
    document.append("prompts", _parent_of("main", prompt))
    document.append("baseline", baseline)
    document.append("reference", reference)
    return document


def _reference(space: Reading, space_id: str, refused: Refused, files: Collection[str]) -> Table:
    """Return the table of the reference: the Space that is asked, or the variant that stands for it."""
    if space_id:
        return _parent_of("space", space_table(space, space_id, refused, files))
    table = tomlkit.table()
    table.comment("the settings of the Space's source, run on this machine; [reference.space] asks a Space itself")
    table.append("variant", AS_HOSTED)
    return table


def _parent_of(name: str, table: Table) -> Table:
    """Return a table that has no header of its own: `[parent.name]` alone is written."""
    parent = tomlkit.table(is_super_table=True)
    parent.append(name, table)
    return parent


def _prompt_table(script: Settings, reading: Reading, inputs: Mapping[str, Any], refused: Refused) -> Table:
    prompt = script.value("call.prompt")
    text = prompt if isinstance(prompt, str) and prompt.strip() and is_plain(prompt) else ""
    if not text or reason_at("prompts.main.text", refused):
        text = "write the prompt here"
    table = tomlkit.table()
    table.append("text", text)
    table.append("seed", _seed(reading))
    if inputs:
        table.append("inputs", toml_value(dict(inputs)))
    return table


def _seed(script: Reading) -> Item:
    """Return the script's seed; of several the first, with the others beside it."""
    seeds = seeds_of(script)
    if not seeds:
        return commented(tomlkit.item(42), "to be chosen: the script sets no seed that a scenario can hold")
    if len(seeds) == 1:
        return tomlkit.item(seeds[0])
    where = script.settings[SEED].where
    return commented(tomlkit.item(seeds[0]), f"the first of the script's {_few(seeds)} ({where})")


def _few(seeds: list[int]) -> str:
    more = f" and {len(seeds) - _MOST_SEEDS} more" if len(seeds) > _MOST_SEEDS else ""
    return f"{len(seeds)} seeds {', '.join(str(seed) for seed in seeds[:_MOST_SEEDS])}{more}"


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


def _add_as_hosted(document: TOMLDocument, changes: Mapping[str, Setting], said: str, refused: Refused) -> None:
    """Add the Space's settings as a variant, and the search between it and the baseline."""
    document.append("variants", _parent_of(AS_HOSTED, _variant(changes, said, refused)))
    document.append("explain", tomlkit.item({"from": "baseline", "to": AS_HOSTED}))


def _variant(changes: Mapping[str, Setting], said: str, refused: Refused) -> Table:
    hosted = tomlkit.table()
    hosted.comment(said)
    _add_settings(hosted, changes, f"variants.{AS_HOSTED}", refused)
    return hosted


def _add_gate(
    document: TOMLDocument,
    comparison: ComparedSettings,
    changes: Mapping[str, Setting],
    refused: Refused,
    *,
    space: Reading,
) -> None:
    """Add the gate, which asks whether the variant reproduces the Space, and what is open of that."""
    document.append("gate", tomlkit.item({"variant": AS_HOSTED}))
    for text in open_questions(comparison, space, changes):
        document.add(comment(f"open: {text}"))
    for row, reason in _unsaid(comparison, changes, refused):
        sides = f"{_described(row.right)} in the Space, {_described(row.left)} in the script"
        document.add(comment(f"open: {row.path}: {sides}; {reason}"))


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


def _unsaid(
    comparison: ComparedSettings, changes: Mapping[str, Setting], refused: Refused
) -> list[tuple[SourceDifference, str]]:
    """Return which differences the variant does not make, and why.

    What the script alone has is among the approximations of the script.
    """
    found = []
    for row in comparison.differences:
        if row.path not in changes:  # said in other words, or an adapter that the Space does not load
            continue
        why = _why_left_out(row.path, row.right, f"variants.{AS_HOSTED}", refused)
        only_here = row.right is UNSET and _why_left_out(row.path, row.left, "baseline", refused)
        if why and not only_here:
            found.append((row, why))
    return found


def _described(setting: Setting) -> str:
    return UNSET.value if setting is UNSET else f"{setting.value!r} ({setting.where})"
