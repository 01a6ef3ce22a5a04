"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.hub.ids import is_repository_id
from spacediff.reading import Reading
from spacediff.scenario.writing import comment, commented, toml_path, toml_value
from spacediff.settings import Origin, Setting, Settings, is_plain
from spacediff.why.adapter_names import with_local_paths, without_adapters, without_unloading
from spacediff.why.apart import changes_with_components, paths_said, with_components
from spacediff.why.approximations import approximations_table, is_default, left_out, why_left_out
from spacediff.why.compared import UNSET, ComparedSettings
from spacediff.why.differences import matters
from spacediff.why.prompt_inputs import FindFile, no_file, prompt_inputs, without_inputs
from spacediff.why.round_trip import Refused, loadable, misfits, reason_at
from spacediff.why.seeds import SEED, seeds_of
from spacediff.why.space_request import PLACEHOLDER, space_table
from spacediff.why.versions import differing_versions

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item, Table

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

    What the script does and the scenario cannot say is in `[[approximations]]`, at which an audit stops; what the
    variant does not say of the Space is in comments.

    Args:
        comparison: What differs.
        script: What was read of the script: the baseline.
        space: What was read of the Space: its endpoint, and what differs there.
        space_id: The Space; any other text leaves a placeholder to be filled in.
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
            space_table(space, space_id, refused, inputs),
        )
        _add_as_hosted(
            document, comparison, changes, "what was read of the Space, where it differs", refused, space=space
        )
        return _with_approximations(document, script, baseline, refused)

    return loadable(write, misfits(said, changes, "as-hosted"))


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
        space_id: The Space.
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
            space_table(space, space_id, refused, inputs),
        )
        as_read = "what was read of the Space, where it differs, as far as it can be put into a script"
        _add_as_hosted(document, comparison, changes, as_read, refused, space=space)
        return document.as_string()

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
        space_id: The Space; any other text leaves a placeholder to be filled in.
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

    def write(refused: Refused) -> str:
        inputs = prompt_inputs(corrected, find, refused)
        baseline = without_inputs(corrected, inputs)
        document = _beginning(
            _titled("The corrected script", space_id),
            _prompt_table(comparison.script, script, inputs, refused),
            _baseline_table(baseline, refused),
            space_table(space, space_id, refused, inputs),
        )
        document.append("gate", tomlkit.item({"variant": "baseline"}))
        return _with_approximations(document, script, baseline, refused)

    return loadable(write, misfits(corrected, {}, ""))


def _of_baseline(script: Reading, settings: Settings) -> Settings:
    """Return what a baseline says, in a scenario's words and without arguments that are given their default None."""
    said = Settings({path: each for path, each in settings.items() if not is_default(path, each, script)})
    return with_components(with_local_paths(said))


def _taken_back(settings: Settings) -> Settings:
    """Return settings without those that the Space does not set."""
    return Settings({path: each for path, each in settings.items() if each is not UNSET})


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


def _add_as_hosted(
    document: TOMLDocument,
    comparison: ComparedSettings,
    changes: Mapping[str, Setting],
    said: str,
    refused: Refused,
    *,
    space: Reading,
) -> None:
    """Add the Space's settings as a variant, the search between it and the baseline, its gate, and what is open."""
    hosted = tomlkit.table()
    hosted.comment(said)
    _add_settings(hosted, changes, "variants.as-hosted", refused)
    document.append("variants", _parent_of("as-hosted", hosted))
    document.append("explain", tomlkit.item({"from": "baseline", "to": "as-hosted"}))
    document.append("gate", tomlkit.item({"variant": "as-hosted"}))
    tested = {each.question for each in differing_versions(space) if each.path in changes}
    open_questions = [each for each in comparison.questions if each not in tested]
    for question in [*open_questions, *_differences_left_out(comparison, changes, refused)]:
        document.add(comment(f"open: {question}"))


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


def _differences_left_out(comparison: ComparedSettings, changes: Mapping[str, Setting], refused: Refused) -> list[str]:
    """Say which differences the variant does not make; what the script alone has is among the approximations."""
    found: dict[str, str] = {}
    for row in comparison.differences:
        if row.path not in changes:  # said in other words, or an adapter that the Space does not load
            continue
        why = _why_left_out(row.path, row.right, "variants.as-hosted", refused)
        only_here = row.right is UNSET and _why_left_out(row.path, row.left, "baseline", refused)
        if why and not only_here:
            found[row.path] = f"{_described(row.right)} in the Space, {_described(row.left)} in the script; {why}"
    return [f"{path}: {words}" for path, words in found.items()]


def _described(setting: Setting) -> str:
    return UNSET.value if setting is UNSET else f"{setting.value!r} ({setting.where})"
