"""What the two sources do besides their settings: rewriting a prompt, upscaling, caching, loading other weights.

Reading finds such things as notes. They have no values that could be compared, but a source that does one and a source
that does not give different clips. So each kind of note is compared: absent on one side, done differently, or perhaps
done differently.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from spacediff.catalogue.lookup import Cause, cause_named
from spacediff.reading import Reading
from spacediff.reading.model import NoteKind
from spacediff.settings import Origin, Setting

ABOUT_READING: frozenset[NoteKind] = frozenset({
    "machine", "no pipeline", "not read", "not read to the end", "random", "refused argument",
})  # fmt: skip
"""Kinds of notes about how a source was read, or about settings that are compared by themselves."""
_COMPARED_AS_SETTINGS = frozenset({"lora", "numerics", "load", "offload", "vae", "scheduler", "ip_adapter"})
"""Tables of settings that say in values what a note of the same line says in words."""
CAUSES: dict[str, str] = {
    "LoRA": "lora-scale", "attention": "attention-backend", "caching": "caching", "checkpoint": "model",
    "compile": "compile", "frame interpolation": "frame-interpolation", "input resizing": "resizing",
    "post-processing": "post-processing", "prompt rewriting": "prompt-rewriting", "prompt template": "prompt-template",
    "quantisation": "quantisation", "resizing": "resizing", "reused generator": "reused-generator",
    "upscaling": "upscaling", "weights replaced": "model",
}  # fmt: skip
"""Kind of a note to the entry of the catalogue."""
_MAY_ONLY_WATCH = frozenset({"call.callback", "call.callback_on_step_end"})
"""Arguments that may change every step, or only show its progress."""
_MATERIAL = _MAY_ONLY_WATCH | {
    "call.latents", "call.prompt_embeds", "call.negative_prompt_embeds", "call.pooled_prompt_embeds",
    "call.ip_adapter_image_embeds", "call.image_embeds", "call.noise",
}  # fmt: skip
"""Arguments that are tensors or functions."""
_LONGEST = 160
"""Characters of a note's text in a comparison."""


class Agreement(StrEnum):
    """How two sources agree on one kind of thing that they do."""

    SCRIPT_ONLY = "only the script does it"
    BOTH = "both do it, each run anew"
    SPACE_ONLY = "only the Space does it"
    DIFFERENT = "both do it, differently"
    UNDECIDED = "both do it, perhaps differently"


@dataclass(frozen=True)
class Effect:
    """One kind of thing that a source does besides its settings, and on which the two do not agree for certain.

    Attributes:
        kind: The kind of the note, such as `prompt rewriting`.
        agreement: How the two sides compare.
        script: What the script does, each with file and line; empty if nothing.
        space: What the Space does.
        known: What is known about such a difference; None if nothing is.
        certain: Whether the two sides certainly differ.
    """

    kind: str
    agreement: Agreement
    script: tuple[str, ...]
    space: tuple[str, ...]
    known: Cause | None
    certain: bool = True


@dataclass(frozen=True)
class _Deed:
    """Something that a source does besides its settings.

    Attributes:
        kind: The kind of its note; for what has none, a few words.
        text: The expression, or a sentence.
        where: File and line.
        only_if: The condition for it; empty if there is none.
        perhaps: Whether it is unknown if the default inputs lead there.
    """

    kind: str
    text: str
    where: str
    only_if: str = ""
    perhaps: bool = False


def differing_effects(script: Reading, space: Reading) -> list[Effect]:
    """Return each kind of thing that the sources do besides their settings and do not certainly do alike.

    What happens only for other inputs than the default ones is not counted.
    """
    ours, theirs = _effective(script), _effective(space)
    kinds = sorted({note.kind for note in (*ours, *theirs)})
    found = (
        _compared(kind, [note for note in ours if note.kind == kind], [note for note in theirs if note.kind == kind])
        for kind in kinds
    )
    return [effect for effect in found if effect is not None]


def _effective(reading: Reading) -> list[_Deed]:
    """Return what the default inputs lead to, without what settings express, and the stages besides the main call."""
    expressed = {
        setting.where for path, setting in reading.settings.items() if path.partition(".")[0] in _COMPARED_AS_SETTINGS
    }
    known = {path for path, setting in reading.settings.items() if setting.origin is not Origin.UNKNOWN}
    has_lora = any(path.startswith("lora.") for path in reading.settings)
    notes = [
        _Deed(note.kind, note.text, note.where, note.only_if, note.perhaps)
        for note in reading.notes
        if note.usual
        and note.kind not in ABOUT_READING
        and note.where not in expressed
        and note.setting not in known
        and not (note.kind == "LoRA" and has_lora)
    ]
    noted = {note.where for note in notes}
    arguments = [
        _Deed(f"argument {path.removeprefix('call.')}", reading.unknowns.get(path, str(setting.value)), setting.where,
              perhaps=path in _MAY_ONLY_WATCH)
        for path, setting in reading.settings.items()
        if _is_material(path, setting)
    ]  # fmt: skip
    stages = [
        _Deed("second pipeline", call.pipeline, call.where, call.only_if, perhaps=call.usual is None)
        for call in reading.calls
        if call.role == "stage" and call.usual is not False and call.where not in noted
    ]
    return notes + stages + arguments


def _is_material(path: str, setting: Setting) -> bool:
    """Whether a call is given something that changes the clip and that a scenario has no value for."""
    if path == "call.output_type":
        return bool(setting.value == "latent")
    return path in _MATERIAL and (setting.value is not None or setting.origin is Origin.UNKNOWN)


def _compared(kind: str, ours: Sequence[_Deed], theirs: Sequence[_Deed]) -> Effect | None:
    own, other = (Counter(_canonical(note.text) for note in side) for side in (ours, theirs))
    if own == other:
        return None
    only_here, only_there = own - other, other - own
    if not ours or not theirs:
        agreement = Agreement.SCRIPT_ONLY if ours else Agreement.SPACE_ONLY
    elif kind == "second pipeline" or (
        not kind.startswith("argument ") and all(_is_literal(text) for text in (*only_here, *only_there))
    ):
        agreement = Agreement.DIFFERENT
    else:
        agreement = Agreement.UNDECIDED
    happens = any(
        not deed.perhaps
        for side, texts in ((ours, only_here), (theirs, only_there))
        for deed in side
        if _canonical(deed.text) in texts
    )
    return Effect(
        kind,
        agreement,
        _lines(ours, only_here),
        _lines(theirs, only_there),
        cause_named(CAUSES[kind]) if kind in CAUSES else None,
        certain=agreement is not Agreement.UNDECIDED and happens and kind != "LoRA",
    )


def _lines(deeds: Iterable[_Deed], texts: Collection[str]) -> tuple[str, ...]:
    """Return what is done with these texts, each as one line."""
    return tuple(_line(deed) for deed in deeds if _canonical(deed.text) in texts)


def _line(deed: _Deed) -> str:
    text = deed.text if len(deed.text) <= _LONGEST else f"{deed.text[:_LONGEST]}…"
    condition = f", {'perhaps ' * deed.perhaps}if {deed.only_if}" if deed.only_if else ""
    return f"{text} ({deed.where}{condition})"


def _canonical(text: str) -> str:
    """Return a call without the name of its pipeline and with its keywords in order; any other text as it is."""
    call = _call_in(text)
    if call is None:
        return text
    if isinstance(call.func, ast.Attribute):
        call.func.value = ast.Name("pipe")
    call.keywords.sort(key=lambda each: each.arg or "")
    return ast.unparse(call)


def _is_literal(text: str) -> bool:
    """Whether a text is a call whose arguments are all written out, so that another text is another effect."""
    call = _call_in(text)
    if call is None:
        return False
    try:
        for value in (*call.args, *(each.value for each in call.keywords)):
            ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _call_in(text: str) -> ast.Call | None:
    try:
        parsed = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return parsed if isinstance(parsed, ast.Call) else None
