"""Whether the runs of a plan fit, said before the first of them begins.

A checkpoint is looked at closely only if its weights or its clips are not small beside the memory: then its pipeline is
measured, once for all runs. So an audit of a small model pays nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from spacediff.devices import execution_device, missing
from spacediff.fitting.activations import Activations, Call, measure
from spacediff.fitting.advice import Remedy, changed_by, remedies
from spacediff.fitting.checkpoint import find
from spacediff.fitting.disk import OnDisk, certainly_kept, free_bytes, on_disk, used_bytes
from spacediff.fitting.downloads import Download, downloads_of, downloads_to, together
from spacediff.fitting.machine import host_memory, total_memory
from spacediff.fitting.need import Memory, Part, memory_of, need, parts_of
from spacediff.fitting.on_hub import Found
from spacediff.plan import Plan
from spacediff.progress import Progress
from spacediff.record import Fact, FactKind, fact
from spacediff.run import Run
from spacediff.settings import Settings
from spacediff.stages import of_loading
from spacediff.tiny.checkpoint import BUILTIN

_SMALL_WEIGHTS = 0.02
"""Weights below this share of the memory are small."""
_SMALL_CLIP = 0.25
_BYTES_OF_A_PIXEL = 4096
"""Clips are small that take less than this share of the memory with so many bytes for each pixel of a frame: decoding
takes 940 in half precision for CogVideoX and 130 for Wan, without tiling."""
_UNFUSED = ("math", "_native_math")
"""Attention that keeps the matrix of all pairs of tokens."""
_TIGHT = 0.9
"""A need above this share of what is free is tight."""


@dataclass(frozen=True)
class Assessment:
    """Whether the runs of a plan fit, and what they take.

    Attributes:
        notices: What is short or unknown; nothing where all is well.
        memory: What the run needs that needs most; None if that is unknown.
        disk: What the runs leave on the disk.
        kept: The bytes that the latents of each run certainly take there, by its name; nothing where that is unknown.
        downloads: The weights that are downloaded first, also where their size is unknown.
    """

    notices: tuple[Fact, ...] = ()
    memory: Memory | None = None
    disk: OnDisk = field(default_factory=OnDisk)
    kept: Mapping[str, int] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()

    @property
    def certain(self) -> list[Fact]:
        """What is short for certain: the weights alone exceed the memory."""
        return [each for each in self.notices if each.kind is FactKind.MEMORY_SHORT and each.values["certain"]]

    @property
    def impossible(self) -> frozenset[str]:
        """The names of the runs that certainly do not fit into the memory."""
        return frozenset(str(name) for each in self.certain for name in _names_in(each))


def _names_in(notice: Fact) -> list[object]:
    names = notice.values["runs"]
    return [*names] if isinstance(names, list) else []


def assess(plan: Plan, folder: Path, progress: Progress) -> Assessment:
    """Find out whether the runs of a plan fit into memory and onto the disk.

    Args:
        plan: The plan.
        folder: The audit folder.
        progress: Receives what is being done, where it takes seconds.
    """
    notices: list[Fact] = []
    disk, memory, kept = OnDisk(), None, dict[str, int]()
    for runs in _by_checkpoint(plan):
        assessed = _assess_checkpoint(runs, progress)
        notices += assessed.notices
        latents = assessed.latents if plan.keep_latents else 0
        steps = max(int(run.settings.value("call.num_inference_steps", 50)) for run in runs)
        disk = max(disk, on_disk(latents, steps, assessed.clip), key=lambda each: each.run)
        kept |= assessed.kept if plan.keep_latents else {}
        memory = max(filter(None, (memory, assessed.memory)), key=lambda each: each.need, default=None)
    clips = sum(run.source == "diffusers" for run in plan.runs) + ceil(plan.explain.budget if plan.explain else 0)
    needed, free = disk.most(clips), free_bytes(folder)
    if needed > free + used_bytes(folder):
        notices.append(fact(FactKind.DISK_SHORT, need=needed, free=free, clips=clips))
    here = [run for run in plan.runs if run.source == "diffusers" and _has_its_device(run)]
    downloads = downloads_of(plan, here)
    notices += [notice for each in together(downloads) for notice in _download_notices(each)]
    return Assessment(tuple(notices), memory, disk, kept, downloads)


def _download_notices(download: Download) -> Iterable[Fact]:
    if not download.known:
        yield fact(FactKind.DOWNLOAD_UNKNOWN, model=download.model)
    if not download.files:
        return
    place = downloads_to()
    values = {"model": download.model, "need": download.size, "free": free_bytes(place), "folder": str(place)}
    yield fact(FactKind.WEIGHTS_DOWNLOAD, **values)


@dataclass(frozen=True)
class _Assessed:
    """What was found out about the runs of one checkpoint; latents, clip and memory are those of the largest run.

    `kept` has the bytes that the latents of each run certainly take.
    """

    notices: Sequence[Fact] = ()
    latents: int = 0
    clip: tuple[int, ...] = ()
    memory: Memory | None = None
    kept: Mapping[str, int] = field(default_factory=dict)


def _by_checkpoint(plan: Plan) -> list[list[Run]]:
    """Group the local runs by checkpoint; those of the tiny checkpoints fit everywhere."""
    groups: dict[str, list[Run]] = {}
    for run in plan.runs:
        if run.source == "diffusers" and run.settings.value("model.id") not in BUILTIN:
            groups.setdefault(repr(of_loading(run.settings)), []).append(run)
    return list(groups.values())


def _assess_checkpoint(runs: Sequence[Run], progress: Progress) -> _Assessed:
    here = [run for run in runs if _has_its_device(run)]
    if not here:
        return _Assessed()  # each is refused for its device
    found = find(here[0].settings)
    if found is None:
        return _Assessed([_unknown(here, "what its weights weigh is unknown")])
    if not any(_worth_measuring(found, run) for run in here):
        return _Assessed(
            memory=_largest(here, lambda run: parts_of(found.components, run.settings.value("model.dtype"))),
        )
    progress.on_status("estimating the memory that the runs need")
    return _Checkpoint(found, here).assessed()


def _has_its_device(run: Run) -> bool:
    return not missing(execution_device(run.settings.value("placement")))


def _worth_measuring(found: Found, run: Run) -> bool:
    settings = run.settings
    total = total_memory(execution_device(settings.value("placement")))
    if total is None:
        return False
    pixels = 1
    for name in ("num_frames", "height", "width"):
        size = settings.value(f"call.{name}", 1)
        pixels *= size if isinstance(size, int) else 1
    small = found.loaded(settings.value("model.dtype")) < _SMALL_WEIGHTS * total
    return not small or pixels * _BYTES_OF_A_PIXEL > _SMALL_CLIP * total


class _Checkpoint:
    """The runs of one checkpoint with what its pipeline was measured to need.

    Args:
        found: The checkpoint.
        runs: Its runs.
    """

    def __init__(self, found: Found, runs: Sequence[Run]) -> None:
        self._found = found
        self._runs = runs
        self._dtype = runs[0].settings.value("model.dtype")
        calls = {
            _key(call): call
            for run in runs
            for settings in (run.settings, changed_by(run.settings, remedies(run.settings, ())))
            for call in [_call(settings)]
        }
        devices = [execution_device(run.settings.value("placement")) for run in runs]
        self._measured = measure(
            found.folder,
            list(calls.values()),
            pipeline=runs[0].settings.value("model.pipeline"),
            dtype=self._dtype,
            device=next((each for each in devices if each != "cpu"), None),
        )
        self._calls = dict(zip(calls, self._measured.calls, strict=True))
        self._host = host_memory()

    def assessed(self) -> _Assessed:
        """Return the notices, one for runs that share it, and the largest run."""
        short: dict[_Shortage, list[tuple[Run, int]]] = {}
        unknown: dict[str, list[Run]] = {}
        for run in self._runs:
            activations = self._calls[_key(_call(run.settings))]
            if isinstance(activations, str):
                unknown.setdefault(activations, []).append(run)
            for shortage, needed in self._shortages(run):
                short.setdefault(shortage, []).append((run, needed))
        notices = [shortage.notice(each) for shortage, each in short.items()]
        notices += [_unknown(runs, reason) for reason, runs in unknown.items()]
        known = [each for each in self._calls.values() if isinstance(each, Activations)]
        largest = max(known, key=lambda each: each.latents, default=Activations({}, 0, ()))
        memory = _largest(self._runs, lambda run: self._parts(run.settings))
        of_runs = ((run, self._calls[_key(_call(run.settings))]) for run in self._runs)
        kept = {run.name: certainly_kept(run, of.latents) for run, of in of_runs if isinstance(of, Activations)}
        return _Assessed(notices, largest.latents, largest.clip, memory, kept)

    def _shortages(self, run: Run) -> Iterable[tuple[_Shortage, int]]:
        """Yield what is short for a run, the memory of its device or of the machine, and the bytes that it needs."""
        device = execution_device(run.settings.value("placement"))
        for host in (False, True):
            free, total = self._host if host else self._device(device)
            fits = partial(self._fits, free=free, host=host)
            if fits(run.settings):
                continue
            needed, least = self._need(run.settings, host=host)
            certain = least > total
            changes = tuple(map(str, _changes_that_fit(run, fits, host=host)))
            tested = self._tested(run, needed, host=host)
            shortage = _Shortage(certain, "" if host else device, free, changes, tested)
            yield shortage, least if certain else needed

    def _fits(self, settings: Settings, *, free: int, host: bool) -> bool:
        return self._need(settings, host=host)[0] <= _TIGHT * free

    def _tested(self, run: Run, needed: int, *, host: bool) -> tuple[str, ...]:
        """Return the settings that a run tests and that would lower its need."""
        settings = run.settings
        tested = [each for each in remedies(settings, (), host=host) if each.path in run.changes]
        return tuple(each.path for each in tested if self._need(changed_by(settings, [each]), host=host)[0] < needed)

    def _need(self, settings: Settings, *, host: bool) -> tuple[int, int]:
        """Return the estimated need and its certain part, without activations."""
        placement = settings.value("placement")
        estimated = need(self._parts(settings), placement)
        least = need(parts_of(self._found.components, self._dtype), placement)
        if host:
            return estimated.host, self._found.loaded(self._dtype)
        return estimated.device, least.device

    def _parts(self, settings: Settings) -> tuple[Part, ...]:
        activations = self._calls.get(_key(_call(settings)), "")
        peaks = activations.peaks if isinstance(activations, Activations) else {}
        return parts_of(self._found.components, self._dtype, peaks, self._measured.extra)

    def _device(self, name: str) -> tuple[int, int]:
        """Return free and total bytes of a device."""
        total = total_memory(name) or 0
        return self._measured.memory or (total, total)


@dataclass(frozen=True)
class _Shortage:
    """What runs lack, and what they have in common."""

    certain: bool
    device: str
    free: int
    changes: tuple[str, ...]
    tested: tuple[str, ...]

    def notice(self, runs: Sequence[tuple[Run, int]]) -> Fact:
        """Return the fact for the runs that lack it, each with its need."""
        return fact(
            FactKind.MEMORY_SHORT,
            runs=_names(run for run, _ in runs),
            certain=self.certain,
            device=self.device,
            need=max(needed for _, needed in runs),
            free=self.free,
            changes=list(self.changes),
            tested=list(self.tested),
        )


def _changes_that_fit(run: Run, fits: Callable[[Settings], bool], *, host: bool) -> tuple[Remedy, ...]:
    """Return the fewest changes with which a run fits; none where all that it does not test are not enough."""
    found = remedies(run.settings, run.changes, host=host)
    further = remedies(changed_by(run.settings, found), run.changes, host=host)
    all_of_them = tuple({each.path: each for each in (*found, *further)}.values())
    candidates = [*((each,) for each in found), found, further, all_of_them]
    return next((each for each in candidates if each and fits(changed_by(run.settings, each))), ())


def _largest(runs: Sequence[Run], parts: Callable[[Run], Sequence[Part]]) -> Memory | None:
    """Return the memory of the run that needs most where it computes."""
    each = (memory_of(parts(run), run.settings.value("placement")) for run in runs)
    return max(each, key=lambda memory: memory.need, default=None)


def _unknown(runs: Sequence[Run], reason: str) -> Fact:
    return fact(FactKind.MEMORY_UNKNOWN, runs=_names(runs), model=runs[0].settings.value("model.id"), reason=reason)


def _names(runs: Iterable[Run]) -> list[str]:
    return list(dict.fromkeys(run.name for run in runs))


def _call(settings: Settings) -> Call:
    decoding: Mapping[str, Any] = {
        name: value for name, value in sorted(settings.table("vae").items()) if name != "dtype"
    }
    return Call(settings.table("call"), decoding, fused=settings.value("numerics.attention") not in _UNFUSED)


def _key(call: Call) -> str:
    return json.dumps([call.arguments, call.vae, call.fused], sort_keys=True, default=str)
