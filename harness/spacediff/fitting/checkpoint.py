"""Where a checkpoint is, and what it weighs: a folder, a snapshot in the Hub's cache, or the Hub itself.

Where neither has its weights in diffusers' layout, they are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spacediff.fitting.apart import with_apart
from spacediff.fitting.named import is_elsewhere
from spacediff.fitting.on_hub import checkpoint_on_hub, snapshot
from spacediff.fitting.weights import Component, components_of
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN


@dataclass(frozen=True)
class Found:
    """A checkpoint whose weights are known.

    Attributes:
        components: Its models.
        folder: The folder with its configuration.
        download: By component, bytes of its weight files that the Hub's cache does not have yet.
    """

    components: tuple[Component, ...]
    folder: Path
    download: Mapping[str, int] = field(default_factory=dict)

    def download_of(self, settings: Settings) -> int:
        """Return the bytes that runs with these settings download; components of their own come from elsewhere."""
        elsewhere = {name for name, table in settings.table("components").items() if is_elsewhere(table)}
        return sum(size for name, size in self.download.items() if name not in elsewhere)

    def loaded(self, dtype: str | None) -> int:
        """Return the bytes of all weights in memory."""
        return sum(each.loaded(dtype) for each in self.components)


def find(settings: Settings, *, ask_hub: bool = True) -> Found | None:
    """Find the checkpoint of a run; None if its weights are unknown, or if it is one of the tiny ones.

    Args:
        settings: The declared Settings.
        ask_hub: Whether the Hub is asked about a checkpoint that is not on this machine.
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
        return _in_folder(folder, variant)
    if is_path(name):
        return None
    cached = snapshot(name, revision)
    found = _in_folder(cached, variant) if cached else None
    if found or not ask_hub:
        return found
    on_hub = checkpoint_on_hub(name, revision, variant)
    return Found(on_hub.components, on_hub.folder, on_hub.download) if on_hub else None


def _in_folder(folder: Path, variant: str | None) -> Found | None:
    components = components_of(folder, variant)
    return Found(components, folder) if components else None
