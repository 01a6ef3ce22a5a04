"""What a source does not set: the defaults of its inputs, of its checkpoint and of the installed libraries.

This needs neither torch nor a device: defaults are read from signatures in the source of diffusers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from spacediff.catalogue.checkpoints import default_sizes
from spacediff.catalogue.pipelines import family_of
from spacediff.hub.scheduler_config import SCHEDULER_FILE, Checkpoint, LookUp
from spacediff.reading import Reading
from spacediff.reading.signatures import accepts, call_defaults, class_defaults
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Setting, Settings, is_plain
from spacediff.why.same_settings import without_no_ops

_SPACING = "timestep_spacing"
"""Always resolved with a scheduler, since checkpoint and class often have different values for it."""
_OF_VAE = {"tiling": False, "slicing": False}
_OF_EXPORTS = {"export_to_video": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}, "export_to_gif": {"fps": EXPORT_FPS}}
"""Defaults of the exports of diffusers; those of other libraries are not known."""
_OF_TORCH = {
    "numerics.bf16_reduction": True,
    "numerics.cudnn_benchmark": False,
    "numerics.default_dtype": "float32",
    "numerics.deterministic": False,
    "numerics.fp16_reduction": True,
    "numerics.tf32_cudnn": True,
    "numerics.tf32_matmul": False,
}
"""What torch does where a source sets no switch."""


def completed(reading: Reading) -> Settings:
    """Return the settings of a source, with the defaults of the installed libraries."""
    read = reading.settings
    pipeline = read.value("model.pipeline")
    defaults = {"call": defaults_of_call(reading), "output": _OF_EXPORTS.get(reading.exported_by, {}), "vae": _OF_VAE}
    filled = without_no_ops(read, reading.signature)
    for table, values in defaults.items():
        where = f"{pipeline}.__call__" if table == "call" else "diffusers"
        filled = filled.filled_from(Settings.of({table: values} if values else {}, Origin.DEFAULT, where))
    return filled


def defaults_of_call(reading: Reading) -> Mapping[str, Any]:
    """Return the defaults of the call that was read; those of a class of another package are unknown."""
    return call_defaults(reading.signature) if reading.signature else reading.own_defaults


def default_sizes_of(settings: Settings, pipeline: str) -> Settings:
    """Return the size that the pipeline and its checkpoint make where the call gives none, as far as it is known.

    Args:
        settings: The settings of a source.
        pipeline: The class of diffusers that is called; empty if it is another package's.
    """
    model, own = settings.value("model.id"), call_defaults(pipeline)
    found = {
        path: Setting(size, Origin.DEFAULT, f"the configuration of {model}" if model else pipeline)
        for path, size in default_sizes(model, family_of(pipeline), pipeline).items()
        if own and accepts(pipeline, path.removeprefix("call.")) and own.get(path.removeprefix("call.")) is None
    }
    return Settings(found)


def with_switches(settings: Settings, other: Settings) -> Settings:
    """Return the settings with torch's defaults for the switches that only the other side sets."""
    missing = _OF_TORCH.keys() & {*other}
    return settings.filled_from(Settings({path: Setting(_OF_TORCH[path], Origin.DEFAULT, "torch") for path in missing}))


def scheduler_entries(settings: Settings) -> set[str]:
    """Return the entries of the scheduler's configuration that a source sets."""
    named = {path.removeprefix("scheduler.") for path in settings if path.startswith("scheduler.")}
    return {name for name in named if name.isidentifier()}


def with_scheduler(
    settings: Settings, reading: Reading, look_up: LookUp, entries: Collection[str]
) -> tuple[Settings, str]:
    """Return the settings with the scheduler resolved, and why it could not be; an empty reason if it was.

    `Scheduler.from_config` takes the values of the checkpoint's file, and the defaults of its class for the rest.

    Args:
        settings: The settings of the source, with defaults.
        reading: What was read of it.
        look_up: Returns a checkpoint by its id.
        entries: The entries that either of the two sources sets; if there are none, nothing is looked up.
    """
    given, wanted = scheduler_entries(settings), {*entries, _SPACING}
    if not entries or wanted <= given:
        return settings, ""
    base = _base_of(reading, look_up)
    if base.reason:
        return settings, "" if given >= {*entries} else base.reason
    stored = {name: base.scheduler[name] for name in ("class", *wanted) if is_plain(base.scheduler.get(name))}
    filled = settings.filled_from(Settings.of({"scheduler": stored} if stored else {}, Origin.DEFAULT, base.where))
    kind = filled.value("scheduler.class")
    own = class_defaults(kind) if isinstance(kind, str) else {}
    rest = {name: own[name] for name in wanted if name in own and name not in base.scheduler}
    return filled.filled_from(Settings.of({"scheduler": rest} if rest else {}, Origin.DEFAULT, str(kind))), ""


def _base_of(reading: Reading, look_up: LookUp) -> Checkpoint:
    """Return the checkpoint whose scheduler configuration applies."""
    origin = reading.scheduler_base or reading.settings.get("model.id")
    revision = None if reading.scheduler_base else reading.settings.value("model.revision")
    if origin is None or not isinstance(origin.value, str):
        return Checkpoint("", reason="the checkpoint is not known from the source")
    if not origin.value:
        return Checkpoint("")
    found = look_up(origin.value, revision if isinstance(revision, str) else None)
    reason = f"{SCHEDULER_FILE} of {origin.value}: {found.reason}" if found.reason else ""
    return Checkpoint(found.id, found.scheduler, found.where, reason)
