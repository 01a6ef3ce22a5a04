"""Where a checkpoint is, and what it weighs: a folder, a snapshot in the Hub's cache, or the Hub itself.

Nothing heavy is downloaded: of a checkpoint that is not on this machine, the Hub gives the headers of its weight files.
Where that fails, the weights are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from spacediff.errors import HubUnavailable, NotMeasuredError
from spacediff.fitting.apart import with_apart
from spacediff.fitting.look_up import component_from
from spacediff.fitting.weights import Component, components_of
from spacediff.hub.partners import Partner
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN

_SECONDS = 60.0
"""In which the Hub must have said what a checkpoint weighs, and given its configuration."""


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
        own = settings.table("components")
        return sum(size for name, size in self.download.items() if name not in own)

    def loaded(self, dtype: str | None) -> int:
        """Return the bytes of all weights in memory."""
        return sum(each.loaded(dtype) for each in self.components)


def find(settings: Settings, *, ask_hub: bool = True) -> Found | None:
    """Find the checkpoint of a run; None if its weights are unknown, or if it is one of the tiny ones.

    Args:
        settings: The declared Settings.
        ask_hub: Whether the Hub is asked about a checkpoint that is not on this machine.
    """
    found = _find(settings, ask_hub=ask_hub)
    components = with_apart(found.components, settings) if found else None
    return replace(found, components=components) if found and components else None


def _find(settings: Settings, *, ask_hub: bool) -> Found | None:
    model = settings.table("model")
    name, revision, variant = str(model.get("id", "")), model.get("revision"), model.get("variant")
    if not name or name in BUILTIN:
        return None
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _in_folder(folder, variant)
    if is_path(name):
        return None
    snapshot = _snapshot(name, revision)
    found = _in_folder(snapshot, variant) if snapshot else None
    return found or (_on_hub(name, revision, variant) if ask_hub else None)


def _in_folder(folder: Path, variant: str | None) -> Found | None:
    components = components_of(folder, variant)
    return Found(components, folder) if components else None


def _snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a checkpoint in the Hub's cache, which may lack files; None if it is not there."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:  # noqa: BLE001 - whatever the reason, it is not there
        return None


@cache  # one question for all runs of an audit, also where there is no answer
def _on_hub(name: str, revision: str | None, variant: str | None) -> Found | None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return None
    asked = {"name": name, "revision": revision, "variant": variant}
    try:
        return _found_in(_HUB.answer(asked, time.monotonic() + _SECONDS))
    except NotMeasuredError:  # the Hub does not answer, or too much or too slowly: the weights are unknown
        return None


def _found_in(answer: Mapping[str, Any]) -> Found | None:
    match answer:
        case {"kind": "found", "folder": str(folder), "components": [_, *_] as listed, "download": {**download}}:
            sizes = {str(name): size for name, size in download.items() if isinstance(size, int)}
            return Found(tuple(component_from(each) for each in listed), Path(folder), sizes)
    return None


_HUB = Partner(
    "spacediff.fitting.look_up",
    "the Hub",
    lambda _: HubUnavailable(f"the Hub did not say within {_SECONDS:g} s what the checkpoint weighs"),
    overgrown=HubUnavailable,
    ended=HubUnavailable,
    look_at="check HF_ENDPOINT, and the proxies between this machine and the Hub",
)
