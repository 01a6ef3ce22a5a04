"""What is known about one difference, given everything else that the two sources set."""

from __future__ import annotations

from spacediff.catalogue.lookup import Cause, cause_named, known_difference
from spacediff.devices import compute_differently
from spacediff.settings import Settings

_STORED_AS = {"fp16": "float16", "bf16": "bfloat16", "fp32": "float32"}
"""Variant of a checkpoint's files to the dtype that they are stored in."""


def cause_of(path: str, left: Settings, right: Settings) -> Cause | None:
    """Return what is known about a difference; None if nothing is.

    Noise that no generator draws is drawn on the pipeline's device. A variant that is stored in the dtype that both
    sides load anyway holds the same numbers.
    """
    ours, theirs = (_placed(side) if path == "placement" else side.value(path) for side in (left, right))
    without_generator = left.value("rng.device") == right.value("rng.device") == "global"
    if path == "placement" and without_generator and compute_differently(ours, theirs):
        return cause_named("generator-device")
    if path == "model.variant" and left.value("model.id") == right.value("model.id"):
        dtypes = {side.value("model.dtype") for side in (left, right)}
        if all(each is None or dtypes == {_STORED_AS.get(str(each))} for each in (ours, theirs)):
            return cause_named("weights-variant")
    in_float16 = left if left.value("model.dtype") == "float16" else right
    return known_difference(
        path,
        ours,
        theirs,
        pipeline=left.value("model.pipeline"),
        checkpoint=in_float16.value("model.id"),
    )


def _placed(source: Settings) -> object:
    """Return the placement of a source; a pipeline that nothing moves stays on the CPU, where diffusers loads it."""
    return source.value("placement") or (None if "load.device_map" in source else "cpu")
