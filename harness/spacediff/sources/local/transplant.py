"""Transplant: a run is fed what a recording has, stage by stage, so that each stage shows only its own difference.

The key insight: two machines that differ in the first step differ everywhere after it. If every stage starts from the
other machine's tensors (text embeddings, noise, latents of some steps), what still differs is made by that stage here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spacediff.clip import Clip
from spacediff.errors import NotComparable, RecordingNotReadable
from spacediff.observer.hooks import Call, add_hook, step_result
from spacediff.observer.stepping import Piece, Stepping
from spacediff.observer.structure import pipelines_of, schedulers_of
from spacediff.observer.tensors import digest
from spacediff.record import Stage, TraceRecord, TransplantRecord
from spacediff.recordings import chosen, read_recording, recorded_clip
from spacediff.recordings.tensors import NOISE, embeddings_name, latents_name, recorded_tensors
from spacediff.sources import Produced
from spacediff.sources.local.isolation import like, relative_distance, start_of, with_latents, with_start

if TYPE_CHECKING:
    import torch


_STARTS = {"text": "the text embeddings", "noise": "the initial noise"}
"""What every step starts from, by its name among what was not observed."""


@dataclass(frozen=True)
class Donor:
    """What a recorded call gives to another run.

    Attributes:
        tensors: Its tensors by name; see `spacediff.recordings.tensors`.
        trace: Its trace.
        clip: Its clip; None without one.
    """

    tensors: Mapping[str, torch.Tensor]
    trace: TraceRecord
    clip: Clip | None

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> Donor:
        """Read the recorded call that a run's request names.

        Raises:
            RecordingNotReadable: It cannot be read, or lacks tensors that every stage starts from.
            NotComparable: These were not observed when it was recorded.
        """
        file = Path(request["file"])
        call = chosen(read_recording(file), request.get("call"), file.name)
        with tempfile.TemporaryDirectory() as folder:
            tensors = recorded_tensors(file, call, Path(folder))
            if call.trace is None:
                raise RecordingNotReadable(f"call {call.number} of {file.name} has no trace")
            if unseen := [said for name, said in _STARTS.items() if name in call.trace.unobserved]:
                raise NotComparable(f"call {call.number} of {file.name} does not show {unseen[0]}, which cannot be fed")
            if missing := [name for name in _needed(call.trace) if name not in tensors]:
                raise RecordingNotReadable(
                    f"call {call.number} of {file.name} has no {missing[0]}",
                    hint="record one call with the tensors of fewer steps, so that none is left out",
                )
            clip = None if call.without_clip else recorded_clip(file, call, Path(folder))
        return cls(tensors, call.trace, clip)


class Transplant:
    """Makes a pipeline start its stages from the tensors of a recording, and compares what each makes of them.

    Args:
        pipeline: The pipeline, before it is called.
        donor: What it is fed.
    """

    def __init__(self, pipeline: Any, donor: Donor) -> None:
        self._donor = donor
        self._text: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._fed_text: list[str] = []
        self._noise: tuple[torch.Tensor, torch.Tensor] | None = None
        self._found: list[TransplantRecord] = []
        self._embeddings = 0
        self._started = False
        self._steps = 0
        self._fed_step = 0
        self._schedulers = [scheduler for _, scheduler in schedulers_of(pipeline)]
        for each in pipelines_of(pipeline):
            add_hook(each, "encode_prompt", self._on_text)
            add_hook(each, "prepare_latents", self._on_start)
        self._stepping = Stepping(pipeline, self._on_scheduler, self._on_step)

    def applied_to(self, produced: Produced) -> Produced:
        """Add to a run what its stages made of the tensors.

        Raises:
            NotComparable: The stages of the run are not those of the recording.
        """
        self._stepping.close()
        theirs = len(self._donor.trace.steps)
        if self._steps != theirs:
            raise NotComparable(f"the run has {self._steps} steps, but {theirs} in the recording")
        fed = {*self._fed_text, *([NOISE] if self._noise else [])}
        if unfed := [name for name in _needed(self._donor.trace) if name not in fed]:
            raise NotComparable(f"this pipeline has no method in which the recording's {unfed[0]} could be fed")
        if produced.trace is None:
            return produced
        if produced.trace.inputs != self._donor.trace.inputs:
            raise NotComparable("the encoded input pictures differ from the recording's, and cannot be fed")
        text = [_record(Stage.TEXT, self._text)] if self._text else []
        noise = [_record(Stage.NOISE, [self._noise])] if self._noise else []
        found = [*text, *noise, *self._found, *self._decoding(produced)]
        return replace(produced, trace=produced.trace.model_copy(update={"transplant": found}))

    def _on_text(self, call: Call) -> Any:
        own = call.proceed()
        return self._fed_embeddings(own)

    def _fed_embeddings(self, own: Any) -> Any:
        if isinstance(own, list | tuple):
            return type(own)([self._fed_embeddings(each) for each in own])
        name = embeddings_name(self._embeddings)
        theirs = self._donor.tensors.get(name)
        self._embeddings += 1
        if hasattr(own, "dtype") != (theirs is not None):
            raise NotComparable(
                "the recording has other text embeddings than this run",
                hint="give the run the recording's guidance scale and negative prompt",
            )
        if theirs is None:
            return own
        fed = like(theirs, own)
        self._text.append((own, fed))
        self._fed_text.append(name)
        return fed

    def _on_start(self, call: Call) -> Any:
        theirs, noise = self._donor.tensors.get(NOISE), self._donor.trace.noise
        if theirs is None or noise is None or self._started:
            return call.proceed()
        self._started = True
        if noise.drawn:
            with self._drawing(theirs):
                return call.proceed()
        prepared = call.proceed()
        own = start_of(prepared)
        fed = like(theirs, own)
        self._noise = (own, fed)
        return with_start(prepared, fed)

    @contextmanager
    def _drawing(self, theirs: torch.Tensor) -> Iterator[None]:
        """Return the recorded noise in place of the first one of its shape that is drawn inside the block."""
        import torch

        randn: Callable[..., torch.Tensor] = torch.randn

        def drawing(*args: Any, **kwargs: Any) -> torch.Tensor:
            own = randn(*args, **kwargs)
            if own.shape != theirs.shape or self._noise is not None:
                return own
            self._noise = (own, like(theirs, own))
            return self._noise[1]

        torch.randn = drawing
        try:
            yield
        finally:
            torch.randn = randn

    def _on_scheduler(self, call: Call) -> tuple[Any, Piece]:
        given = call.arguments()
        result = call.proceed()
        own = step_result(result).to(given["sample"].dtype)
        piece = Piece(call.owner, given, own)
        theirs = self._donor.tensors.get(latents_name(self._steps + 1))
        if theirs is None or not any(call.owner is each for each in self._schedulers):
            return result, piece
        fed = like(theirs, step_result(result))
        self._found.append(
            _record(Stage.STEP, [(own, fed.to(own.dtype))], first=self._fed_step + 1, last=self._steps + 1)
        )
        self._fed_step = self._steps + 1
        return with_latents(result, fed), piece

    def _on_step(self, pieces: list[Piece]) -> None:
        if len(pieces) > 1:
            raise NotComparable("this pipeline steps each frame with its own scheduler, so its latents cannot be fed")
        self._steps += 1

    def _decoding(self, produced: Produced) -> list[TransplantRecord]:
        """Compare what is decoded; nothing where one side decodes nothing, or other latents."""
        own, theirs = produced.trace, self._donor.trace
        if own is None or not (own.decoded and theirs.decoded) or self._fed_step < self._steps:
            return []
        clip, distance = self._donor.clip, None
        if clip is not None and clip.frames.shape == produced.clip.frames.shape:
            distance = float(np.abs(clip.frames.astype(int) - produced.clip.frames).max())
        return [TransplantRecord(stage=Stage.DECODING, equal=own.decoded == theirs.decoded, distance=distance)]


def _needed(trace: TraceRecord) -> list[str]:
    """Return the names of the tensors without which a difference would be put down to a later stage."""
    embeddings = [embeddings_name(number) for number, found in enumerate(trace.embeddings) if found]
    return [*embeddings, *([NOISE] if trace.noise else [])]


def _record(
    stage: Stage, pairs: list[tuple[torch.Tensor, torch.Tensor]], *, first: int | None = None, last: int | None = None
) -> TransplantRecord:
    """Compare what a stage made here with what the recording has, both in the dtype of this run."""
    return TransplantRecord(
        stage=stage,
        first=first,
        last=last,
        equal=all(digest(own) == digest(theirs) for own, theirs in pairs),
        distance=max(relative_distance([pair]) for pair in pairs),
    )
