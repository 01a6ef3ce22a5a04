"""One recorded call: what it was given, what was observed inside it, and what it returned."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from .effective import arguments_of, as_given, passed_on, settings_of
from .frames import write_frames
from .machine import machine
from .messages import LibraryMessages
from .tensors import KeptTensors
from .writing import FINISHED, MOST_TENSOR_BYTES, NOT_FINISHED, Writer

if TYPE_CHECKING:
    from ..observer.following import FollowedCall


class RecordedCall:
    """A call that is being recorded. Nothing in it raises: what cannot be recorded is noted.

    Args:
        number: Its number, from 1.
        writer: Writes the recording.
        messages: Collects the warnings of the libraries.
        tensors: Keeps the tensors of the call; None if none are kept.
        keep_frames: Whether the frames are written too.
        keep_latents: Whether the latents of all steps are written too.
    """

    def __init__(
        self,
        number: int,
        writer: Writer,
        messages: LibraryMessages,
        tensors: KeptTensors | None = None,
        *,
        keep_frames: bool = True,
        keep_latents: bool = False,
    ) -> None:
        self._number = number
        self._writer = writer
        self._messages = messages
        self._tensors = tensors
        self._keep_frames = keep_frames
        self._keep_latents = keep_latents
        self._observer: Any = None
        self._pipeline: Any = None
        self._unfit: TypeError | None = None
        """Why the arguments do not fit the signature: the call is about to say so itself."""
        self._record: dict[str, Any] = {"number": number}
        self._output_type: Any = None
        self._own_seconds = 0.0
        self._began = 0.0

    def begin(
        self,
        call: Callable[..., Any],
        pipeline: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        where: Mapping[str, Any],
        *,
        follow: FollowedCall | None = None,
    ) -> None:
        """Record the settings, and begin to observe the pipeline, for `follow` too."""
        began = time.monotonic()
        self._record["where"] = where
        self._pipeline = pipeline
        with self._noting("its settings"):
            given = self._given(call, pipeline, args, kwargs)
            self._output_type = given.get("output_type")
            self._record |= settings_of(pipeline, given, self._writer) | self._messages.taken()
            self._observe(pipeline, given, follow)
        self._write(NOT_FINISHED)
        self._began = time.monotonic()
        self._own_seconds = self._began - began

    def passed(self, call: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Record the arguments of an inner call, which are those in force where it is of the same pipeline."""
        if pipeline is not self._pipeline:
            return
        with self._noting("the settings of the inner call"):
            given = self._given(call, pipeline, args, kwargs)
            self._record["settings"] = passed_on(self._record.get("settings", {}), pipeline, given)

    def end(self, result: Any, outcome: str) -> None:
        """Record what was observed and returned, and remove all hooks.

        Args:
            result: What the call returned; None if it raised an error.
            outcome: `finished`, or the error.
        """
        ended = time.monotonic()
        self._pipeline = None
        if self._unfit is not None and outcome == FINISHED:
            self._writer.note(self._unfit, f"call {self._number}: all of its arguments")
        self._record["seconds"] = ended - self._began
        with self._noting("what was observed"):
            if self._observer is not None:
                self._observer.unhook()
                self._observer.close()
                self._record["observation"] = asdict(replace(self._observer.seen, latents=()))
        with self._noting("its tensors"):
            if self._tensors is not None:
                self._record["tensors"] = self._tensors.write(self._writer.folder / "calls" / str(self._number))
                self._note_left_out(self._tensors.left_out)
        with self._noting("its latents"):
            if self._keep_latents and self._observer is not None and self._observer.seen.latents:
                from ..observer.latents_file import LATENTS, write_latents

                folder = self._writer.folder / "calls" / str(self._number)
                write_latents(self._observer.seen.latents, folder / LATENTS)
        with self._noting("its frames"):
            if result is not None:
                folder = self._writer.folder / "calls" / str(self._number)
                self._record["clip"] = write_frames(result, self._output_type, folder if self._keep_frames else None)
        with self._noting("the machine"):
            self._record |= {"machine": machine(), **self._messages.taken()}
        self._record["own_seconds"] = self._own_seconds + time.monotonic() - ended
        self._write(outcome[:500])

    def _given(
        self, call: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            return arguments_of(call, pipeline, args, kwargs)
        except TypeError as error:
            self._unfit = error
            return as_given(call, pipeline, args, kwargs)

    def _observe(self, pipeline: Any, given: Mapping[str, Any], follow: FollowedCall | None) -> None:
        from ..observer.observation import Observation
        from ..observer.observer import Observer

        numbers = {name: value for name, value in given.items() if isinstance(value, bool | int | float)}
        note = self._writer.note
        self._observer = Observer(
            pipeline,
            keep_latents=self._keep_latents,
            before=Observation(),
            sketches=True,
            arguments=numbers,
            keep=follow.see if follow else self._tensors.keep if self._tensors else None,
            note=note,
        )
        if follow is not None:
            follow.attach(pipeline, self._observer)
        self._observer.hook_all()

    def _note_left_out(self, names: Sequence[str]) -> None:
        if names:
            limit = f"tensors of more than {MOST_TENSOR_BYTES // 2**20} MiB are not kept: {', '.join(names)}"
            self._writer.note(ValueError(limit), f"call {self._number}: its tensors")

    def _write(self, outcome: str) -> None:
        with self._noting("writing it"):
            self._writer.write(f"calls/{self._number}/call", self._record | {"outcome": outcome})

    def _noting(self, what: str) -> Any:
        return self._writer.noting(f"call {self._number}: {what}")
