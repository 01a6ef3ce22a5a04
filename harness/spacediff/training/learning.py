"""One stage of training: steps of AdamW and Muon, with a state on disk, so that it can be interrupted and goes on.

The key insight: what a step draws depends on the seed and the step's number alone. So a stage that was interrupted ends
with the weights of one that was not, on the same machine and number of threads.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.files import write_atomically

if TYPE_CHECKING:
    import torch

_SAVED_EVERY = 60.0  # seconds
_AVERAGED = 50  # steps, in a line of the curve


@dataclass(frozen=True)
class Course:
    """How a stage goes.

    Attributes:
        name: Of its files.
        steps: All of them.
        rate: The highest learning rate; reached after the warm-up, and left linearly towards zero over the cooling.
        warm_up: Steps.
        cooling: Share of the steps at the end.
        averaging: Of the weights that are kept, as decay of an exponential moving average per step; 0 keeps the last.
    """

    name: str
    steps: int
    rate: float
    warm_up: int = 100
    cooling: float = 0.3
    averaging: float = 0.998

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        left = (self.steps - step) / max(self.steps * self.cooling, 1.0)
        return self.rate * min(1.0, (step + 1) / self.warm_up, left)


@dataclass
class _Pupil:
    """What a step changes: weights, the optimizers' states, the average, and the losses that no line holds yet."""

    module: torch.nn.Module
    optimizers: list[torch.optim.Optimizer]
    average: list[torch.Tensor]
    step: int = 0
    losses: list[float] = field(default_factory=list)


Loss = Callable[[int], "torch.Tensor"]
Told = Callable[[int, float], None]


def learn(
    course: Course,
    module: torch.nn.Module,
    loss_of: Loss,
    folder: Path,
    told: Told,
    *,
    hidden: Sequence[torch.nn.Parameter] = (),
) -> None:
    """Train a module in place; it ends with the averaged weights.

    Args:
        course: How.
        module: What is trained: all of its parameters.
        loss_of: The loss of a step, from the step's number.
        folder: Holds the state (`NAME.state`) and the loss curve (`NAME.csv`: step, loss, Unix time in seconds).
        told: Told a step's number and its loss.
        hidden: Those of its matrices that are trained by Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon),
            with the scale of its steps matched to AdamW's (arXiv:2502.16982); all else is trained by AdamW.
    """
    parameters = list(module.parameters())
    pupil = _Pupil(module, _optimizers(parameters, hidden), [parameter.detach().clone() for parameter in parameters])
    state, curve = folder / f"{course.name}.state", folder / f"{course.name}.csv"
    _resumed(state, pupil)
    _cut_back(curve, pupil.step)
    module.train()
    saved = time.monotonic()
    while pupil.step < course.steps:
        pupil.losses.append(_stepped(course, pupil, parameters, loss_of))
        told(pupil.step, pupil.losses[-1])
        if pupil.step % _AVERAGED == 0:
            _note(curve, pupil.step, sum(pupil.losses) / len(pupil.losses))
            pupil.losses.clear()
        if time.monotonic() - saved > _SAVED_EVERY or pupil.step == course.steps:
            _save(state, pupil)
            saved = time.monotonic()
    for parameter, mean in zip(parameters, pupil.average, strict=True):
        parameter.data.copy_(mean)
    module.eval()


def _optimizers(
    parameters: list[torch.nn.Parameter], hidden: Sequence[torch.nn.Parameter]
) -> list[torch.optim.Optimizer]:
    import torch

    apart = {id(parameter) for parameter in hidden}
    others = [parameter for parameter in parameters if id(parameter) not in apart]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(others, betas=(0.9, 0.99), weight_decay=0.01)]
    if hidden:
        optimizers.append(torch.optim.Muon(hidden, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return optimizers


def _stepped(course: Course, pupil: _Pupil, parameters: list[torch.nn.Parameter], loss_of: Loss) -> float:
    """Take a step; return its loss."""
    import torch

    loss = loss_of(pupil.step)
    pupil.module.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for optimizer in pupil.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = course.rate_at(pupil.step)
        optimizer.step()
    kept = min(course.averaging, pupil.step / (pupil.step + 10))
    torch._foreach_lerp_(pupil.average, [parameter.detach() for parameter in parameters], 1.0 - kept)
    pupil.step += 1
    return float(loss.detach())


def _resumed(state: Path, pupil: _Pupil) -> None:
    import torch

    if not state.exists():
        return
    held = torch.load(state, map_location="cpu", weights_only=True)
    pupil.module.load_state_dict(held["module"])
    for optimizer, kept in zip(pupil.optimizers, held["optimizers"], strict=True):
        optimizer.load_state_dict(kept)
    for mean, value in zip(pupil.average, held["average"], strict=True):
        mean.copy_(value)
    pupil.step, pupil.losses = int(held["step"]), list(held["losses"])


def _save(state: Path, pupil: _Pupil) -> None:
    import torch

    draft = state.with_suffix(".draft")
    held = {
        "step": pupil.step,
        "losses": pupil.losses,
        "module": pupil.module.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in pupil.optimizers],
        "average": pupil.average,
    }
    torch.save(held, draft)
    draft.replace(state)


def _cut_back(curve: Path, step: int) -> None:
    """Drop the lines beyond the step from which the stage goes on."""
    if curve.exists() and (lines := curve.read_text(encoding="utf-8").splitlines()):
        kept = [line for line in lines[1:] if int(line.partition(",")[0]) <= step]
        write_atomically(curve, "\n".join([lines[0], *kept, ""]))


def _note(curve: Path, step: int, loss: float) -> None:
    fresh = not curve.exists() or not curve.stat().st_size
    with curve.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["step", "loss", "time"])
        writer.writerow([step, f"{loss:.6f}", f"{time.time():.0f}"])
