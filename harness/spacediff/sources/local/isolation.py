"""Isolated steps: every step starts from the latents of another run, so that no step inherits an earlier error.

The key insight: what a step starts from is what the step before returned. So the results of the scheduler are replaced,
in every loop of a combined pipeline and for every copy of a scheduler that is copied for each frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacediff.errors import NotComparable
from spacediff.observer.hooks import Call, add_hook, step_result
from spacediff.observer.scaling import CONVERTIBLE, Scaling, scaling_of
from spacediff.observer.stepping import Piece, Stepping
from spacediff.observer.structure import pipelines_of
from spacediff.observer.tensors import number
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch

_HINT = "steps can be isolated only between settings with the same number of steps and the same sizes"


@dataclass(frozen=True)
class Latents:
    """The latents of a run, on the CPU.

    Attributes:
        starts: What each call of `prepare_latents` returned.
        first: What the first step was given; None if no step was seen.
        results: What each call of a scheduler returned, in the dtype in which it was passed on.
        steps: Numbers of the calls of each step, in `results`.
        scaling: Kind of the scaling of the latents; see `spacediff.observer.scaling`.
        signals: Factor of the clean sample in what each call was given; None if it is unknown.
    """

    starts: Sequence[torch.Tensor]
    first: torch.Tensor | None
    results: Sequence[torch.Tensor]
    steps: Sequence[Sequence[int]]
    scaling: str
    signals: Sequence[float | None]


class Recorder:
    """Records the latents of a pipeline's call.

    Args:
        pipeline: The pipeline, before it is called.
    """

    def __init__(self, pipeline: Any) -> None:
        self._starts: list[torch.Tensor] = []
        self._first: torch.Tensor | None = None
        self._pieces: list[Piece] = []
        self._results: list[torch.Tensor] = []
        self._steps: list[list[int]] = []
        self._signals: list[float | None] = []
        self._scaling = Scaling()
        self._stepping = Stepping(pipeline, self._on_scheduler, self._on_step)
        for each in pipelines_of(pipeline):
            add_hook(each, "prepare_latents", self._on_start)

    def latents(self) -> Latents:
        """Return the latents after the call.

        Raises:
            NotComparable: No step was seen.
        """
        self._stepping.close()
        if not self._results:
            raise NotComparable("the steps of the run that gives the latents were not observed, so none can be fed")
        return Latents(self._starts, self._first, self._results, self._steps, self._scaling.kind, self._signals)

    def _on_start(self, call: Call) -> Any:
        prepared = call.proceed()
        self._starts.append(_kept(start_of(prepared)))
        return prepared

    def _on_scheduler(self, call: Call) -> tuple[Any, Piece]:
        given = call.arguments()
        if self._first is None:
            self._first = _kept(given["sample"])
        timestep = number(given.get("timestep"))
        if timestep is None or timestep not in self._scaling.signal:
            self._scaling = scaling_of(call.owner)
        self._signals.append(None if timestep is None else self._scaling.signal.get(timestep))
        result = call.proceed()
        piece = Piece(call.owner, given, step_result(result).to(given["sample"].dtype))
        self._pieces.append(piece)
        self._results.append(_kept(piece.latents))
        return result, piece

    def _on_step(self, pieces: list[Piece]) -> None:
        self._steps.append([n for n, known in enumerate(self._pieces) if any(known is piece for piece in pieces)])


class Feed:
    """Makes a pipeline start every step from the latents of another run; the last step's own result is decoded.

    Args:
        pipeline: The pipeline, before it is called.
        latents: The latents of the other run.

    Attributes:
        errors: For each finished step, the distance of its result from the other run's, relative to the other's norm.
    """

    def __init__(self, pipeline: Any, latents: Latents) -> None:
        self.errors: list[float] = []
        self._latents = latents
        self._schedulers: list[Any] = []
        self._pairs: list[tuple[Piece, torch.Tensor, torch.Tensor]] = []
        self._started = 0
        self._called = 0
        self._in_loop = 0
        self._stepping = Stepping(pipeline, self._on_scheduler, self._on_step)
        for each in pipelines_of(pipeline):
            add_hook(each, "prepare_latents", self._on_start)

    def close(self) -> None:
        """Finish the last step.

        Raises:
            NotComparable: The number of steps differs from that of the other run.
        """
        self._stepping.close()
        if len(self.errors) != len(self._latents.steps):
            ours, theirs = len(self.errors), len(self._latents.steps)
            raise NotComparable(f"the run has {ours} steps, but {theirs} in the run that gives the latents", hint=_HINT)

    def _on_start(self, call: Call) -> Any:
        prepared = call.proceed()
        self._in_loop = 0
        scheduler = getattr(call.owner, "scheduler", None)
        if self._started < len(self._latents.starts):
            signal = None if self._called >= len(self._latents.signals) else self._latents.signals[self._called]
            start = self._latents.starts[self._started]
            fed = like(start * self._factor(scheduler, 0, signal), start_of(prepared))
            prepared = with_start(prepared, fed)
        self._started += 1
        return prepared

    def _on_scheduler(self, call: Call) -> tuple[Any, Piece]:
        given = call.arguments()
        known = self._latents
        if self._called == 0 and not self._started:
            self._refuse_other_start(call.owner, given["sample"])
        result = call.proceed()
        own = step_result(result).to(given["sample"].dtype)
        number_of_call = self._called
        self._called += 1
        self._in_loop += 1
        if number_of_call >= len(known.results):
            return result, Piece(call.owner, given, own)
        signals = known.signals
        after = signals[number_of_call + 1] if number_of_call + 1 < len(signals) else 1.0
        fed = like(known.results[number_of_call] * self._factor(call.owner, self._in_loop, after), step_result(result))
        piece = Piece(call.owner, given, own)
        self._pairs.append((piece, own, fed.to(own.dtype)))
        if number_of_call >= known.steps[-1][0]:
            return result, piece
        return with_latents(result, fed), piece

    def _on_step(self, pieces: list[Piece]) -> None:
        pairs = [(own, fed) for known, own, fed in self._pairs if any(known is piece for piece in pieces)]
        self._pairs = []
        self.errors.append(relative_distance(pairs) if pairs else 0.0)

    def _factor(self, scheduler: Any, step: int, signal: float | None) -> float:
        """Return the factor that converts the other run's latents to the scaling of a scheduler.

        Args:
            scheduler: The scheduler.
            step: How many steps of its loop came before.
            signal: Factor of the clean sample in the other run's latents there.

        Raises:
            NotComparable: Latents cannot be converted between the two scalings.
        """
        scaling = scaling_of(scheduler)
        if scaling.kind == self._latents.scaling:
            return 1.0
        if not {scaling.kind, self._latents.scaling} <= CONVERTIBLE or not signal:
            kinds = " and ".join(kind or "unknown" for kind in (scaling.kind, self._latents.scaling))
            raise NotComparable(f"the schedulers scale the latents differently ({kinds}), so no step can be fed")
        times = [number(each) for each in scheduler.timesteps]
        own = scaling.signal[times[step] or 0.0] if step < len(times) else 1.0
        return own / signal

    def _refuse_other_start(self, scheduler: Any, sample: torch.Tensor) -> None:
        first = self._latents.first
        if first is None or scaling_of(scheduler).kind != self._latents.scaling or not _equal(first, sample):
            raise NotComparable(
                "the initial latents differ, and this pipeline has no method in which they could be replaced",
                hint="isolate the steps of a run with the same initial noise and the same scheduler",
            )


def refuse_other_sizes(declared: Settings, fed_by: Settings) -> None:
    """Refuse two runs of different sizes before anything is generated.

    Raises:
        NotComparable: Both runs declare the number of steps or a size, with different values.
    """
    for name in ("num_inference_steps", "num_frames", "height", "width"):
        own, other = (settings.value(f"call.{name}") for settings in (declared, fed_by))
        if None not in (own, other) and own != other:
            raise NotComparable(f"call.{name} is {own}, but {other} in the run that gives the latents", hint=_HINT)


def with_latents(result: Any, fed: torch.Tensor) -> Any:
    """Return the result of a scheduler's step with other latents."""
    if isinstance(result, tuple):
        return (fed, *result[1:])
    result.prev_sample = fed
    return result


def with_start(prepared: Any, fed: torch.Tensor) -> Any:
    """Return the result of `prepare_latents` with other latents."""
    return type(prepared)([fed, *prepared[1:]]) if isinstance(prepared, list | tuple) else fed


def start_of(prepared: Any) -> torch.Tensor:
    """Return the latents in the result of `prepare_latents`."""
    start: torch.Tensor = prepared[0] if isinstance(prepared, list | tuple) else prepared
    return start


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True)


def _equal(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    import torch

    return torch.equal(ours.cpu(), theirs.detach().cpu())


def like(latents: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Return another run's tensor on the device and in the dtype of this run's.

    Raises:
        NotComparable: They have different shapes.
    """
    if latents.shape != own.shape:
        raise NotComparable(
            f"a tensor has shape {tuple(own.shape)}, but {tuple(latents.shape)} in the run that gives it", hint=_HINT
        )
    return latents.to(own.device, own.dtype)


def relative_distance(pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Return the distance of some results from those of the other run, relative to the norm of the latter."""
    error = size = 0.0
    for own, other in pairs:
        ours, theirs = own.detach().cpu().double(), other.cpu().double()  # MPS has no float64
        error += float((ours - theirs).square().sum())
        size += float(theirs.square().sum())
    return (error / size) ** 0.5 if size else 0.0
