"""One stage of training: steps of AdamW and Muon, with a state on disk, so that an interrupted stage continues.

The key insight: the random draws of a step depend only on the seed and the number of the step. So an interrupted stage
ends with the same weights as one that was not, on the same machine and with the same number of threads.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.files import move, write_atomically

if TYPE_CHECKING:
    import torch

_SAVE_EVERY = 60.0  # seconds
_STEPS_PER_LINE = 50  # of the loss curve, which has their mean


@dataclass(frozen=True)
class Schedule:
    """Length and learning rate of a stage.

    Attributes:
        name: Name of its files.
        steps: Number of steps.
        rate: Highest learning rate: reached after a linear warm-up, followed by a linear decay to zero at the end.
        warm_up: Steps of the warm-up.
        decay: Share of the steps with a decaying learning rate.
        averaging: Decay per step of the exponential moving average of the weights; 0 keeps the last weights.
    """

    name: str
    steps: int
    rate: float
    warm_up: int = 100
    decay: float = 0.3
    averaging: float = 0.998

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        remaining = (self.steps - step) / max(self.steps * self.decay, 1.0)
        return self.rate * min(1.0, (step + 1) / self.warm_up, remaining)


@dataclass
class _State:
    """What a step changes: weights, the optimizers' states, the average, and the losses since the last line."""

    module: torch.nn.Module
    optimizers: list[torch.optim.Optimizer]
    average: list[torch.Tensor]
    step: int = 0
    losses: list[float] = field(default_factory=list)


Loss = Callable[[int], "torch.Tensor"]
OnStep = Callable[[int, float], None]


def learn(
    schedule: Schedule,
    module: torch.nn.Module,
    loss_of: Loss,
    folder: Path,
    on_step: OnStep,
    *,
    hidden: Sequence[torch.nn.Parameter] = (),
) -> None:
    """Train all parameters of a module in place; it ends with the averaged weights.

    Args:
        schedule: Length and learning rate.
        module: The module to train.
        loss_of: Computes the loss of a step from its number.
        folder: Contains the state (`NAME.state`) and the loss curve (`NAME.csv`: step, loss, Unix time in seconds).
        on_step: Called after each step with its number and its loss.
        hidden: The matrices that are trained by Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon), with step
            sizes matched to those of AdamW (arXiv:2502.16982); AdamW trains all other parameters.
    """
    parameters = list(module.parameters())
    state = _State(module, _optimizers(parameters, hidden), [parameter.detach().clone() for parameter in parameters])
    file, curve = folder / f"{schedule.name}.state", folder / f"{schedule.name}.csv"
    _resume(file, state)
    _truncate_curve(curve, state.step)
    module.train()
    saved = time.monotonic()
    while state.step < schedule.steps:
        state.losses.append(_step(schedule, state, parameters, loss_of))
        on_step(state.step, state.losses[-1])
        if state.step % _STEPS_PER_LINE == 0:
            _append_to_curve(curve, state.step, sum(state.losses) / len(state.losses))
            state.losses.clear()
        if time.monotonic() - saved > _SAVE_EVERY or state.step == schedule.steps:
            _save(file, state)
            saved = time.monotonic()
    for parameter, mean in zip(parameters, state.average, strict=True):
        parameter.data.copy_(mean)
    module.eval()


def _optimizers(
    parameters: list[torch.nn.Parameter], hidden: Sequence[torch.nn.Parameter]
) -> list[torch.optim.Optimizer]:
    import torch

    by_muon = {id(parameter) for parameter in hidden}
    others = [parameter for parameter in parameters if id(parameter) not in by_muon]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(others, betas=(0.9, 0.99), weight_decay=0.01)]
    if hidden:
        optimizers.append(torch.optim.Muon(hidden, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return optimizers


def _step(schedule: Schedule, state: _State, parameters: list[torch.nn.Parameter], loss_of: Loss) -> float:
    """Perform one step and return its loss."""
    import torch

    loss = loss_of(state.step)
    state.module.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate_at(state.step)
        optimizer.step()
    decay = min(schedule.averaging, state.step / (state.step + 10))
    torch._foreach_lerp_(state.average, [parameter.detach() for parameter in parameters], 1.0 - decay)
    state.step += 1
    return float(loss.detach())


def _resume(file: Path, state: _State) -> None:
    import torch

    if not file.exists():
        return
    saved = torch.load(file, map_location="cpu", weights_only=True)
    state.module.load_state_dict(saved["module"])
    for optimizer, values in zip(state.optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(values)
    for mean, value in zip(state.average, saved["average"], strict=True):
        mean.copy_(value)
    state.step, state.losses = int(saved["step"]), list(saved["losses"])


def _save(file: Path, state: _State) -> None:
    import torch

    draft = file.with_suffix(".draft")
    saved = {
        "step": state.step,
        "losses": state.losses,
        "module": state.module.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in state.optimizers],
        "average": state.average,
    }
    torch.save(saved, draft)
    move(draft, file)


def _truncate_curve(curve: Path, step: int) -> None:
    """Remove the lines after the step from which the stage continues."""
    if curve.exists() and (lines := curve.read_text(encoding="utf-8").splitlines()):
        kept = [line for line in lines[1:] if int(line.partition(",")[0]) <= step]
        write_atomically(curve, "\n".join([lines[0], *kept, ""]))


def _append_to_curve(curve: Path, step: int, loss: float) -> None:
    fresh = not curve.exists() or not curve.stat().st_size
    with curve.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["step", "loss", "time"])
        writer.writerow([step, f"{loss:.6f}", f"{time.time():.0f}"])
