"""What a script or a Space does and a scenario cannot say: settings without a place there, unknown ones, and notes.

A scenario that leaves something out is not the script, and what it measures says nothing of the script. So the list
goes into the scenario itself, where an audit stops at it. The same holds of a Space that a variant stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.catalogue.pipelines import GENERIC
from spacediff.inputs.files import is_media
from spacediff.privacy.redaction import redact_text
from spacediff.scenario.literals import is_sayable
from spacediff.scenario.owned import NOT_AT_LOADING, RUNS_CODE
from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.settings import SettingsTables
from spacediff.scenario.writing import one_line
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.apart import why_not_said
from spacediff.why.compared import UNSET
from spacediff.why.defaults import defaults_of_call
from spacediff.why.differences import matters
from spacediff.why.effects import ABOUT_READING
from spacediff.why.prompt_inputs import NOT_BESIDE
from spacediff.why.quantised import NOT_SAID, configurations
from spacediff.why.round_trip import Refused, reason_at
from spacediff.why.seeds import RANDOM_SEED, SEED

if TYPE_CHECKING:
    from tomlkit.items import AoT

    from spacediff.reading import Note, Reading
    from spacediff.why.compared import ComparedSettings, SourceDifference

_DECLARABLE = frozenset(SettingsTables.model_fields)
_LONGEST = 300
"""Characters of a value."""


@dataclass(frozen=True)
class LeftOut:
    """One thing that a scenario leaves out.

    Attributes:
        setting: Dotted path, or the kind of a note.
        value: What the script has there, as text.
        where: File and line.
        reason: Why the scenario does not say it; may be empty.
        of_space: Whether the Space has it, and not the script.
    """

    setting: str
    value: str
    where: str
    reason: str
    of_space: bool = False


def why_left_out(path: str, value: Any, owner: str, refused: Refused) -> str:
    """Return why a scenario cannot hold a value; empty where it can.

    Args:
        path: Dotted path of the setting.
        value: Its value.
        owner: The table of the scenario, such as `baseline`.
        refused: What is known to be refused.
    """
    if path.split(".", 1)[0] not in _DECLARABLE:
        return "a scenario has no such setting"
    if path in RUNS_CODE and value:
        return "it runs code of others, so it is not written; add it by hand if you trust that code"
    if path in NOT_AT_LOADING:
        return NOT_SAID if configurations(value) else NOT_AT_LOADING[path]
    if path.startswith("load.") and isinstance(value, Mapping):
        return why_not_said(value, owner)
    if path.startswith("call.") and is_media(value):
        return reason_at(f"prompts.main.inputs.{path.removeprefix('call.')}", refused) or _unfound(owner, path, refused)
    return reason_at(f"{owner}.{path}", refused) or ("" if is_sayable(path, value) else "a scenario has no such value")


def _unfound(owner: str, path: str, refused: Refused) -> str:
    """Return why a picture or video is not an input of the prompt: no such argument, or no such file."""
    reason = reason_at(f"{owner}.{path}", refused)
    return reason if reason and "no file here" not in reason else NOT_BESIDE


def left_out(script: Reading, baseline: Settings, refused: Refused) -> list[LeftOut]:
    """Return what a scenario with this baseline leaves out of what was read of the script.

    Args:
        script: What was read of the script.
        baseline: The settings of the baseline, which may be corrected ones.
        refused: What is known to be refused.
    """
    settings = [*_settings_left_out(script, baseline, refused)]
    places = {one.where for one in settings}
    notes = [
        LeftOut(note.kind, f"{note.text}{f', only if {note.only_if}' if note.only_if else ''}", note.where, "")
        for note in script.notes
        if note.kind not in ABOUT_READING
        and note.usual
        and note.where not in places
        and note.setting not in script.settings
        and not _is_single_file(note, script, baseline)
    ]
    doubts = [LeftOut("the call that was read", text, script.called_at, "") for text in script.undecided]
    return [*settings, *_seeds_of_one_call(script), *notes, *doubts]


def left_out_of_space(
    found: ComparedSettings,
    space: Reading,
    unsaid: Iterable[tuple[SourceDifference, str]],
    questions: Iterable[str] = (),
) -> list[LeftOut]:
    """Return what a variant leaves out of what was read of the Space, where it stands for the Space.

    Args:
        found: What differs.
        space: What was read of the Space.
        unsaid: Differences that the variant does not make, and why.
        questions: What else is open, such as whether the version of a library matters.
    """
    unknown = [
        LeftOut(
            row.path,
            f"unknown: {space.unknowns.get(row.path, 'only the Space shows it')}",
            row.right.where,
            "",
            of_space=True,
        )
        for row in found.unknown
        if row.right.origin is Origin.UNKNOWN and not row.path.startswith("output.")
    ]
    settings = [
        LeftOut(
            row.path,
            UNSET.value if row.right is UNSET else repr(row.right.value),
            row.right.where,
            reason,
            of_space=True,
        )
        for row, reason in unsaid
    ]
    effects = [
        LeftOut(effect.kind, "; ".join(effect.space), "its source", "a scenario has no such setting", of_space=True)
        for effect in found.effects
        if effect.space and effect.kind != RANDOM_SEED
    ]
    doubts = [LeftOut("the call that was read", text, space.called_at, "", of_space=True) for text in space.undecided]
    open_ = [LeftOut("an open question", text, "its source", "", of_space=True) for text in questions]
    return [*unknown, *settings, *effects, *doubts, *open_]


def _seeds_of_one_call(script: Reading) -> Iterator[LeftOut]:
    """Yield the seeds of a call that gives each of its pictures a generator of its own."""
    seed = script.settings.get(SEED)
    if seed is not None and isinstance(seed.value, list):
        yield LeftOut(SEED, str(seed.value), seed.where, "a scenario has one seed for all pictures of a call")


def _is_single_file(note: Note, script: Reading, baseline: Settings) -> bool:
    """Whether a note says that the weights come from a single file, and `model.id` and `model.pipeline` say it too."""
    model, pipeline = baseline.value("model.id"), baseline.value("model.pipeline")
    is_said = isinstance(model, str) and is_path(model) and model.endswith(".safetensors") and pipeline not in GENERIC
    return note.kind == "checkpoint" and is_said and [one.kind for one in script.notes].count(note.kind) == 1


def _settings_left_out(script: Reading, baseline: Settings, refused: Refused) -> Iterator[LeftOut]:
    for path, setting in baseline.items():
        if not matters(path) or is_default(path, setting, script):
            continue
        if setting.origin is Origin.UNKNOWN:
            if not path.startswith("output."):  # clips are compared in the encoding of the Space's file
                words = script.unknowns.get(path, "only running the script would show it")
                yield LeftOut(path, f"unknown: {words}", setting.where, "")
        elif reason := why_left_out(path, setting.value, "baseline", refused):
            yield LeftOut(path, _described(setting.value, baseline), setting.where, reason)


def is_default(path: str, setting: Setting, script: Reading) -> bool:
    """Whether a script passes None to an argument whose default it is."""
    table, _, name = path.partition(".")
    if table != "call" or setting.value is not None or setting.origin is not Origin.READ:
        return False
    is_known = bool(script.signature) or name in script.own_defaults
    return is_known and defaults_of_call(script).get(name) is None


def _described(value: Any, baseline: Settings) -> str:
    """Describe a value; of a part that is loaded or converted by itself, what differs from the pipeline."""
    if not isinstance(value, Mapping) or value.keys().isdisjoint({"class", "dtype"}):
        return repr(value)
    usual = {"class", "subfolder", *({"id"} if value.get("id") == baseline.value("model.id") else ())}
    own = {key: item for key, item in value.items() if key not in usual}
    dtype = own.pop("dtype", None)
    words = [*([str(dtype)] if dtype else []), *(f"{key} = {item!r}" for key, item in own.items())]
    return ", ".join(words) or f"{value['class']}, loaded by itself"


def approximations_table(found: list[LeftOut]) -> AoT:
    """Return the tables `[[approximations]]` of a scenario."""
    tables = tomlkit.aot()
    for one in found:
        table = tomlkit.table()
        if one.of_space:
            table.append("of", "space")
        for key, text in {"setting": one.setting, "value": one.value, "where": one.where, "reason": one.reason}.items():
            if text or key != "reason":
                table.append(key, _short(text) or "not known")
        tables.append(table)
    return tables


def _short(text: str) -> str:
    line = one_line(redact_text(text)).strip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
