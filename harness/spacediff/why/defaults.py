"""What a source leaves unsaid, filled in: from its inputs, its checkpoint, and the source of the installed libraries.

Needs neither torch nor a device: defaults are read off signatures, without importing them.
"""

from __future__ import annotations

from collections.abc import Collection

from spacediff.hub.scheduler_config import SCHEDULER_FILE, Checkpoint, LookUp
from spacediff.reading import Reading
from spacediff.reading.signatures import call_defaults, class_defaults
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Setting, Settings, is_plain

_SPACING = "timestep_spacing"
"""Resolved wherever a scheduler is: what a checkpoint and a class say of it often differs."""
_OF_VAE = {"tiling": False, "slicing": False}
_OF_EXPORTS = {"export_to_video": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}, "export_to_gif": {"fps": EXPORT_FPS}}
"""Defaults of diffusers' own exports; what another library makes of frames is not known."""


def completed(reading: Reading) -> Settings:
    """Return what a source says, filled with the defaults of its inputs and of the installed libraries."""
    said = reading.settings
    asked = {
        path: Setting(one.default, Origin.READ, f"{one.where}, the default of {one.label!r}")
        for path, one in reading.inputs.items()
        if one.default is not None and (path not in said or said[path].origin is Origin.UNKNOWN)
    }
    pipeline = said.value("model.pipeline")
    called = call_defaults(pipeline) if isinstance(pipeline, str) else {}
    defaults = {"call": called, "output": _OF_EXPORTS.get(reading.exported_by, {}), "vae": _OF_VAE}
    filled = said.changed_by(Settings(asked))
    for table, values in defaults.items():
        where = f"{pipeline}.__call__" if table == "call" else "diffusers"
        filled = filled.filled_from(Settings.of({table: values} if values else {}, Origin.DEFAULT, where))
    return filled


def scheduler_entries(settings: Settings) -> set[str]:
    """Return the entries of the scheduler's configuration that a source says."""
    named = {path.removeprefix("scheduler.") for path in settings if path.startswith("scheduler.")}
    return {name for name in named if name.isidentifier()}


def with_scheduler(
    settings: Settings, reading: Reading, look_up: LookUp, entries: Collection[str]
) -> tuple[Settings, str]:
    """Return the settings with the scheduler resolved, and why it is not; an empty text when it is.

    `Scheduler.from_config` takes over what the checkpoint's file says, and its class fills in the rest.

    Args:
        settings: What the source says, completed.
        reading: What was read of it.
        look_up: Gives its checkpoint.
        entries: What either source says of its scheduler; where neither says anything, nothing is looked up.
    """
    said, wanted = scheduler_entries(settings), {*entries, _SPACING}
    if not entries or wanted <= said:
        return settings, ""
    base = _base_of(reading, look_up)
    if base.reason:
        return settings, "" if said >= {*entries} else base.reason
    told = {name: base.scheduler[name] for name in ("class", *wanted) if is_plain(base.scheduler.get(name))}
    filled = settings.filled_from(Settings.of({"scheduler": told} if told else {}, Origin.DEFAULT, base.where))
    kind = filled.value("scheduler.class")
    own = class_defaults(kind) if isinstance(kind, str) else {}
    rest = {name: own[name] for name in wanted if name in own and name not in base.scheduler}
    return filled.filled_from(Settings.of({"scheduler": rest} if rest else {}, Origin.DEFAULT, str(kind))), ""


def _base_of(reading: Reading, look_up: LookUp) -> Checkpoint:
    """Return the checkpoint whose scheduler configuration is in force."""
    begins = reading.scheduler_base or reading.settings.get("model.id")
    revision = None if reading.scheduler_base else reading.settings.value("model.revision")
    if begins is None or not isinstance(begins.value, str):
        return Checkpoint("", reason="the source does not tell which checkpoint")
    if not begins.value:
        return Checkpoint("")
    found = look_up(begins.value, revision if isinstance(revision, str) else None)
    reason = f"{SCHEDULER_FILE} of {begins.value}: {found.reason}" if found.reason else ""
    return Checkpoint(found.id, found.scheduler, found.where, reason)
