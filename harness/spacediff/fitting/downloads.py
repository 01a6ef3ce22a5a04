"""What an audit downloads: the checkpoints of its runs, what they load beside them, and what looks at their clips."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from spacediff.fitting.checkpoint import find_own
from spacediff.fitting.named import Named, is_elsewhere, is_on_hub, named_weights
from spacediff.fitting.on_hub import Lacking, is_offline, weights_on_hub
from spacediff.metrics.contrastive import WEIGHT_FILES
from spacediff.plan import Plan
from spacediff.run import Run
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN


@dataclass(frozen=True)
class Download:
    """Weights that are downloaded before a run.

    Attributes:
        model: The repository's name.
        runs: The names of the runs that need them.
        files: Bytes of each file that the Hub's cache does not have yet, by what names its content.
        known: Whether these are all.
    """

    model: str
    runs: frozenset[str]
    files: Mapping[str, int] = field(default_factory=dict)
    known: bool = True

    @property
    def size(self) -> int:
        """The bytes of the files."""
        return sum(self.files.values())


def downloads_to() -> Path:
    """Return the folder that weights are downloaded to: the Hub's cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def downloads_of(plan: Plan, local: Sequence[Run]) -> tuple[Download, ...]:
    """List what is downloaded; nothing where the Hub may not be asked for anything.

    Args:
        plan: The plan, which may measure what all clips show.
        local: Those of its runs that are generated here.
    """
    if is_offline():
        return ()
    found: dict[Hashable, Download] = {}
    for run in local:
        for key, name, lacking in _needed(run.settings):
            _add(found, key, Download(name, frozenset({run.name}), lacking or {}, lacking is not None))
    if plan.semantics and plan.semantics.model != DETECTOR and is_on_hub(plan.semantics.model):
        named = Named(plan.semantics.model, plan.semantics.revision, "files", patterns=WEIGHT_FILES)
        weights = weights_on_hub(named)
        names = frozenset(run.name for run in plan.runs)
        _add(found, named, Download(named.repository, names, weights.download if weights else {}, weights is not None))
    return tuple(each for each in found.values() if each.files or not each.known)


def together(downloads: Iterable[Download]) -> list[Download]:
    """Put what comes from one repository together; a file that several have counts for the first."""
    found: dict[Hashable, Download] = {}
    counted = set[str]()
    for each in downloads:
        new = {content: size for content, size in each.files.items() if content not in counted}
        counted |= new.keys()
        _add(found, each.model, replace(each, files=new))
    return list(found.values())


def _add(found: dict[Hashable, Download], key: Hashable, download: Download) -> None:
    before = found.get(key, replace(download, files={}))
    runs, files = before.runs | download.runs, {**before.files, **download.files}
    found[key] = replace(download, runs=runs, files=files, known=before.known and download.known)


_Need: TypeAlias = tuple[Hashable, str, Lacking | None]
"""What distinguishes something that is loaded, its repository, and what the cache lacks of it; None if unknown."""


def _needed(settings: Settings) -> Iterator[_Need]:
    """Yield what a run loads from the Hub."""
    model = settings.table("model")
    name = str(model.get("id", ""))
    if name and name not in BUILTIN and is_on_hub(name):
        elsewhere = {name for name, table in settings.table("components").items() if is_elsewhere(table)}
        own = find_own(settings)
        key = (name, model.get("revision"), model.get("variant"), frozenset(elsewhere))
        yield key, name, _of_components(own.download, elsewhere) if own else None
    for named in named_weights(settings):
        weights = weights_on_hub(named)
        yield named, named.repository, weights.download if weights else None


def _of_components(download: Mapping[str, Lacking], elsewhere: set[str]) -> Lacking:
    of_each = (files for name, files in download.items() if name not in elsewhere)
    return {content: size for files in of_each for content, size in files.items()}
