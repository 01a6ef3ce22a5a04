"""Reuse results between runs: text embeddings and the end of denoising, for runs that would compute the same.

The key insight: to skip the denoising, the pipeline is called with hooks that replace it: `encode_prompt` returns the
kept embeddings, the denoiser returns zeros at no cost, the scheduler's `step` returns the result of its last call, and
the generator gets the state that it had then. Everything before and after is the pipeline's own code, so this works for
any pipeline. Text encoder and denoiser then need no weights, and their memory is free for the decoding.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spacediff.errors import DecodingOutOfMemory, FileNotAccessible, OutOfMemory, raise_if_disk_full
from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer
from spacediff.observer.structure import decoder_of, is_denoiser
from spacediff.observer.tensors import digest
from spacediff.settings import Settings
from spacediff.sources.local.denoised import Denoised, States, latents_after, shape_of, zeros_of
from spacediff.sources.local.kept_embeddings import Embeddings, KeptEmbeddings
from spacediff.sources.local.kept_ends import KeptEnds
from spacediff.sources.local.trees import described, mapped, rebuilt
from spacediff.sources.local.weights import empty, modules_of
from spacediff.stages import Stage, up_to

if TYPE_CHECKING:
    import torch

_TEXT_ENCODERS = "text_encoder"
_EMBEDDINGS = "text embeddings"


class NotResumedError(Exception):
    """A run could not continue from the denoising result of an earlier one."""


class Reuse:
    """Keeps text embeddings and denoising results, under what determines them.

    Args:
        folder: Where denoising results are kept; by default a temporary folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or self._temporary()
        self._ends = KeptEnds(folder)
        self._embeddings = KeptEmbeddings(folder)

    def share_embeddings(
        self, pipeline: Any, subject: str, settings: Settings, run: str = "", end: Denoised | None = None
    ) -> Embedding:
        """Make a pipeline reuse kept text embeddings.

        Args:
            pipeline: The pipeline of the run.
            subject: Everything else that determines the embeddings; see `denoised`.
            settings: All settings of the run.
            run: The identity of the run: what it has made itself, before its process ended, is not shared.
            end: The denoising result that the run continues from, which has embeddings of its own.
        """
        identity = f"{up_to(settings, Stage.TEXT).digest()} {subject}"
        of_end = {} if end is None else end.embeddings
        embedding = Embedding(pipeline, self._embeddings, identity, of_end, run)
        add_hook(pipeline, "encode_prompt", embedding)
        return embedding

    def denoised(self, subject: str, settings: Settings) -> Denoised | None:
        """Return the denoising result of an earlier run with the same settings up to there; None if there is none.

        Args:
            subject: Everything else that determines the denoising: the prompt, the machine, the checkpoint.
            settings: All settings of the run.
        """
        found = self._ends.get(_identity(subject, settings))
        return None if found is None or found.vae not in {None, _vae(settings)} else found

    def decoded(self, subject: str, settings: Settings) -> None:
        """Note that a run has been decoded."""
        self._ends.decoded(_identity(subject, settings))

    def keep_target(self, subject: str, settings: Settings, run: str) -> None:
        """Let the denoising result of a run stay, for runs that are compared with it; that of another one no longer."""
        with suppress(FileNotAccessible):  # then they are compared with what the audit folder has
            self._ends.keep_target(_identity(subject, settings), run)

    def latents_of_target(self, run: str) -> Callable[[int], torch.Tensor | None] | None:
        """Return what reads the exact latents of such a run; None where its result is not kept."""
        path = self._ends.target(run)
        return None if path is None else functools.partial(latents_after, path)

    @contextmanager
    def keeping(
        self,
        pipeline: Any,
        subject: str,
        settings: Settings,
        observer: Observer,
        generator: torch.Generator | None,
        *,
        embedding: Embedding | None = None,
    ) -> Iterator[None]:
        """Keep the result of the denoising inside the block, also if the decoding then runs out of memory.

        Raises:
            DecodingOutOfMemory: The decoding ran out of memory, and the result of the denoising is kept.
        """
        last = _Last(pipeline, generator)

        def keep(*, decoded: bool) -> bool:
            end = last.end(observer.seen, settings, embedding)
            if end is None:
                return False
            try:
                self._ends.put(_identity(subject, settings), end, decoded=decoded)
            except (OSError, TypeError) as error:  # an end that cannot be kept is not reused; the clip is there
                raise_if_disk_full(error)
                return False
            return True

        try:
            yield
        except OutOfMemory as error:
            if last.decoding and keep(decoded=False):
                raise DecodingOutOfMemory(error.message, host=error.host) from error
            raise
        keep(decoded=True)

    def close(self) -> None:
        """Remove what nobody needs any more; results that were never decoded stay."""
        self._embeddings.clear()
        self._ends.clear()

    def _temporary(self) -> Path:
        folder = tempfile.mkdtemp(prefix="spacediff-denoised-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


class Embedding:
    """A hook on `encode_prompt` that returns kept embeddings, and keeps new ones, on the CPU.

    Attributes:
        run: The identity of the run.
        taken: Names of what was reused from other runs, each once however often the pipeline encodes.
        made: The results of this run, by what was asked for.
    """

    def __init__(self, pipeline: Any, kept: KeptEmbeddings, identity: str, of_end: Mapping[str, Any], run: str) -> None:
        self.run = run
        self.taken: list[str] = []
        self.made: dict[str, Any] = {}
        self._pipeline = pipeline
        self._kept = kept
        self._identity = identity
        self._of_end = of_end

    def __call__(self, call: Call) -> Any:
        """Return the embeddings of a call."""
        import torch

        arguments = call.arguments()
        device = torch.device(arguments.get("device") or self._pipeline._execution_device)  # noqa: SLF001 - as pipelines do
        asked = {
            name: digest(value) if isinstance(value, torch.Tensor) else repr(value) for name, value in arguments.items()
        }
        key = hashlib.sha256(f"{self._identity} {sorted(asked.items())}".encode()).hexdigest()
        if key in self._of_end:
            return self._taken(self._of_end[key], device)
        kept = self._kept.get(key)
        if kept is None:
            made = call.proceed()
            if _all_on(device, made):
                self.made[key] = mapped(lambda tensor: tensor.detach().to("cpu", copy=True), made)
                self._keep(key)
            return made
        self.made[key] = kept.value
        if _EMBEDDINGS not in self.taken and (not self.run or kept.made_by != self.run):
            self.taken.append(_EMBEDDINGS)
        return self._taken(kept.value, device)

    def _keep(self, key: str) -> None:
        try:
            self._kept.put(key, Embeddings(self.made[key], self.run))
        except (OSError, TypeError) as error:  # then they are not reused
            raise_if_disk_full(error)

    @staticmethod
    def _taken(value: Any, device: torch.device) -> Any:
        return mapped(lambda tensor: tensor.to(device, copy=True), value)


def _all_on(device: torch.device, value: Any) -> bool:
    found: list[torch.device] = []
    mapped(lambda tensor: found.append(tensor.device), value)
    if device.type == "cpu":  # offloading without an accelerator names it `cpu:0`
        return all(each.type == "cpu" for each in found)
    return all(each.type == device.type and device.index in {None, each.index} for each in found)


def resume(pipeline: Any, end: Denoised, generator: torch.Generator | None) -> None:
    """Make a pipeline skip its denoising and continue from the result of an earlier run.

    Call it before the pipeline is placed: the text encoders and the denoisers release their weights.
    """
    for name, module in modules_of(pipeline):
        if is_denoiser(name) and name in end.outputs:
            empty(module)
            module.forward = functools.partial(_zeros, end.outputs[name])
        elif name.startswith(_TEXT_ENCODERS):
            empty(module)
            module.forward = _refuse_to_encode
    add_hook(pipeline.scheduler, "step", functools.partial(_kept_result, end, generator))
    add_hook(decoder_of(pipeline), "decode", _Checked(end))


class _Checked:
    """A hook on `decode` that refuses other latents than those of the earlier run.

    Some pipelines change the latents after the scheduler's step: those that keep an input picture in them put it back.
    """

    def __init__(self, end: Denoised) -> None:
        self._expected = end.to_decode

    def __call__(self, call: Call) -> Any:
        """Decode; raises NotResumedError for other latents."""
        if self._expected and _to_decode(call) != self._expected:
            raise NotResumedError("other latents are to be decoded")
        self._expected = ""  # the later pieces follow from the same latents
        return call.proceed()


def _to_decode(call: Call) -> str:
    """Return the digest of the first sample that a call of `decode` gets, however many it gets at once."""
    latents = next(iter(call.arguments().values()))
    return digest(latents[:1])


def _refuse_to_encode(*_: Any, **__: Any) -> NoReturn:
    raise NotResumedError("the text is to be encoded again")


def _kept_result(end: Denoised, generator: torch.Generator | None, call: Call) -> Any:
    device = call.arguments()["sample"].device
    end.states.restore(generator, device)
    return mapped(lambda tensor: tensor.to(device), end.result)


def _zeros(output: Any, *given: Any, **named: Any) -> Any:
    import torch

    device = next(value.device for value in (*given, *named.values()) if isinstance(value, torch.Tensor))
    return rebuilt(output, lambda shape: zeros_of(shape, device))


class _Last:
    """Remembers the last results of the scheduler and the denoisers, and whether the decoding has begun.

    Attributes:
        decoding: Whether the decoding of the last latents has begun.
    """

    def __init__(self, pipeline: Any, generator: torch.Generator | None) -> None:
        self.decoding = False
        self._to_decode = ""
        self._generator = generator
        self._outputs: dict[str, Any] = {}
        self._result: Any = None
        self._states: States | None = None
        add_hook(getattr(pipeline, "scheduler", None), "step", self._see_step)
        add_hook(decoder_of(pipeline), "decode", self._see_decoding)
        for name, module in modules_of(pipeline):
            if is_denoiser(name):
                module.register_forward_hook(functools.partial(self._see_output, name))

    def end(self, seen: Observation, settings: Settings, embedding: Embedding | None) -> Denoised | None:
        """Return the end of the denoising; None if a pipeline has other methods, or generates the clip in pieces."""
        if self._states is None or not self.decoding or not _one_loop(seen):
            return None
        result = mapped(lambda tensor: tensor.detach().cpu(), self._result)
        vae = _vae(settings) if seen.encoded else None
        made, run, shared = (embedding.made, embedding.run, embedding.taken) if embedding else ({}, "", [])
        return Denoised(seen, result, self._outputs, made, run, tuple(shared), self._states, vae, self._to_decode)

    def _see_step(self, call: Call) -> Any:
        self.decoding, self._to_decode = False, ""
        self._result = call.proceed()
        self._states = States.now(self._generator, call.arguments()["sample"].device)
        return self._result

    def _see_decoding(self, call: Call) -> Any:
        self.decoding = True
        self._to_decode = self._to_decode or _to_decode(call)
        return call.proceed()

    def _see_output(self, name: str, _module: Any, _inputs: Any, output: Any) -> None:
        with suppress(TypeError):  # then the denoiser cannot be replaced, and its next call fails to resume
            self._outputs[name] = described(output, shape_of)


def _one_loop(seen: Observation) -> bool:
    """Whether the denoising was one loop of one scheduler over falling timesteps, and all decoding came after it.

    Some schedulers step twice at one timestep: PNDM, which Stable Diffusion 1.5 comes with, and those of second order.
    """
    times = [step.timestep for step in seen.steps]
    falling = all(a is not None and b is not None and a >= b for a, b in pairwise(times))
    return seen.loops == 1 and not seen.interleaved and not seen.copied and falling


def _identity(subject: str, settings: Settings) -> str:
    return f"{up_to(settings, Stage.DENOISING).digest()} {subject}"


def _vae(settings: Settings) -> str:
    return repr(sorted(settings.table("vae").items()))
