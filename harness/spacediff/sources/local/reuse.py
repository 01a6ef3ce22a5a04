"""Reuse results between runs: text embeddings and the end of denoising, for runs that would compute the same.

The key insight: to skip the denoising, the pipeline is called with hooks that replace it: `encode_prompt` returns the
kept embeddings, the denoiser returns zeros at no cost, the scheduler's `step` returns the result of its last call, and
the generator gets the state that it had then. Everything before and after is the pipeline's own code, so this works for
any pipeline.
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer
from spacediff.observer.tensors import digest
from spacediff.settings import Settings
from spacediff.stages import Stage, up_to

if TYPE_CHECKING:
    import torch

_DENOISERS = ("transformer", "unet")
_MOST_KEPT = 4
"""Entries of each cache. Runs that share work are executed in a row; with kept latents, an entry takes up to 100 MB."""


@dataclass(frozen=True)
class _States:
    """The states of the random generators."""

    own: torch.Tensor | None
    cpu: torch.Tensor
    cuda: torch.Tensor | None

    @classmethod
    def now(cls, generator: torch.Generator | None) -> _States:
        import torch

        own = None if generator is None else generator.get_state()
        return cls(own, torch.get_rng_state(), torch.cuda.get_rng_state() if torch.cuda.is_available() else None)

    def restore(self, generator: torch.Generator | None) -> None:
        import torch

        if generator is not None and self.own is not None:
            generator.set_state(self.own)
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda)


@dataclass(frozen=True)
class Denoised:
    """The state of a generation at the end of its denoising.

    Attributes:
        seen: The observation up to here.
        result: The result of the scheduler's last `step`, on the CPU.
        outputs: The last output of each denoiser; only its shape matters.
        states: The states of the generators.
        vae: The VAE's settings if it encoded an input before the denoising; None if it did not.
    """

    seen: Observation
    result: Any
    outputs: dict[str, Any]
    states: _States
    vae: str | None


class Reuse:
    """Keeps text embeddings and denoising results, under the settings that determine them."""

    def __init__(self) -> None:
        self._embeddings: OrderedDict[str, Any] = OrderedDict()
        self._denoised: OrderedDict[str, Denoised] = OrderedDict()

    def share_embeddings(self, pipeline: Any, settings: Settings) -> list[str]:
        """Make a pipeline reuse kept text embeddings; after its call, the returned list names what it reused."""
        taken: list[str] = []
        identity = up_to(settings, Stage.TEXT).digest()
        add_hook(pipeline, "encode_prompt", functools.partial(self._embed, identity, taken))
        return taken

    def denoised(self, prompt: str, settings: Settings) -> Denoised | None:
        """Return the denoising result of an earlier run with the same settings up to there; None if there is none."""
        found = self._denoised.get(_identity(prompt, settings))
        return None if found is None or found.vae not in {None, _vae(settings)} else found

    @contextmanager
    def keeping(
        self, pipeline: Any, prompt: str, settings: Settings, observer: Observer, generator: torch.Generator | None
    ) -> Iterator[None]:
        """Keep the result of the denoising inside the block."""
        last = _Last(generator)
        add_hook(pipeline.scheduler, "step", last.see_step)
        for name, module in _denoisers(pipeline):
            module.register_forward_hook(functools.partial(last.see_output, name))
        yield
        seen = observer.seen
        if last.states is None or not _one_loop(seen):
            return  # this pipeline has other methods, or generates the clip in pieces
        result = _mapped(lambda tensor: tensor.detach().cpu(), last.result)
        end = Denoised(seen, result, last.outputs, last.states, _vae(settings) if seen.encoded else None)
        _put(self._denoised, _identity(prompt, settings), end)

    def _embed(self, identity: str, taken: list[str], call: Call) -> Any:
        import torch

        asked = {
            name: digest(value) if isinstance(value, torch.Tensor) else repr(value)
            for name, value in call.arguments().items()
        }
        key = hashlib.sha256(f"{identity} {sorted(asked.items())}".encode()).hexdigest()
        if key in self._embeddings:
            taken.append("text embeddings")
            return _mapped(torch.clone, self._embeddings[key])
        made = call.proceed()
        _put(self._embeddings, key, _mapped(torch.clone, made))
        return made


def resume(pipeline: Any, end: Denoised, generator: torch.Generator | None) -> None:
    """Make a pipeline skip its denoising and continue from the result of an earlier run."""
    for name, module in _denoisers(pipeline):
        if name in end.outputs:
            module.forward = functools.partial(_zeros, end.outputs[name])
    add_hook(pipeline.scheduler, "step", functools.partial(_kept_result, end, generator))


def _kept_result(end: Denoised, generator: torch.Generator | None, call: Call) -> Any:
    end.states.restore(generator)
    device = call.arguments()["sample"].device
    return _mapped(lambda tensor: tensor.to(device), end.result)


def _zeros(output: Any, *_: Any, **__: Any) -> Any:
    import torch

    return _mapped(torch.zeros_like, output)


class _Last:
    """Remembers the last results of the scheduler and the denoisers."""

    def __init__(self, generator: torch.Generator | None) -> None:
        self._generator = generator
        self.outputs: dict[str, Any] = {}
        self.result: Any = None
        self.states: _States | None = None

    def see_step(self, call: Call) -> Any:
        self.result = call.proceed()
        self.states = _States.now(self._generator)
        return self.result

    def see_output(self, name: str, _module: Any, _inputs: Any, output: Any) -> None:
        self.outputs[name] = output


def _one_loop(seen: Observation) -> bool:
    """Whether the denoising was one loop over decreasing timesteps, and all decoding came after it."""
    times = [step.timestep for step in seen.steps]
    falling = all(a is not None and b is not None and a > b for a, b in pairwise(times))
    return bool(seen.decoded) and seen.loops == 1 and not seen.interleaved and falling


def _denoisers(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the modules that predict the noise, found by the names that diffusers gives them."""
    components: dict[str, Any] = pipeline.components
    return [(name, module) for name, module in components.items() if module is not None and name.startswith(_DENOISERS)]


def _mapped(change: Callable[[torch.Tensor], torch.Tensor], value: Any) -> Any:
    """Apply a function to all tensors in a library's result; other values stay."""
    import torch

    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):  # the output classes of diffusers are dicts whose class takes the entries as keywords
        return type(value)(**{key: _mapped(change, entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return type(value)([_mapped(change, entry) for entry in value])
    return value


def _identity(prompt: str, settings: Settings) -> str:
    return f"{up_to(settings, Stage.DENOISING).digest()} {prompt}"


def _vae(settings: Settings) -> str:
    return repr(sorted(settings.table("vae").items()))


def _put(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
