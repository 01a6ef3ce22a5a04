"""Where a checkpoint is, and what it weighs: a folder, the Hub, or a snapshot in the Hub's cache.

Where none of them has its weights in diffusers' layout, they are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spacediff.fitting.apart import with_apart
from spacediff.fitting.on_hub import Found, checkpoint_on_hub
from spacediff.fitting.weights import components_of
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN


def find(settings: Settings, *, ask_hub: bool = True) -> Found | None:
    """Find the checkpoint of a run; None if its weights are unknown, or if it is one of the tiny ones.

    Args:
        settings: The declared Settings.
        ask_hub: Whether the Hub may be asked about what is not in a folder; otherwise its cache answers alone.
    """
    found = find_own(settings, ask_hub=ask_hub)
    components = with_apart(found.components, settings, ask_hub=ask_hub) if found else None
    return replace(found, components=components) if found and components else None


def find_own(settings: Settings, *, ask_hub: bool = True) -> Found | None:
    """Find the checkpoint of a run with its own components, whatever the run loads in place of them."""
    model = settings.table("model")
    name, revision, variant = str(model.get("id", "")), model.get("revision"), model.get("variant")
    if not name or name in BUILTIN:
        return None
    folder = Path(name).expanduser()
    if folder.is_dir():
        components = components_of(folder, variant)
        return Found(components, folder) if components else None
    return None if is_path(name) else checkpoint_on_hub(name, revision, variant, ask_hub=ask_hub)
