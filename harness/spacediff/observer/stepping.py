"""The steps of a denoising, from the calls of the schedulers and of the denoisers.

The key insight: a step is what happens between two predictions. Usually the scheduler is called once. SkyReels-V2
steps each frame with its own copy of the scheduler, so that the calls of all copies are one step. LTX-2 steps its audio
with a copy besides the scheduler itself; those calls are no steps of the pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .hooks import Call, Note, add_hook, watch_calls
from .structure import denoisers_of, schedulers_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Piece:
    """One call of a scheduler's `step`.

    Attributes:
        scheduler: The scheduler, or a copy of it.
        given: The arguments, by name.
        latents: The result, in the dtype in which the pipeline passes it on.
    """

    scheduler: Any
    given: dict[str, Any]
    latents: torch.Tensor


class Stepping:
    """Watches schedulers and denoisers, and groups the calls of the schedulers into steps.

    Args:
        pipeline: The pipeline.
        step: Makes a call of a scheduler; returns its result and the piece that it is.
        finished: Receives the pieces of a finished step.
        predicted: Receives the denoiser, the arguments by name and the result of each prediction.
        note: Receives an error of these functions, which the pipeline then does not see.
    """

    def __init__(
        self,
        pipeline: Any,
        step: Callable[[Call], tuple[Any, Piece]],
        finished: Callable[[list[Piece]], None],
        predicted: Callable[[Any, dict[str, Any], Any], None] = lambda *_: None,
        note: Note | None = None,
    ) -> None:
        self.copied = False
        self._originals = [scheduler for _, scheduler in schedulers_of(pipeline)]
        self._step = step
        self._finished = finished
        self._predicted = predicted
        self._pieces: list[Piece] = []
        self._led = False
        self._ends: list[Callable[[], None]] = []
        self._undo: list[Callable[[], None]] = []
        for scheduler in self._originals:
            self._undo.append(add_hook(scheduler, "step", self._on_step, follow_copies=True, note=note))
        for _, denoiser in denoisers_of(pipeline):
            self._ends.append(watch_calls(denoiser, self._on_prediction(denoiser), note=note))

    def flush(self) -> None:
        """Finish a step of several pieces; nothing if none has begun."""
        pieces, self._pieces = self._pieces, []
        if pieces:
            self.copied = True
            self._finished(pieces)

    def close(self) -> None:
        """Finish the last step, and watch the denoisers no longer."""
        self.flush()
        for end in self._ends:
            end()

    def unhook(self) -> None:
        """Remove the hooks from the schedulers."""
        for undo in reversed(self._undo):
            undo()

    def _on_step(self, call: Call) -> Any:
        result, piece = self._step(call)
        if any(call.owner is original for original in self._originals):
            self._pieces = []
            self._led = True
            self._finished([piece])
        elif not self._led:
            if any(call.owner is earlier.scheduler for earlier in self._pieces):
                self.flush()
            self._pieces.append(piece)
        return result

    def _on_prediction(self, denoiser: Any) -> Callable[..., None]:
        def predicted(_args: Any, kwargs: dict[str, Any], result: Any) -> None:
            self.flush()
            self._led = False
            self._predicted(denoiser, kwargs, result)

        return predicted
