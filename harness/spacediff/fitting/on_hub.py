"""What the Hub says of weights, and what of them is in its cache: one question for all runs of an audit.

Nothing heavy is downloaded: the Hub gives sizes and the headers of files, to a process of its own (`look_up`). Where
that fails, the cache says what it has, and otherwise the weights are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacediff.errors import HubUnavailable, NotMeasuredError
from spacediff.fitting.headers import Stored, read_stored
from spacediff.fitting.look_up import component_from, stored_from
from spacediff.fitting.named import Named, files_of
from spacediff.fitting.weights import Component, components_of
from spacediff.hub.partners import Partner

_SECONDS = 60.0
"""In which the Hub must have said what a checkpoint weighs, and given its configuration."""
_LEFT_ALONE_SECONDS = 600.0
"""For which a question that was not answered is not asked again, and nothing of a Hub that did not answer in time."""

Lacking = Mapping[str, int]
"""Bytes of the files that the Hub's cache does not have, by what names their content wherever it is."""


@dataclass(frozen=True)
class Found:
    """A checkpoint whose weights are known.

    Attributes:
        components: Its models.
        folder: The folder with its configuration.
        download: By component, what of its weights is to be downloaded.
    """

    components: tuple[Component, ...]
    folder: Path
    download: Mapping[str, Lacking] = field(default_factory=dict)

    def loaded(self, dtype: str | None) -> int:
        """Return the bytes of all weights in memory."""
        return sum(each.loaded(dtype) for each in self.components)


@dataclass(frozen=True)
class Weights:
    """Weights that settings name beside a checkpoint.

    Attributes:
        stored: The tensors of a model.
        download: What of them is to be downloaded.
    """

    stored: Stored = field(default_factory=lambda: Stored({}))
    download: Lacking = field(default_factory=dict)


def is_offline() -> bool:
    """Whether huggingface_hub is set to ask nothing of the Hub."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def checkpoint_on_hub(name: str, revision: str | None, variant: str | None, *, ask_hub: bool = True) -> Found | None:
    """Find out what a checkpoint in diffusers' layout weighs; None where that is unknown.

    Args:
        name: `ORG/NAME`.
        revision: Branch, tag or commit; None for the newest.
        variant: Variant of the weight files, such as `fp16`.
        ask_hub: Whether the Hub may be asked; otherwise its cache answers alone.
    """
    match _asked("checkpoint", {"name": name, "revision": revision, "variant": variant}) if ask_hub else {}:
        case {"kind": "found", "folder": str(folder), "components": [_, *_] as listed, "download": dict() as download}:
            return Found(tuple(map(component_from, listed)), Path(folder), download)
    cached = _snapshot(name, revision)
    components = components_of(cached, variant) if cached else None
    return Found(components, cached) if cached and components else None


def weights_on_hub(named: Named, *, ask_hub: bool = True) -> Weights | None:
    """Find out what weights on the Hub weigh; None where that is unknown.

    Args:
        named: The weights.
        ask_hub: Whether the Hub may be asked; otherwise its cache answers alone.
    """
    match _asked("weights", asdict(named)) if ask_hub else {}:
        case {"kind": "found", "stored": dict() as stored, "download": dict() as download}:
            return Weights(stored_from(stored), download)
    return _in_cache(named)


def _in_cache(named: Named) -> Weights | None:
    """Return what the Hub's cache has of weights; None where that is not all that may be needed."""
    folder = _snapshot(named.repository, named.revision)
    if folder is None or (named.kind == "adapter" and (named.patterns or not named.file)):  # what else there is counts
        return None
    files = files_of(named, (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))
    total = Stored({})
    try:
        for file in files if named.kind == "model" else ():
            total = total.together_with(read_stored(folder / file))
    except OSError:
        return None
    return Weights(total) if files else None


def _snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a repository in the Hub's cache, which may lack files; None if it is not there."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception as error:  # noqa: BLE001 - whatever the reason
        incomplete = getattr(
            error, "snapshot_path", None
        )  # huggingface_hub since 1.0; files that nobody needs lack too
        return Path(incomplete) if incomplete else None


def _asked(what: str, of: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the Hub's answer; nothing where there is none, or too much of it, or too slowly."""
    if is_offline():
        return {}
    question, now = json.dumps([what, of]), time.monotonic()
    answer, until = _Remembered.answers.get(question, ({}, _Remembered.silent_until))
    if now < until:
        return answer
    try:
        answer = _HUB.answer({"what": what, "of": of}, now + _SECONDS)
    except NotMeasuredError:
        answer = {}
        if time.monotonic() >= now + _SECONDS:
            _Remembered.silent_until = time.monotonic() + _LEFT_ALONE_SECONDS
    known = answer.get("kind") == "found"
    _Remembered.answers[question] = answer, math.inf if known else time.monotonic() + _LEFT_ALONE_SECONDS
    return answer


class _Remembered:
    """What this process knows of the Hub.

    Attributes:
        answers: By question, the answer and the time up to which it is not asked again, on the monotonic clock.
        silent_until: The time up to which nothing new is asked.
    """

    answers: dict[str, tuple[Mapping[str, Any], float]] = {}  # noqa: RUF012 - one for the process
    silent_until = 0.0


_HUB = Partner(
    "spacediff.fitting.look_up",
    "the Hub",
    lambda _: HubUnavailable(f"the Hub did not say within {_SECONDS:g} s what the weights weigh"),
    overgrown=HubUnavailable,
    ended=HubUnavailable,
    look_at="check HF_ENDPOINT, and the proxies between this machine and the Hub",
)
