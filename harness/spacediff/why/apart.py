"""Say in a scenario's words what a source loads separately from its pipeline: `components.NAME`, `vae.dtype`.

The reader gives one table for each such component, `load.vae = {class, id, subfolder, dtype}`, and one for what is
quantised. A scenario says only what differs from the pipeline's own component. A component that is converted after it
was loaded is not said: its weights were rounded to another dtype before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spacediff.hub.names import present_name
from spacediff.reading.signatures import class_defaults, component_class
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.compared import UNSET
from spacediff.why.quantised import configurations, gguf_dtype, quantisation_words
from spacediff.why.single_files import file_words

_PREFIX = "load."
_QUANTISATION = "load.quantization_config"
_KEYS = frozenset({"class", "id", "subfolder", "revision", "variant", "dtype", "file", "config"})
_DEFAULT_DTYPE = "float32"
"""In which diffusers loads a component whose dtype is not given."""
_OWN, _NONE, _LIBRARYS = "own", "none", "default"
"""In a scenario: the pipeline's own component, no quantisation, and the dtype that the library chooses."""


@dataclass(frozen=True)
class _Said:
    """What a scenario says of one component.

    Attributes:
        words: Path to value; None if it cannot say how the component is loaded.
        is_quantisation_said: Whether the words say how it is quantised, if it is.
    """

    words: dict[str, Any] | None
    is_quantisation_said: bool


def with_components(settings: Settings) -> Settings:
    """Return the settings of a source with its own tables of components in a scenario's words, where it has some."""
    said = _components(settings)
    rest = {path: each for path, each in settings.items() if not _is_said(path, said)}
    quantised = settings.get(_QUANTISATION)
    if quantised is not None and (each := configurations(quantised.value)):
        left = {part: one for part, one in each.items() if not said[part].is_quantisation_said}
        if left:
            rest[_QUANTISATION] = Setting(left, quantised.origin, quantised.where)
        else:
            del rest[_QUANTISATION]
    words = {
        path: _placed(path, part, value, settings) for part, one in said.items() for path, value in _words(one).items()
    }
    return Settings(rest).changed_by(Settings(words))


def changes_with_components(changes: Mapping[str, Setting], script: Settings) -> dict[str, Setting]:
    """Return what a variant changes, with components in a scenario's words.

    A variant keeps what the baseline says. So where the Space has the pipeline's own component, the variant says so, or
    the dtype of the Space's pipeline where only the dtype differs.

    Args:
        changes: Path to the Space's value.
        script: The settings of the script.
    """
    space = Settings({path: each for path, each in {**script, **changes}.items() if each is not UNSET})
    ours, theirs = _components(script), _components(space)
    result, kept = dict(changes), False
    for part in sorted({*ours, *theirs}):
        before, after = ours.get(part, _Said({}, True)), theirs.get(part, _Said({}, True))  # noqa: FBT003 - all is said
        changed = _changed(part, before, after, space)
        if changed is None:
            kept |= any(part in configurations(side.value(_QUANTISATION)) for side in (script, space))
            continue
        kept |= not (before.is_quantisation_said and after.is_quantisation_said)
        result.pop(f"{_PREFIX}{part}", None)
        result |= {path: _placed(path, part, value, space) for path, value in changed.items()}
    if not kept and all(_QUANTISATION not in side or _is_by_part(side) for side in (script, space)):
        result.pop(_QUANTISATION, None)
    return result


def paths_said(path: str, *sides: Settings) -> set[str]:
    """Return the paths under which a scenario says a setting of either source."""
    words = words_said(path, *sides)
    whole = {f"components.{each.split('.')[1]}" for each in words if each.startswith("components.")}
    whole |= {f"{each}.quantization" for each in whole} if path == _QUANTISATION else set()
    return {path, *words, *whole}


def words_said(path: str, *sides: Settings) -> list[str]:
    """Return the paths of a scenario that say how a component is loaded or quantised; none for another setting.

    Args:
        path: Path of a setting as it is read of a source.
        sides: The settings of one source, or of several.
    """
    found = {
        each
        for side in sides
        for part, one in _components(side).items()
        for each in _words(one)
        if path in {_QUANTISATION, f"{_PREFIX}{part}"} and (path == _QUANTISATION) is _is_quantisation(each)
    }
    return sorted(found)


def why_not_said(value: Mapping[str, Any], owner: str) -> str:
    """Return why a scenario does not say how a component is loaded.

    Args:
        value: What was read of it.
        owner: The table of the scenario, such as `baseline`.
    """
    if "file" in value and file_words(str(value["file"])) is None:
        return "a scenario takes .safetensors and .gguf files: a path, or a file on the Hub"
    unknown = sorted(value.keys() - _KEYS - {"converted_from", "from"})
    if "class" in value and unknown:
        return f"a scenario does not load a component with {', '.join(unknown)}"
    if "class" in value and value.keys() <= _KEYS:
        is_first = owner == "baseline"
        return (
            "a scenario does not load a component so"
            if is_first
            else "a variant cannot take back what the script loads"
        )
    return "a scenario loads a component in its dtype, and converts none afterwards"


def _components(settings: Settings) -> dict[str, _Said]:
    """Return what a scenario says of each component that a source loads separately, or quantises."""
    quantised = settings.get(_QUANTISATION)
    each = configurations(quantised.value) if quantised is not None else {}
    loaded = {
        path.removeprefix(_PREFIX): one.value
        for path, one in settings.items()
        if path.startswith(_PREFIX) and path != _QUANTISATION and isinstance(one.value, Mapping)
    }
    return {part: _said(part, loaded.get(part), each.get(part), settings) for part in sorted({*loaded, *each})}


def _said(part: str, table: Mapping[str, Any] | None, configuration: Any, settings: Settings) -> _Said:
    of_gguf = gguf_dtype(configuration)
    words = _loading(part, table, of_gguf, settings) if table is not None else {}
    is_unknown = f"{_PREFIX}{part}" in settings and table is None
    if words is None or is_unknown:
        return _Said(None, is_quantisation_said=False)
    if of_gguf is not None:  # said by the file
        return _Said(words, f"components.{part}.file" in words)
    quantisation = quantisation_words(configuration)
    if quantisation is None:
        return _Said(words, configuration is None)
    said = Settings.of({"components": {part: {"quantization": quantisation}}}, Origin.READ)
    return _Said(words | {path: each.value for path, each in said.items()}, is_quantisation_said=True)


def _loading(part: str, table: Mapping[str, Any], of_gguf: str | None, settings: Settings) -> dict[str, Any] | None:
    """Return path to value as a scenario says how a component is loaded; None if it cannot."""
    if "class" not in table or table.keys() - _KEYS or not all(isinstance(each, str) for each in table.values()):
        return None
    own = dict(table)
    dtype = own.pop("dtype", None) or of_gguf or (_DEFAULT_DTYPE if class_defaults(table["class"]) else _LIBRARYS)
    if part == "vae" and dtype == _LIBRARYS:
        return None
    if "file" in own:
        file = _file(part, own, settings)
        if file is None or (of_gguf or dtype) != dtype or file["file"].endswith(".gguf") is (of_gguf is None):
            return None
        own = file
    elif "config" in own:
        return None
    elif _is_in_the_checkpoint(part, own, settings):
        usual = {"id", "subfolder", *({"class"} if _is_usual_class(part, own["class"], settings) else ())}
        own = {key: value for key, value in own.items() if key not in usual}
    words = {f"components.{part}.{key}": each for key, each in own.items()}
    if dtype != settings.value("model.dtype", _DEFAULT_DTYPE):
        words["vae.dtype" if part == "vae" else f"components.{part}.dtype"] = dtype
    return words


def _file(part: str, own: Mapping[str, str], settings: Settings) -> dict[str, str] | None:
    """Return the keys for a component whose weights are one file; None if a scenario has no such keys."""
    place = file_words(f"{own['id']}/{own['file']}" if "id" in own else own["file"])
    if place is None or "variant" in own:
        return None
    others = {key: own[key] for key in ("class", "revision") if key in own}
    config, subfolder = own.get("config"), own.get("subfolder", "")
    if config is None or (present_name(config) == present_name(str(settings.value("model.id")))):
        return {**others, **place} if subfolder in {"", part} and (config is None or subfolder) else None
    return None if subfolder else {**others, **place, "config": config}


def _is_in_the_checkpoint(part: str, own: Mapping[str, Any], settings: Settings) -> bool:
    model = settings.value("model.id")
    if "revision" in own or "id" not in own or not isinstance(model, str):
        return False
    return present_name(str(own["id"])) == present_name(model) and own.get("subfolder") == part


def _is_usual_class(part: str, name: str, settings: Settings) -> bool:
    """Whether a class is the one of the pipeline's own component, as far as the pipeline's constructor says."""
    return component_class(str(settings.value("model.pipeline", "")), part) in {name, ""}


def _changed(part: str, before: _Said, after: _Said, space: Settings) -> dict[str, Any] | None:
    """Return what a variant says of a component where the baseline says something else; None if it cannot."""
    if before.words is None or after.words is None:
        return None
    new = {path: value for path, value in after.words.items() if before.words.get(path) != value}
    lost = {path for path in before.words if path not in after.words}
    quantised = {path for path in lost if _is_quantisation(path)}
    if quantised and any(map(_is_quantisation, after.words)):  # a table cannot lose a key
        return None
    if quantised:
        new[f"components.{part}.quantization"] = _NONE
    dtypes = {path for path in lost if path.endswith(".dtype")}
    whole = lost - quantised - dtypes
    if whole and not any(path.startswith("components.") for path in after.words):
        new = {path: value for path, value in new.items() if not path.startswith("components.")}
        new[f"components.{part}"] = _OWN
        dtypes &= {"vae.dtype"}
    elif whole:
        restored = _restored(part, {path.rpartition(".")[2] for path in whole}, space)
        if restored is None:
            return None
        new |= restored
    if dtypes and "model.dtype" not in space:
        return None
    return new | dict.fromkeys(dtypes, space.value("model.dtype"))


def _restored(part: str, lost: set[str], space: Settings) -> dict[str, Any] | None:
    """Return the keys of a component that the baseline has and the Space's pipeline decides; None if one is not known.

    Args:
        part: The component.
        lost: The keys that a scenario would not say for the Space.
        space: The settings of the Space.
    """
    table = space.value(f"{_PREFIX}{part}")
    named = table["class"] if isinstance(table, Mapping) else component_class(str(space.value("model.pipeline")), part)
    if lost == {"class"}:
        return {f"components.{part}.class": named} if named else None
    own = {
        "id": space.value("model.id"),
        "subfolder": part,
        "class": named,
        "revision": space.value("model.revision", "main"),
    }
    found = {f"components.{part}.{key}": own.get(key) for key in {*lost, "subfolder"}}
    return found if "id" in lost and all(found.values()) else None


def _is_said(path: str, said: Mapping[str, _Said]) -> bool:
    one = said.get(path.removeprefix(_PREFIX)) if path.startswith(_PREFIX) else None
    return one is not None and one.words is not None


def _words(one: _Said) -> dict[str, Any]:
    return one.words or {}


def _is_quantisation(path: str) -> bool:
    return path.startswith("components.") and ".quantization" in path


def _is_by_part(settings: Settings) -> bool:
    return bool(configurations(settings.value(_QUANTISATION)))


def _placed(path: str, part: str, value: Any, settings: Settings) -> Setting:
    """Return a value with the place at which the source says it."""
    at = _QUANTISATION if _is_quantisation(path) else f"{_PREFIX}{part}"
    read = settings.get(at) or settings.get("model.dtype")
    return Setting(value, Origin.READ, read.where if read is not None else "")
