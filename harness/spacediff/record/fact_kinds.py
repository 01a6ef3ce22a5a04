"""The kinds of facts, each with the names and types of its values.

Whoever makes a fact cannot leave a value out, and whoever words it knows what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

_TILE: Mapping[str, Any] = {"error": float, "codec": float, "frame": int, "x": int, "y": int}
"""The errors of the worst tile, of two clips and by the codec alone; frame and upper left corner of the first."""
_JUDGED_TILE: Mapping[str, Any] = {
    "prompt": str, "error": float, "most": float, "drift": float, "limit": float, "frame": int, "x": int, "y": int,
}  # fmt: skip
"""The error of the worst tile and the largest that a gate allows, in levels; the drift of both; frame and corner."""


class FactKind(StrEnum):
    """The kinds, by subject; each with its values, name to type."""

    def __new__(cls, value: str, values: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """Make a member: what `audit.json` calls it, and the values that it has."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.values = values
        return member

    values: Mapping[str, Any]

    # what comes from outside: an error of a library, a Space's answer, a sentence of an older record
    TEXT = "text", {"text": str}

    # frames and drift; an alignment stands above the facts that hold after it
    VERDICT = "verdict", {"verdict": str}
    EVERY_FRAME_EQUAL = "every-frame-equal", {"encoded": bool}
    ENCODED_AGAIN = "encoded-again", {"reference_from_candidate": bool}
    WITHIN_CODEC_LOSS = "within-codec-loss"
    WITHIN_EXPORT_LOSS = "within-export-loss"
    WITHIN_STAND_IN_LOSS = "within-stand-in-loss", {"quality": int}
    WORST_TILE_WITHIN = "worst-tile-within", _TILE
    WORST_TILE_ABOVE = "worst-tile-above", _TILE
    DRIFT_OF_FRAMES_UNKNOWN = "drift-of-frames-unknown"
    AS_FAR_AS_A_SEED = "as-far-as-a-seed", {"drift": float, "nearest": float}
    CLOSER_THAN_SEEDS = "closer-than-seeds", {"drift": float, "nearest": float, "seeds": int}
    METRIC_DRIFT = "metric-drift", {"metric": str, "drift": float, "codec_share": float | None}
    METRIC_DRIFT_UNKNOWN = (
        "metric-drift-unknown",
        {"metric": str, "rerun": bool, "seeds": bool, "codec_share": float | None},
    )
    METRIC_UNDEFINED = "metric-undefined", {"metric": str, "smallest_side": int}
    AFTER_ALIGNMENT = "after-alignment"
    MOMENTS_UNKNOWN = "moments-unknown"
    STANDS_STILL = "stands-still", {"candidate": bool, "share": float}

    # what a clip shows instead of a picture; with `candidate` it is about this clip, else about the reference
    CENSORED = "censored", {"candidate": bool, "pictures": list[int], "of": int}
    ONE_COLOUR = "one-colour", {"candidate": bool, "colour": list[int]}
    LATENTS_NOT_FINITE = "latents-not-finite", {"candidate": bool, "step": int, "steps": int}
    DECODED_NOT_FINITE = "decoded-not-finite", {"candidate": bool, "values": int}
    NOTHING_SHOWN = "nothing-shown"
    TILES_GAVE_SIZE = (
        "tiles-gave-size",
        {"candidate": bool, "size": list[int], "decoded": list[int], "settings": list[str], "fitting": list[int]},
    )
    SOUND_NOT_COMPARED = "sound-not-compared", {"runs": list[str]}

    # groups of clips, where no clip of one side belongs to one of the other; with `candidate` as above
    SAMPLES_MISSING = "samples-missing", {"candidate": bool, "missing": int, "clips": int}
    SAMPLES_EQUAL = "samples-equal", {"candidate": bool, "clips": int, "distinct": int}
    SAMPLES_TOO_FEW = "samples-too-few", {"candidate": bool, "clips": int}
    SAMPLES_OF_TWO_MEDIA = "samples-of-two-media"
    SAMPLES_SCALED = (
        "samples-scaled",
        {"reference": list[list[int]], "candidate": list[list[int]], "scaled_to": list[int]},
    )
    SAMPLES_RATES_DIFFER = "samples-rates-differ", {"reference": list[float], "candidate": list[float]}
    SAMPLES_LENGTHS_DIFFER = "samples-lengths-differ", {"reference": list[int], "candidate": list[int]}
    SAMPLES_CONTENTS_UNKNOWN = "samples-contents-unknown"

    # how two clips are brought onto each other; with `candidate` it is about this clip, else about the reference
    PAIRED_BY_NUMBER = (
        "paired-by-number",
        {"reference_frames": int, "candidate_frames": int, "pairs": int, "too_long": bool},
    )
    FRAMES_BETWEEN = (
        "frames-between",
        {
            "reference_frames": int,
            "candidate_frames": int,
            "candidate": bool,
            "step": int,
            "first": int,
            "between": str,
            "inherent": bool,
        },
    )
    BEGINS_LATER = "begins-later", {"candidate": bool, "left_out": list[list[int]]}
    LACKS_FRAMES = "lacks-frames", {"candidate": bool, "left_out": list[list[int]]}
    ENDS_EARLIER = "ends-earlier", {"candidate": bool, "left_out": list[list[int]]}
    RATES_DIFFER = "rates-differ", {"reference": float, "candidate": float}
    BARS = "bars", {"candidate": bool, "width": int, "height": int}
    SIZES_DIFFER = (
        "sizes-differ",
        {
            "reference": list[int],
            "candidate": list[int],
            "reference_scaled_to": list[int],
            "candidate_scaled_to": list[int],
            "cropped": bool,
            "confirmed": bool,
        },
    )
    SHIFTED = "shifted", {"right": int, "down": int}
    LEVELS_DIFFER = "levels-differ", {"squeezed": bool}

    # how frames were encoded for a comparison, and what it could have shown
    FILES_AS_GIVEN = "files-as-given"
    FRAMES_AS_GENERATED = "frames-as-generated"
    LOSSLESS_REFERENCE = "lossless-reference", {"codec": str}
    JPEG_AS_HOSTED = "jpeg-as-hosted", {"subsampling": str}
    JPEG_NOT_REPEATED = "jpeg-not-repeated"
    WEBP_AS_HOSTED = "webp-as-hosted", {"quality": int}
    WEBP_INFERRED = "webp-inferred", {"quality": int}
    NEAREST_PICTURE = "nearest-picture", {"format": str, "quality": int}
    ENCODED_EXACTLY = "encoded-exactly", {"core": int, "mbtree": bool}
    ENCODED_SIMILARLY = "encoded-similarly", {"core": int}
    ENCODING_UNSAID = "encoding-unsaid", {"codec": str}
    NEAREST_GIF = "nearest-gif"
    NEAREST_OPENCV = "nearest-opencv"
    NEAREST_ENCODER = "nearest-encoder", {"encoder": str, "bit_rate": float}
    NEAREST_EXPORT = "nearest-export", {"quality": float}
    SCALED_FIRST = "scaled-first", {"before": list[int], "after": list[int]}
    COLOURS_BY_PYAV = "colours-by-pyav"
    NOT_ENCODED_EXACTLY = "not-encoded-exactly"
    X264_SILENT = "x264-silent"
    X264_CORE_DIFFERS = "x264-core-differs", {"local": int, "hosted": int}
    X264_OPTION_DIFFERS = "x264-option-differs", {"name": str, "local": str | None, "hosted": str | None}
    X264_OPTION_LOST = "x264-option-lost", {"name": str, "hosted": str | None, "lost": str}
    X264_RATE_BUFFER = "x264-rate-buffer"
    PIXEL_FORMAT_DIFFERS = "pixel-format-differs", {"local": str, "hosted": str}
    MATRIX_LOST = "matrix-lost", {"matrix": str}
    NOTHING_ENCODED = "nothing-encoded"
    PLANTED_DIFFERENCE_SEEN = (
        "planted-difference-seen",
        {"levels": int, "share": float, "before": float, "after": float, "smallest_tried": bool},
    )
    PLANTED_DIFFERENCE_LOST = "planted-difference-lost", {"levels": int, "share": float, "before": float}

    # what differs where two generations diverge, and what a model sees of a clip
    CONDITION_DIFFERS = "condition-differs", {"name": str, "reference": Any, "candidate": Any}
    UNOBSERVED_BEFORE = "unobserved-before", {"names": list[str]}
    DECODED_BELOW_A_LEVEL = "decoded-below-a-level"
    DECODED_EQUAL_ONCE_ENCODED = "decoded-equal-once-encoded"
    NOISE_OF_SEED = (
        "noise-of-seed",
        {
            "seed": int,
            "device": str,
            "dtype": str,
            "older": bool,
            "arrangement": str,
            "draw": int,
            "exact": bool,
        },
    )
    NOISE_OF_NO_USUAL_SEED = "noise-of-no-usual-seed"
    NOISE_NOT_TRIED = "noise-not-tried"
    SCHEDULER_NOISE_DIFFERS = "scheduler-noise-differs", {"reference": bool, "candidate": bool}
    TEXT_CUT = "text-cut", {"text": str, "tokens": int, "limit": int}
    FRAMES_CROPPED = "frames-cropped", {"width": int, "height": int, "share": float, "across": bool}

    # what a Space used in place of what it was asked for; `why` is empty where it was adopted, else `unknown`,
    # `declined` by the scenario, `unusable` as a seed, or `private`
    SEED_USED = "seed-used", {"prompt": str, "asked": int, "used": int | None, "why": str}
    PROMPT_USED = "prompt-used", {"prompt": str, "used": str, "why": str}
    REFERENCE_KEPT = (
        "reference-kept",
        {"prompts": list[str], "fetched": str, "age": float, "commit": str, "hardware": str},
    )
    REFERENCE_UNAVAILABLE = "reference-unavailable", {"prompt": str, "baseline": str}
    SPACE_CHANGED = "space-changed", {"space": str, "commits": list[str]}
    REPEAT_OF_ANOTHER_SEED = "repeat-of-another-seed"

    # the environment of a Space, in which a run happens; `space` is ORG/NAME
    HOSTED_INSTALLED = (
        "hosted-installed",
        {"space": str, "commit": str, "packages": list[str], "others": int},
    )
    HOSTED_LEFT_OUT = (
        "hosted-left-out",
        {"space": str, "lines": list[str], "reasons": list[str], "instead": list[str], "more": int},
    )
    HOSTED_CHOSEN = "hosted-chosen", {"space": str, "packages": list[str]}
    HOSTED_NEWEST = "hosted-newest", {"space": str, "moment": str, "lines": list[str]}
    HOSTED_PYTHON = "hosted-python", {"space": str, "there": str, "here": str, "kept": str}
    HOSTED_TORCH = (
        "hosted-torch",
        {"space": str, "asked": str, "installed": str, "fits": bool, "shared": bool, "cuda": bool},
    )
    HOSTED_COMMIT = "hosted-commit", {"space": str, "read": str, "running": str}

    # where a scenario is not the script that it stands for
    APPROXIMATED = "approximated", {"setting": str, "value": str, "where": str, "reason": str}
    SPACE_APPROXIMATED = "space-approximated", {"setting": str, "value": str, "where": str, "reason": str}

    # controls, gate, warnings
    RERUN_EQUAL = "rerun-equal"
    RERUN_DIFFERS = "rerun-differs"
    METRIC_VALUE = "metric-value", {"metric": str, "value": float, "unit": str}
    SEED_IGNORED = "seed-ignored"
    SEED_RANDOMISED = "seed-randomised", {"space": str, "input": str, "sent": bool, "reported": bool}
    LONG_CLIP = "long-clip", {"file": str, "frames": int, "seconds": float}
    PROGRAM_RUNS = "program-runs", {"command": str, "folder": str, "again": int}
    SCHEDULER_NOT_SERVED = "scheduler-not-served", {"run": str, "scheduler": str, "reads": str, "predicts": str}
    NOISE_NOT_SCALED = "noise-not-scaled", {"run": str, "scheduler": str, "pipeline": str, "scale": float}
    MODEL_INPUT_NOT_SCALED = "model-input-not-scaled", {"run": str, "scheduler": str, "pipeline": str}
    SCHEDULER_LACKS = "scheduler-lacks", {"run": str, "scheduler": str, "pipeline": str, "attribute": str}
    TILES_DO_NOT_JOIN = (
        "tiles-do-not-join",
        {"setting": str, "value": int, "step": int, "kept": int, "fitting": list[int]},
    )
    SEED_SHOWS_NOTHING = "seed-shows-nothing"
    SEEDS_NOT_COMPARED = "seeds-not-compared", {"seeds": int}
    SEEDS_NOT_PUT_IN = "seeds-not-put-in", {"prompt": str, "reason": str}
    CONTROL_FAILED = "control-failed", {"prompt": str, "control": str, "run": str}
    AUDIT_INTERRUPTED = "audit-interrupted"
    NOTHING_COMPARED = "nothing-compared"
    NO_REFERENCE = "no-reference"
    COMPARING_FAILED = "comparing-failed"
    GATE_NOT_COMPARED = "gate-not-compared", {"prompt": str}
    GATE_VERDICT = "gate-verdict", {"prompt": str, "verdict": str}
    GATE_DRIFT_UNKNOWN = "gate-drift-unknown", {"prompt": str}
    GATE_DRIFT_WITHIN = "gate-drift-within", {"prompt": str, "drift": float, "limit": float}
    GATE_DRIFT_ABOVE = "gate-drift-above", {"prompt": str, "drift": float, "limit": float, "verdict": str}
    GATE_TILE_WITHIN = "gate-tile-within", _JUDGED_TILE
    GATE_TILE_ABOVE = "gate-tile-above", {**_JUDGED_TILE, "verdict": str}
    GATE_TILE_UNKNOWN = "gate-tile-unknown", {"prompt": str, "floor": float | None, "nearest": float | None}
    GATE_GROUPS_NOT_COMPARED = "gate-groups-not-compared", {"prompt": str}
    GATE_GROUPS_DIFFER = "gate-groups-differ", {"prompt": str, "measures": list[str]}
    GATE_GROUPS_TOO_SMALL = "gate-groups-too-small", {"prompt": str, "tests": int, "fewest": int | None}
    GATE_GROUPS_IN_DOUBT = "gate-groups-in-doubt", {"prompt": str}
    GATE_GROUPS_WITHIN = "gate-groups-within", {"prompt": str, "largest": float, "limit": float}
    GATE_GROUPS_UNKNOWN = (
        "gate-groups-unknown",
        {"prompt": str, "measure": str, "low": float, "high": float, "limit": float, "clips": int | None},
    )
    GATE_NOTHING_ACCEPTED = "gate-nothing-accepted"
    GATE_NOTHING_WORSE = "gate-nothing-worse", {"against": str}
    GATE_CHANGED = (
        "gate-changed",
        {
            "prompt": str,
            "run": str,
            "verdict_before": str | None,
            "drift_before": float | None,
            "verdict_now": str | None,
            "drift_now": float | None,
        },
    )

    # a Space under test: what follows from a few calls, its description and its source
    SPACE_REPEATS = "space-repeats", {"uncached": bool}
    SPACE_REPEATS_PAST_CACHE = "space-repeats-past-cache"
    SPACE_VARIES = "space-varies", {"differing": int, "of": int}
    SPACE_REPEAT_CACHED = "space-repeat-cached", {"differs": bool}
    SPACE_REPEAT_QUICK = "space-repeat-quick", {"work": float, "first": float | None}
    SPACE_CACHE_USED = "space-cache-used", {"answers": int, "partly": bool}
    SPACE_CACHE_UNUSED = "space-cache-unused"
    SPACE_CACHE_UNTRIED = "space-cache-untried"
    SPACE_CACHE_IN_SOURCE = "space-cache-in-source", {"where": str}
    SPACE_CACHE_UNSAID = "space-cache-unsaid", {"gradio": str}
    SPACE_SEED_MATTERS = "space-seed-matters"
    SPACE_SEED_BLIND = "space-seed-blind"
    SPACE_SEED_VARIES = "space-seed-varies"
    SPACE_SEED_ABSENT = "space-seed-absent"
    SPACE_SEED_ECHOED = "space-seed-echoed", {"sent": int, "used": int}
    SPACE_SEED_KEPT = "space-seed-kept"
    SPACE_SWITCH_OFF = "space-switch-off", {"inputs": list[str], "usually_on": list[str]}
    SPACE_SWITCH_NONE = "space-switch-none"
    SPACE_INPUT_MATTERS = "space-input-matters", {"input": str, "before": float, "after": float}
    SPACE_INPUT_BLIND = "space-input-blind", {"input": str, "before": float, "after": float}
    SPACE_EFFECT_HIDDEN = "space-effect-hidden"
    SPACE_NOT_ASKED = "space-not-asked"
    SPACE_CALL_FAILED = "space-call-failed", {"reason": str}
    SPACE_PROMPT_REWRITTEN = "space-prompt-rewritten", {"text": str}
    SPACE_PROMPT_KEPT = "space-prompt-kept"
    SPACE_PROMPT_SWITCH = "space-prompt-switch", {"input": str}
    SPACE_PROMPT_SOURCE = "space-prompt-source", {"text": str, "how": str, "sure": bool}
    SPACE_PROMPT_AS_READ = "space-prompt-as-read"
    SPACE_PROMPT_SILENT = "space-prompt-silent"
    SPACE_OUTPUTS = "space-outputs", {"outputs": list[str], "result": int, "described": str}
    SPACE_COST = "space-cost", {"work": float | None, "whole": float, "hardware": str}
    SPACE_GPU_REQUEST = "space-gpu-request", {"seconds": float | None, "where": str, "calls": int | None}
    SPACE_QUOTA_USED = "space-quota-used", {"each": float, "left": float, "of": float}
    # the same before an audit, where nothing is generated
    SPACE_NOT_READY = "space-not-ready", {"reason": str, "hint": str, "waited_for": bool}
    SPACE_ON_QUOTA = (
        "space-on-quota",
        {"space": str, "hardware": str, "left": float | None, "of": float | None, "resets_at": str},
    )
    # whether runs fit on this machine; bytes; with an empty device it is about the machine's memory
    MEMORY_SHORT = (
        "memory-short",
        {
            "runs": list[str],
            "certain": bool,
            "device": str,
            "need": int,
            "free": int,
            "changes": list[str],
            "tested": list[str],
        },
    )
    MEMORY_UNKNOWN = "memory-unknown", {"runs": list[str], "model": str, "reason": str}
    DISK_SHORT = "disk-short", {"clips": int, "need": int, "free": int}
    WEIGHTS_DOWNLOAD = "weights-download", {"model": str, "need": int, "free": int, "folder": str}
    DOWNLOAD_UNKNOWN = "download-unknown", {"model": str}
    EXPECTED = (
        "expected",
        {
            "generations": int,
            "control": int,
            "search": float,
            "step": float | None,
            "seconds": float | None,
            "search_seconds": float | None,
            "repeated_seconds": float | None,
            "device": str,
            "memory": int | None,
            "least": bool,
            "disk": int | None,
            "free": int,
        },
    )

    # a cluster whose machines are not alike
    WORKERS_LEFT_OUT = "workers-left-out", {"workers": int, "of": int, "differing": list[str]}

    # what was not measured or is not known, so that the answer does not rest on it
    OPEN_APPROXIMATIONS = "open-approximations", {"count": int}
    OPEN_INTERRUPTED = "open-interrupted"
    OPEN_RUNS = "open-runs", {"runs": list[str]}
    OPEN_HOSTED = "open-hosted"
    OPEN_SETTINGS = "open-settings", {"unknown": int, "of": int}
    OPEN_LIBRARIES = "open-libraries", {"libraries": list[str]}
    OPEN_HARDWARE = "open-hardware"
    OPEN_REVISION = "open-revision"
    OPEN_REPEAT = "open-repeat"
    OPEN_PROMPT_TEXT = "open-prompt-text"
    OPEN_DRIFT = "open-drift", {"rerun": bool, "seeds": bool}
    OPEN_METRICS = "open-metrics", {"metrics": list[str]}
    OPEN_CONTENTS = "open-contents"
    OPEN_SOUND = "open-sound"
    OPEN_END = "open-end", {"frames": int}
    OPEN_PROBES = "open-probes", {"early": int}
    OPEN_PROMPTS = "open-prompts", {"prompts": int, "seeds": int}
    OPEN_CLIPS = "open-clips"

    # the search for the cause: why it stopped, what a suspect's standing rests on, how members act together
    SEARCH_INTERRUPTED = "search-interrupted"
    BUDGET_SPENT = "budget-spent", {"budget": float}
    RUN_NOT_MEASURED = "run-not-measured", {"run": str}
    SAME_SETTINGS = "same-settings", {"start": str, "target": str}
    SAME_FRAMES = "same-frames", {"start": str, "target": str}
    TARGET_SHOWS_NOTHING = "target-shows-nothing", {"target": str}
    NEEDED = "needed", {"run": str, "early": bool}
    NEED_UNKNOWN = "need-unknown", {"run": str}
    NOT_NEEDED = "not-needed", {"run": str}
    NO_BIT_CHANGED = "no-bit-changed", {"run": str}
    ACTS_AT_STEP = (
        "acts-at-step",
        {"run": str, "together": list[str], "step": int | None, "steps": int, "distance": float | None},
    )
    SAME_DEFAULT = "same-default", {"value": Any, "where": str}
    ARGUMENT_IGNORED = "argument-ignored", {"given_to": str}
    TOLERANCE_OF_REFERENCE_CODEC = "tolerance-of-reference-codec", {"levels": float}
    TOLERANCE_OF_EXPORT = "tolerance-of-export", {"levels": float}
    TOLERANCE_OF_STAND_IN = "tolerance-of-stand-in", {"levels": float, "quality": int}
    TOLERANCE_OF_DRIFT = (
        "tolerance-of-drift",
        {"drift": float, "gate": bool, "levels": float, "floor": float, "ceiling": float},
    )
    TOLERANCE_ABOVE_SEEDS = "tolerance-above-seeds", {"levels": float, "nearest": float, "mean": bool}
    TOLERANCE_OF_RERUN = "tolerance-of-rerun", {"levels": float, "measured": bool}
    TOLERANCE_WITHOUT_SCALE = "tolerance-without-scale", {"drift": float, "gate": bool}
    MASKS_OTHERS = "masks-others", {"member": str, "reduction": float, "total": float}
    ONLY_TOGETHER = "only-together", {"members": list[str], "reduction": float, "total": float}
    PAIR_INTERACTS = "pair-interacts", {"members": list[str], "index": float}

    # what may explain a difference although every setting agrees
    VERSIONS_UNKNOWN = "versions-unknown", {"here": str}
    VERSION_DIFFERS = "version-differs", {"library": str, "hosted": str, "here": str}
    HARDWARE = "hardware", {"hosted": str, "here": str}
    REVISION_UNKNOWN = "revision-unknown", {"here": str, "where": str}
    SEED_DIFFERS = "seed-differs", {"hosted": int, "here": Any, "where": str}
    POST_PROCESSED = "post-processed"
    PROMPT_OF_FILE_UNKNOWN = "prompt-of-file-unknown"
    PROMPT_MAY_BE_REWRITTEN = "prompt-may-be-rewritten", {"space": str}
    NOISE_STREAMS_DIFFER = (
        "noise-streams-differ",
        {"hosted": str, "local": str, "runs": list[str], "stream": str},
    )


CONTENT_FAULTS = frozenset(
    {
        FactKind.CENSORED,
        FactKind.ONE_COLOUR,
        FactKind.LATENTS_NOT_FINITE,
        FactKind.DECODED_NOT_FINITE,
    }
)
"""What is wrong with the content of a clip; said wherever a verdict on the clip is."""
