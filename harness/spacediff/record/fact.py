"""A fact: a kind with its numbers and names, of which `spacediff.wording` makes a sentence.

The record holds no English of its own making: a program reads the kind and the values, a person the sentence. Each kind
names its values here, so that whoever makes a fact cannot leave one out, and whoever words it knows what is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import Any, Self

from pydantic import JsonValue, ValidationInfo, field_serializer, field_validator, model_validator

from spacediff.record.base import Record

_Types = tuple[type, ...]
_TEXT: _Types = (str,)
_MAYBE_TEXT: _Types = (str, NoneType)
_NUMBER: _Types = (float, int)
_MAYBE_NUMBER: _Types = (float, int, NoneType)
_COUNT: _Types = (int,)
_FLAG: _Types = (bool,)
_LIST: _Types = (list,)
_ANY: _Types = (object,)


class FactKind(StrEnum):
    """The kinds, by subject; each with its values, name to types."""

    def __new__(cls, value: str, values: Mapping[str, _Types] = MappingProxyType({})) -> Self:
        """Make a member: what `audit.json` calls it, and the values that it has."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.values = values
        return member

    values: Mapping[str, _Types]

    # what comes from outside: an error of a library, a Space's answer, a sentence of an older record
    TEXT = "text", {"text": _TEXT}

    # frames and drift; an alignment stands above the facts that hold after it
    VERDICT = "verdict", {"verdict": _TEXT}
    EVERY_FRAME_EQUAL = "every-frame-equal", {"encoded": _FLAG}
    ENCODED_AGAIN = "encoded-again", {"reference_from_candidate": _FLAG}
    WITHIN_CODEC_LOSS = "within-codec-loss"
    DRIFT_OF_FRAMES_UNKNOWN = "drift-of-frames-unknown"
    AS_FAR_AS_A_SEED = "as-far-as-a-seed", {"drift": _NUMBER, "nearest": _NUMBER}
    CLOSER_THAN_SEEDS = "closer-than-seeds", {"drift": _NUMBER, "nearest": _NUMBER, "seeds": _COUNT}
    METRIC_DRIFT = "metric-drift", {"metric": _TEXT, "drift": _NUMBER, "codec_share": _MAYBE_NUMBER}
    METRIC_DRIFT_UNKNOWN = (
        "metric-drift-unknown",
        {"metric": _TEXT, "rerun": _FLAG, "seeds": _FLAG, "codec_share": _MAYBE_NUMBER},
    )
    METRIC_UNDEFINED = "metric-undefined", {"metric": _TEXT, "smallest_side": _COUNT}
    AFTER_ALIGNMENT = "after-alignment"
    MOMENTS_UNKNOWN = "moments-unknown"
    STANDS_STILL = "stands-still", {"candidate": _FLAG, "share": _NUMBER}

    # how two clips are brought onto each other; with `candidate` it is about this clip, else about the reference
    PAIRED_BY_NUMBER = (
        "paired-by-number",
        {"reference_frames": _COUNT, "candidate_frames": _COUNT, "pairs": _COUNT, "too_long": _FLAG},
    )
    FRAMES_BETWEEN = (
        "frames-between",
        {
            "reference_frames": _COUNT,
            "candidate_frames": _COUNT,
            "candidate": _FLAG,
            "step": _COUNT,
            "first": _COUNT,
            "between": _TEXT,
            "inherent": _FLAG,
        },
    )
    BEGINS_LATER = "begins-later", {"candidate": _FLAG, "left_out": _LIST}
    LACKS_FRAMES = "lacks-frames", {"candidate": _FLAG, "left_out": _LIST}
    ENDS_EARLIER = "ends-earlier", {"candidate": _FLAG, "left_out": _LIST}
    RATES_DIFFER = "rates-differ", {"reference": _NUMBER, "candidate": _NUMBER}
    BARS = "bars", {"candidate": _FLAG, "width": _COUNT, "height": _COUNT}
    SIZES_DIFFER = (
        "sizes-differ",
        {
            "reference": _LIST,
            "candidate": _LIST,
            "reference_scaled_to": _LIST,
            "candidate_scaled_to": _LIST,
            "cropped": _FLAG,
            "confirmed": _FLAG,
        },
    )
    SHIFTED = "shifted", {"right": _COUNT, "down": _COUNT}
    LEVELS_DIFFER = "levels-differ", {"squeezed": _FLAG}

    # how frames were encoded for a comparison, and what it could have shown
    FILES_AS_GIVEN = "files-as-given"
    FRAMES_AS_GENERATED = "frames-as-generated"
    ENCODED_EXACTLY = "encoded-exactly", {"core": _COUNT, "mbtree": _FLAG}
    ENCODED_SIMILARLY = "encoded-similarly", {"core": _COUNT}
    ENCODING_UNSAID = "encoding-unsaid", {"codec": _TEXT}
    NEAREST_GIF = "nearest-gif"
    NEAREST_OPENCV = "nearest-opencv"
    NEAREST_ENCODER = "nearest-encoder", {"encoder": _TEXT, "bit_rate": _NUMBER}
    NEAREST_EXPORT = "nearest-export", {"quality": _NUMBER}
    SCALED_FIRST = "scaled-first", {"before": _LIST, "after": _LIST}
    COLOURS_BY_PYAV = "colours-by-pyav"
    NOT_ENCODED_EXACTLY = "not-encoded-exactly"
    X264_SILENT = "x264-silent"
    X264_CORE_DIFFERS = "x264-core-differs", {"local": _COUNT, "hosted": _COUNT}
    X264_OPTION_DIFFERS = "x264-option-differs", {"name": _TEXT, "local": _MAYBE_TEXT, "hosted": _MAYBE_TEXT}
    X264_OPTION_LOST = "x264-option-lost", {"name": _TEXT, "hosted": _MAYBE_TEXT, "lost": _TEXT}
    X264_RATE_BUFFER = "x264-rate-buffer"
    PIXEL_FORMAT_DIFFERS = "pixel-format-differs", {"local": _TEXT, "hosted": _TEXT}
    MATRIX_LOST = "matrix-lost", {"matrix": _TEXT}
    NOTHING_ENCODED = "nothing-encoded"
    PLANTED_DIFFERENCE_SEEN = (
        "planted-difference-seen",
        {"levels": _COUNT, "share": _NUMBER, "before": _NUMBER, "after": _NUMBER, "smallest_tried": _FLAG},
    )
    PLANTED_DIFFERENCE_LOST = "planted-difference-lost", {"levels": _COUNT, "share": _NUMBER, "before": _NUMBER}
    TEXT_CUT = "text-cut", {"text": _TEXT, "tokens": _COUNT, "limit": _COUNT}
    FRAMES_CROPPED = "frames-cropped", {"width": _COUNT, "height": _COUNT, "share": _NUMBER, "across": _FLAG}

    # controls, gate, warnings
    RERUN_EQUAL = "rerun-equal"
    RERUN_DIFFERS = "rerun-differs"
    METRIC_VALUE = "metric-value", {"metric": _TEXT, "value": _NUMBER, "unit": _TEXT}
    SEED_IGNORED = "seed-ignored"
    SEEDS_NOT_COMPARED = "seeds-not-compared", {"seeds": _COUNT}
    CONTROL_FAILED = "control-failed", {"prompt": _TEXT, "control": _TEXT, "run": _TEXT}
    AUDIT_INTERRUPTED = "audit-interrupted"
    NOTHING_COMPARED = "nothing-compared"
    NO_REFERENCE = "no-reference"
    COMPARING_FAILED = "comparing-failed"
    GATE_NOT_COMPARED = "gate-not-compared", {"prompt": _TEXT}
    GATE_VERDICT = "gate-verdict", {"prompt": _TEXT, "verdict": _TEXT}
    GATE_DRIFT_UNKNOWN = "gate-drift-unknown", {"prompt": _TEXT}
    GATE_DRIFT_WITHIN = "gate-drift-within", {"prompt": _TEXT, "drift": _NUMBER, "limit": _NUMBER}
    GATE_DRIFT_ABOVE = "gate-drift-above", {"prompt": _TEXT, "drift": _NUMBER, "limit": _NUMBER, "verdict": _TEXT}
    GATE_NOTHING_ACCEPTED = "gate-nothing-accepted"
    GATE_NOTHING_WORSE = "gate-nothing-worse", {"against": _TEXT}
    GATE_CHANGED = (
        "gate-changed",
        {
            "prompt": _TEXT,
            "run": _TEXT,
            "verdict_before": _MAYBE_TEXT,
            "drift_before": _MAYBE_NUMBER,
            "verdict_now": _MAYBE_TEXT,
            "drift_now": _MAYBE_NUMBER,
        },
    )
    # what may explain a difference although every setting agrees
    VERSIONS_UNKNOWN = "versions-unknown", {"here": _TEXT}
    VERSION_DIFFERS = "version-differs", {"library": _TEXT, "hosted": _TEXT, "here": _TEXT}
    HARDWARE = "hardware", {"hosted": _TEXT, "here": _TEXT}
    REVISION_UNKNOWN = "revision-unknown", {"here": _TEXT, "where": _TEXT}
    SEED_DIFFERS = "seed-differs", {"hosted": _COUNT, "here": _ANY, "where": _TEXT}
    POST_PROCESSED = "post-processed"
    PROMPT_OF_FILE_UNKNOWN = "prompt-of-file-unknown"
    PROMPT_MAY_BE_REWRITTEN = "prompt-may-be-rewritten", {"space": _TEXT}
    NOISE_STREAMS_DIFFER = (
        "noise-streams-differ",
        {"hosted": _TEXT, "local": _TEXT, "runs": _LIST, "stream": _TEXT},
    )


class Fact(Record):
    """One fact.

    Attributes:
        kind: What it is.
        values: Its numbers and names, by the names that the kind has for them; an infinite number is `"inf"`.
        because: What it rests on.
    """

    kind: FactKind
    values: dict[str, JsonValue] = {}
    because: list[Fact] = []

    @field_validator("values", mode="before")
    @classmethod
    def _read(cls, values: Any, info: ValidationInfo) -> Any:
        """Read `"inf"` as the number where the kind has a number, since JSON has no infinity."""
        kind = info.data.get("kind")
        if kind is None or not isinstance(values, dict):
            return values
        numbers = {name for name, types in kind.values.items() if float in types}
        return {name: math.inf if value == "inf" and name in numbers else value for name, value in values.items()}

    @field_serializer("values", when_used="json")
    def _written(self, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {name: "inf" if value == math.inf else value for name, value in values.items()}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = self.kind.values
        if self.values.keys() != wanted.keys():
            raise ValueError(f"{self.kind} has the values {sorted(wanted)}, not {sorted(self.values)}")
        for name, types in wanted.items():
            value = self.values[name]
            if not isinstance(value, types) or (isinstance(value, bool) and types not in {_FLAG, _ANY}):
                names = " or ".join("null" if each is NoneType else each.__name__ for each in types)
                raise ValueError(f"{self.kind}: {name} has to be {names}, not {value!r}")
        return self


def fact(kind: FactKind, *because: Fact, **values: Any) -> Fact:
    """Return a fact of a kind with its values, and what it rests on."""
    return Fact(kind=kind, values=values, because=[*because])


def quoted(said: str) -> Fact:
    """Return what somebody else said, such as a library's error, as a fact."""
    return fact(FactKind.TEXT, text=said)
