"""What the Hub says of weights, and what of them is in its cache: one question for all runs of an audit.

Nothing heavy is downloaded: the Hub gives sizes and the headers of files, to a process of its own (`look_up`). Where
that fails, the weights are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from spacediff.errors import HubUnavailable, NotMeasuredError
from spacediff.fitting.headers import Stored, read_stored
from spacediff.fitting.look_up import component_from, stored_from
from spacediff.fitting.named import Named, files_of
from spacediff.fitting.weights import Component
from spacediff.hub.partners import Partner

_SECONDS = 60.0
"""In which the Hub must have said what a checkpoint weighs, and given its configuration."""
_LEFT_ALONE_SECONDS = 600.0
"""For which a Hub that has not answered in time is not asked again, so that many weights do not wait for it in turn."""


@dataclass(frozen=True)
class CheckpointOnHub:
    """A checkpoint that is not on this machine, or not whole.

    Attributes:
        components: Its models.
        folder: The folder with its configuration.
        download: By component, bytes of its weight files that the Hub's cache does not have yet.
    """

    components: tuple[Component, ...]
    folder: Path
    download: Mapping[str, int]


@dataclass(frozen=True)
class Weights:
    """Weights that settings name beside a checkpoint.

    Attributes:
        stored: Their tensors; none of an adapter's.
        download: Bytes of their files that the Hub's cache does not have yet.
    """

    stored: Stored = field(default_factory=lambda: Stored({}))
    download: int = 0


def is_offline() -> bool:
    """Whether huggingface_hub is told to ask nothing of the Hub."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a repository in the Hub's cache, which may lack files; None if it is not there."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:  # noqa: BLE001 - whatever the reason, it is not there
        return None


def checkpoint_on_hub(name: str, revision: str | None, variant: str | None) -> CheckpointOnHub | None:
    """Ask what a checkpoint in diffusers' layout weighs; None where that is unknown.

    Args:
        name: `ORG/NAME`.
        revision: Branch, tag or commit; None for the newest.
        variant: Variant of the weight files, such as `fp16`.
    """
    match _asked("checkpoint", {"name": name, "revision": revision, "variant": variant}):
        case {"kind": "found", "folder": str(folder), "components": [_, *_] as listed, "download": {**download}}:
            sizes = {str(name): size for name, size in download.items() if isinstance(size, int)}
            return CheckpointOnHub(tuple(component_from(each) for each in listed), Path(folder), sizes)
    return None


def weights_on_hub(named: Named, *, ask_hub: bool = True) -> Weights | None:
    """Find out what weights on the Hub weigh; None where that is unknown.

    Args:
        named: The weights.
        ask_hub: Whether the Hub is asked about what is not in its cache.
    """
    if found := _in_cache(named):
        return found
    match _asked("weights", asdict(named)) if ask_hub else {}:
        case {"kind": "found", "stored": dict() as stored, "download": int(download)}:
            return Weights(stored_from(stored), download)
    return None


def _in_cache(named: Named) -> Weights | None:
    """Return weights that the Hub's cache has whole."""
    folder = snapshot(named.repository, named.revision)
    if folder is None:
        return None
    files = files_of(named, (path.relative_to(folder).as_posix() for path in folder.rglob("*")))
    if not files or (named.beside and len(files) == 1):
        return None
    total = Stored({})
    for file in () if named.is_adapter else files:
        total = total.together_with(read_stored(folder / file))
    return Weights(total)


def _asked(what: str, of: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the Hub's answer; nothing where there is none, or too much of it, or too slowly."""
    began = time.monotonic()
    if is_offline() or began < _Hub.ask_again_at:
        return {}
    try:
        return _answer(what, tuple(of.items()))
    except NotMeasuredError:
        if time.monotonic() - began >= _SECONDS:
            _Hub.ask_again_at = time.monotonic() + _LEFT_ALONE_SECONDS
        return {}


@cache
def _answer(what: str, of: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    return _HUB.answer({"what": what, "of": dict(of)}, time.monotonic() + _SECONDS)


class _Hub:
    """The state of the Hub, as this process has met it."""

    ask_again_at = 0.0


_HUB = Partner(
    "spacediff.fitting.look_up",
    "the Hub",
    lambda _: HubUnavailable(f"the Hub did not say within {_SECONDS:g} s what the weights weigh"),
    overgrown=HubUnavailable,
    ended=HubUnavailable,
    look_at="check HF_ENDPOINT, and the proxies between this machine and the Hub",
)
