"""Seed and prompt, which a user enters in the Space: when they are settings all the same, and what to enter.

An audit sends its own prompt and seed to the Space. That makes both sides equal only where the Space takes them.
"""

from __future__ import annotations

from spacediff.catalogue.lookup import cause_named
from spacediff.reading import Input, Reading
from spacediff.settings import Origin, Setting
from spacediff.why.effects import Agreement, Effect

RANDOM_SEED = "random seed"
"""The kind of effect of a seed that a side draws itself."""
SEED = "rng.seed"
_PROMPT = "call.prompt"
_FIXED = frozenset({SEED, _PROMPT})
"""Settings that a user of the Space usually gives."""
_FIRST_TOO_LARGE = 2**63
_MATERIAL = frozenset({"image", "imageeditor", "imageslider", "video", "file", "gallery", "uploadbutton"})
"""Components, in lower case, through which a user gives pictures and clips."""


def is_fixed(path: str, script: Reading, space: Reading) -> bool:
    """Return whether a value that a user usually gives is written in both sources, so that it differs for certain.

    A seed that the Space computes from the one that is entered counts as written too.
    """
    if path not in _FIXED:
        return False
    is_read = all(path in side.settings and side.settings[path].origin is Origin.READ for side in (script, space))
    if path == SEED:
        asked = space.inputs.get(path)
        return is_read and (asked is None or asked.default not in {None, space.settings.value(path)})
    return is_read and path not in space.inputs and path not in script.inputs


def random_seeds(script: Reading, space: Reading) -> list[Effect]:
    """Return what a random seed of either side makes; empty if neither draws one by default.

    Where both draw one they do the same, and their clips differ all the same.
    """
    ours, theirs = _random(script), _random(space)
    if not ours and not theirs:
        return []
    agreement = Agreement.BOTH if ours and theirs else Agreement.SCRIPT_ONLY if ours else Agreement.SPACE_ONLY
    known = cause_named("random-seed") if theirs and SEED in space.inputs else cause_named("unseeded")
    return [Effect(RANDOM_SEED, agreement, ours, theirs, known, certain=agreement is not Agreement.BOTH)]


def computed_prompt(space: Reading) -> list[Effect]:
    """Return that the Space may generate from another text than the user's; empty if it does not compute the prompt."""
    if not is_computed(_PROMPT, space) or _PROMPT not in space.unknowns:
        return []
    line = f"{space.unknowns[_PROMPT]} ({space.settings[_PROMPT].where})"
    return [Effect("prompt", Agreement.SPACE_ONLY, (), (line,), cause_named("prompt-template"), certain=False)]


def is_unseeded(path: str, space: Reading) -> bool:
    """Return whether a difference of the generator's device only says again that the Space has no generator at all."""
    return path == "rng.device" and space.settings.value(path) == "global" and bool(_random(space))


def seeds_of(reading: Reading) -> list[int]:
    """Return the seeds of a source in order: one, or those that a loop goes through; none if any is unknown."""
    seed = reading.settings.get(SEED)
    if seed is None:
        return []
    each = [seed] if seed.origin is Origin.READ else _in_turn(reading)
    known = [one.value for one in each if one.origin is Origin.READ and is_seed(one.value)]
    return known if len(known) == len(each) else []


def _in_turn(reading: Reading) -> list[Setting]:
    """Return the values that the seed has without a condition."""
    alternatives = reading.alternatives.get(SEED, [])
    return [] if any(one.only_if for one in alternatives) else [one.setting for one in alternatives]


def is_seed(value: object) -> bool:
    """Return whether a scenario takes a value as a seed."""
    return type(value) is int and 0 <= value < _FIRST_TOO_LARGE


def seed_to_enter(script: Reading, space: Reading) -> list[str]:
    """Return what to enter in the Space so that it uses the script's seed; empty if nothing is to be entered."""
    ours, asked, seeds = script.settings.get(SEED), space.inputs.get(SEED), seeds_of(script)
    if ours is None or not seeds or asked is None:
        return []
    field, first = _field(asked), seeds[0]
    if _random(space) and isinstance(asked.default, int) and asked.default < 0:
        return [f"the Space's seed is {asked.default}, which means a random one: enter {first} at {field}"]
    if _random(space):
        return [f"the Space draws a random seed by default: switch that off, and enter {first} at {field}"]
    if asked.default == first:
        return []
    usual = f"is {asked.default} by default" if asked.default is not None else "has no default"
    chosen = "as in the script" if len(seeds) == 1 else f"the first of the script's {len(seeds)} seeds"
    return [f"the Space's seed {usual}: enter {first} at {field}, {chosen} ({ours.where})"]


def user_values_to_enter(script: Reading, space: Reading) -> list[str]:
    """Return what else a user enters in the Space, so that both sides work from the same: the prompt, a picture.

    Another prompt by default is to be replaced, as another seed is.
    """
    notes = []
    for path, asked in space.inputs.items():
        ours = script.settings.get(path)
        is_another_prompt = path == _PROMPT and ours is not None and asked.default != ours.value
        if ours is not None and (is_users(path, space) or is_another_prompt):
            value = f" ({ours.value!r}, {ours.where})" if ours.origin is Origin.READ else f" ({ours.where})"
            notes.append(f"{path} is the user's in the Space: enter the script's{value} at {_field(asked)}")
    return notes


def is_users(path: str, space: Reading) -> bool:
    """Return whether a value is what the user of the Space works from, and the Space has none of its own."""
    asked = space.inputs.get(path)
    is_material = path == _PROMPT or (path.startswith("call.") and asked and asked.kind.lower() in _MATERIAL)
    return bool(is_material) and asked is not None and not asked.default


def is_computed(path: str, space: Reading) -> bool:
    """Return whether the Space computes a value that a user usually gives, so that it is not known."""
    setting = space.settings.get(path)
    unknown = setting is not None and setting.origin is Origin.UNKNOWN
    return path in _FIXED and unknown and path not in space.inputs and not (path == SEED and _random(space))


def _field(asked: Input) -> str:
    return f"{asked.label!r}" if asked.label else f"its {asked.kind} ({asked.where})"


def _random(reading: Reading) -> tuple[str, ...]:
    """Return why the seed of a source is random by default; empty if it is not."""
    seed = reading.settings.get(SEED)
    if seed is not None and seed.origin is not Origin.UNKNOWN:
        return ()
    notes = [note for note in reading.notes if note.kind == "random" and note.text.startswith(SEED) and note.usual]
    return tuple(f"{note.text.partition(': ')[2]} ({note.where})" for note in notes[:1])
