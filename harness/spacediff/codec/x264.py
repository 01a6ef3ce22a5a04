"""x264's note about itself, and the parameters that make x264 write the same note.

The note is the output of `x264_param2string` (x264's `common/base.c`): the values after validation. Most names can be
passed to `x264_param_parse` unchanged; this module translates the others. Values come from a stranger and go to a
parser that has options which read and write files, so only known names with values of a known form pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spacediff.record import Fact, FactKind, fact

UUID = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
MAX_NOTE_BYTES = 4096

_NOTE = re.compile(r"x264 - core (?P<core>\d{1,4})(?P<revision>.{0,80}?) - H\.264.{0,200}? - options: (?P<options>.*)")
_NUMBER = r"-?\d{1,10}(?:\.\d{1,3})?"
_METADATA = r"[A-Z0-9(),-]{1,120}"
_ZONE = r"\d{1,9},\d{1,9},[qb]=\d{1,3}(?:\.\d{1,3})?"
_BITS = r"(?:0x)?([0-9a-f]{1,4})"

_PLAIN = {
    "cabac", "ref", "subme", "psy", "trellis", "8x8dct", "fast_pskip", "chroma_me", "threads", "lookahead_threads",
    "sliced_threads", "slices", "slices_max", "slice_max_size", "slice_max_mbs", "slice_min_mbs", "nr",
    "bluray_compat", "stitchable", "constrained_intra", "bframes", "b_pyramid", "b_adapt", "b_bias", "weightb",
    "open_gop", "weightp", "scenecut", "intra_refresh", "rc_lookahead", "mbtree", "crf", "bitrate", "ratetol", "qcomp",
    "qpmin", "qpmax", "qpstep", "vbv_maxrate", "vbv_bufsize", "crf_max", "qp", "filler", "frame-packing",
}  # fmt: skip
_RENAMED = {
    "mixed_ref": "mixed-refs",
    "me_range": "merange",
    "decimate": "dct-decimate",
    "keyint_min": "min-keyint",
    "ip_ratio": "ipratio",
    "pb_ratio": "pbratio",
}
_PARTITIONS = {0x001: "i4x4", 0x002: "i8x8", 0x010: "p8x8", 0x020: "p4x4", 0x100: "b8x8"}
_DIRECT = ("none", "spatial", "temporal", "auto")

_ODD: Mapping[str, tuple[str, Callable[[re.Match[str]], dict[str, str]]]] = {
    "analyse": (f"{_BITS}:{_BITS}", lambda m: {"partitions": _partitions(int(m[2], 16))}),
    "aq": (f"({_NUMBER})(?::({_NUMBER}))?", lambda m: {"aq-mode": m[1], "aq-strength": m[2] or "0"}),
    "chroma_qp_offset": (r"-?\d{1,2}", lambda _: {}),  # set separately: the note has another value than the parameter
    "cll": (_METADATA, lambda m: {"cll": m[0]}),
    "cqm": ("[01]", lambda m: {"cqm": ("flat", "jvt")[int(m[0])]}),
    "crop_rect": (_METADATA, lambda m: {"crop_rect": m[0]}),
    "deadzone": (f"({_NUMBER}),({_NUMBER})", lambda m: {"deadzone-inter": m[1], "deadzone-intra": m[2]}),
    "deblock": (f"([01]):({_NUMBER}):({_NUMBER})", lambda m: {"deblock": f"{m[2]},{m[3]}", "nf": str(1 - int(m[1]))}),
    "direct": ("[0-3]", lambda m: {"direct": _DIRECT[int(m[0])]}),
    "interlaced": ("0|tff|bff|fake", lambda m: {"0": {}, "fake": {"fake-interlaced": "1"}}.get(m[0], {m[0]: "1"})),
    "keyint": (f"infinite|{_NUMBER}", lambda m: {"keyint": m[0]}),
    "mastering-display": (_METADATA, lambda m: {"mastering-display": m[0]}),
    "me": ("dia|hex|umh|esa|tesa", lambda m: {"me": m[0]}),
    "nal_hrd": ("none|vbr|cbr", lambda m: {"nal_hrd": m[0]}),
    "psy_rd": (f"({_NUMBER}):({_NUMBER})", lambda m: {"psy-rd": f"{m[1]},{m[2]}"}),
    "rc": ("crf|cqp|abr|cbr", lambda _: {}),  # determined by crf, qp, bitrate and the rate buffer
    "zones": (f"{_ZONE}(?:/{_ZONE}){{0,31}}", lambda m: {"zones": m[0]}),
}
"""Options whose value has another form: its pattern, and the parameters that reproduce a match."""

_WHY_LOST = {
    "rc": "first-pass",
    "cplxblur": "first-pass",
    "qblur": "first-pass",
    "cqm": "matrices",
}
"""What x264's note lacks to reproduce an option; one that is not here has an unknown meaning."""


@dataclass(frozen=True)
class X264:
    """x264's note about itself in a stream.

    Attributes:
        core: The number of its interface, such as 164; encoders with the same core make the same decisions.
        revision: Its build, such as `r3108 31e19f9`; empty where the build does not name it.
        options: The option string, such as `cabac=1 ref=3 …`.
    """

    core: int
    revision: str
    options: str

    @property
    def settings(self) -> dict[str, str]:
        """The options, name to value."""
        pairs = (option.partition("=") for option in self.options.split())
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Repeat:
    """How to call x264 so that it uses given options.

    Attributes:
        parameters: Parameters for `x264_param_parse`, name to value, in the order in which they must be set.
        preset: The preset that they modify.
        lost: Options that cannot be reproduced, name to what the note lacks: `first-pass`, `matrices`, `meaning`.
    """

    parameters: dict[str, str]
    preset: str = "medium"
    lost: dict[str, str] = field(default_factory=dict)

    @property
    def joined(self) -> str:
        """The parameters as FFmpeg's `x264-params` takes them."""
        return ":".join(f"{name}={value}" for name, value in self.parameters.items())


def parse_note(text: bytes) -> X264 | None:
    """Parse a user-data message; None when it is not a note of x264."""
    note = text[:MAX_NOTE_BYTES].split(b"\0")[0]
    if not note.isascii() or not (decoded := note.decode("ascii")).isprintable():
        return None
    match = _NOTE.fullmatch(decoded)
    if match is None:
        return None
    return X264(int(match["core"]), match["revision"].strip(), match["options"].strip())


def repeat(note: X264, *, full_chroma: bool) -> Repeat:
    """Find the parameters that make x264 use the options of a note.

    Args:
        note: The hosted file's note.
        full_chroma: Whether the pictures are 4:4:4, for which x264 moves the chroma quantizer.
    """
    settings = note.settings
    parameters: dict[str, str] = {}
    lost: dict[str, str] = {}
    for name, value in settings.items():
        translated = _translated(name, value)
        if translated is None:
            lost[name] = _WHY_LOST.get(name, "meaning")
        else:
            parameters |= translated
    if "chroma_qp_offset" in settings and "chroma_qp_offset" not in lost:
        parameters["chroma-qp-offset"] = str(_requested_chroma_offset(settings, full_chroma=full_chroma))
    intra_off = settings.get("analyse", "").startswith(("0:", "0x0:"))
    return Repeat(parameters, "ultrafast" if intra_off else "medium", lost)


def differences(theirs: X264, ours: X264 | None, lost: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return what differs from the hosted file; empty when core and options are equal and determine everything.

    Args:
        theirs: The hosted file's note.
        ours: The note in the file written here.
        lost: Options that cannot be reproduced, name to what the note lacks.
    """
    if ours is None:
        return (fact(FactKind.X264_SILENT),)
    there, here = theirs.settings, ours.settings
    found = []
    if theirs.core != ours.core:
        found.append(fact(FactKind.X264_CORE_DIFFERS, local=ours.core, hosted=theirs.core))
    for name in {**there, **here}:
        hosted, local = _shown(there.get(name)), _shown(here.get(name))
        if there.get(name) == here.get(name):
            continue
        if name in lost:
            found.append(fact(FactKind.X264_OPTION_LOST, name=name[:40], hosted=hosted, lost=lost[name]))
        else:
            found.append(fact(FactKind.X264_OPTION_DIFFERS, name=name[:40], local=local, hosted=hosted))
    if "vbv_bufsize" in there and there.get("threads") != "1":
        found.append(fact(FactKind.X264_RATE_BUFFER))
    return tuple(found)


def _shown(value: str | None) -> str | None:
    return None if value is None else value[:60]


def _translated(name: str, value: str) -> dict[str, str] | None:
    """Return the parameters for one option; None when none reproduces it."""
    if name in _ODD:
        shape, parameters = _ODD[name]
        match = re.fullmatch(shape, value, re.ASCII)
        return parameters(match) if match else None
    if name in _PLAIN or name in _RENAMED:
        return {_RENAMED.get(name, name): value} if re.fullmatch(_NUMBER, value, re.ASCII) else None
    return None


def _partitions(bits: int) -> str:
    return ",".join(name for bit, name in _PARTITIONS.items() if bits & bit) or "none"


def _requested_chroma_offset(settings: Mapping[str, str], *, full_chroma: bool) -> int:
    """Return the requested chroma offset: x264 notes the one after psychovisual tuning has changed it."""
    noted = int(settings["chroma_qp_offset"])
    if settings.get("psy") != "1":
        return noted
    strengths = [float(number) for number in re.findall(_NUMBER, settings.get("psy_rd", ""), re.ASCII)]
    refines = settings.get("subme", "0") not in {"0", "1", "2", "3", "4", "5"}
    quantizes = settings.get("trellis", "0") != "0"
    moved = sum(
        1 if strength < 0.25 else 2  # noqa: PLR2004 - x264's own step
        for strength, used in zip(strengths, (refines, quantizes), strict=False)
        if used and strength > 0
    )
    return noted + moved - (6 if full_chroma else 0)
