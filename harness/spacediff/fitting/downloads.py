"""What an audit downloads: the checkpoints of its runs, what they load beside them, and what looks at their clips."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from spacediff.fitting.checkpoint import find_own
from spacediff.fitting.named import Named, named_weights
from spacediff.fitting.on_hub import is_offline, weights_on_hub
from spacediff.plan import Semantics
from spacediff.run import Run
from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN


@dataclass(frozen=True)
class Download:
    """Weights that are downloaded before a run.

    Attributes:
        model: The repository's name.
        size: In bytes, of the files that the Hub's cache does not have yet; None if that is unknown.
        runs: The names of the runs that need them.
    """

    model: str
    size: int | None
    runs: frozenset[str]


def downloads_to() -> Path:
    """Return the folder that weights are downloaded to: the Hub's cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def downloads_of(runs: Sequence[Run], semantics: Semantics | None = None) -> tuple[Download, ...]:
    """List what is downloaded, each once; nothing where the Hub may not be asked for anything.

    Runs that need different components of one checkpoint count as needing what the largest of them does.

    Args:
        runs: The local runs.
        semantics: What measures what the clips of all of them show.
    """
    found: dict[Hashable, Download] = {}
    for run in () if is_offline() else runs:
        for key, name, size in (*_needed(run.settings), *_looking(semantics)):
            before = found.get(key, Download(name, 0, frozenset()))
            largest = None if size is None or before.size is None else max(size, before.size)
            found[key] = Download(name, largest, before.runs | {run.name})
    return tuple(each for each in found.values() if each.size != 0)


_Need: TypeAlias = tuple[Hashable, str, int | None]
"""What tells something that is loaded from others, its name, and the bytes of it that the cache lacks."""


def _looking(semantics: Semantics | None) -> Iterator[_Need]:
    """Yield the model that measures what clips show, if it is on the Hub."""
    if semantics and semantics.model != DETECTOR and not is_path(semantics.model):
        yield _need(Named(semantics.model, semantics.revision))


def _need(named: Named) -> _Need:
    weights = weights_on_hub(named)
    return named, named.repository, weights.download if weights else None


def _needed(settings: Settings) -> Iterator[_Need]:
    """Yield what a run loads from the Hub."""
    model = settings.table("model")
    name = str(model.get("id", ""))
    if name and name not in BUILTIN and not is_path(name) and not Path(name).is_dir():
        own = find_own(settings)
        yield (name, model.get("revision"), model.get("variant")), name, own.download_of(settings) if own else None
    yield from map(_need, named_weights(settings))
