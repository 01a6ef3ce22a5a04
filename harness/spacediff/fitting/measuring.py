"""Run a checkpoint's pipeline on meta tensors, in a process of its own, and print what its components need.

The key insight: the pipeline itself runs as usual on the CPU, with real latents and a real scheduler, which are small.
Only its models are on the meta device: each takes shapes, needs no memory, and answers with zeros. So every pipeline of
diffusers can be measured by its own code. The folder gives configurations; weights are not read, and no code from it
runs. Read a request as JSON from standard input; `activations.py` describes it and starts this module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from spacediff.devices import free_memory
from spacediff.errors import failure
from spacediff.fitting.live_storages import FusedAttention, LiveStorages, TakesLongError
from spacediff.fitting.weights import INDEX, listed_components, read_json
from spacediff.torchvision_shim import shim_torchvision

OPERATIONS_EACH = 150_000
"""Operations of one call of one component, about 20 seconds. Decoding in many tiles may take more; the tiles are alike,
so that the need until then, with room for the whole clip, stands for all."""
_STEPS = 2
"""Denoising steps: each needs the same memory."""


class _DecodedError(Exception):
    """The clip is decoded: what a pipeline does with it afterwards needs little memory."""


@dataclass
class _Measured:
    """What one call of the pipeline showed.

    Attributes:
        peaks: Component to the most bytes of activations.
        latents: Number of values of the latents.
        clip: Shape of the decoded clip, as the VAE returns it; empty if decoding was cut off.
        cut_off: Whether it was.
    """

    peaks: dict[str, int] = field(default_factory=dict)
    latents: int = 0
    clip: list[int] = field(default_factory=list)
    cut_off: bool = False


class _MeteredModel:
    """A model on the meta device whose calls are measured; equal calls are measured once.

    Args:
        name: Its name in the pipeline.
        model: The model.
    """

    def __init__(self, name: str, model: Any) -> None:
        self._name = name
        self._model = model
        self._inside = False
        self._known: dict[str, tuple[int, Any]] = {}
        self.measured = _Measured()
        self.fused = True
        _pretend(model, device=lambda _: torch.device("meta" if self._inside else "cpu"))
        for method in ("forward", "decode"):
            if hasattr(model, method):
                setattr(model, method, self._metered(method))

    def _metered(self, method: str) -> Callable[..., Any]:
        original = getattr(self._model, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._inside:
                return original(*args, **kwargs)
            given = tree_map_only(torch.Tensor, lambda t: torch.empty_like(t, device="meta"), (args, kwargs))
            shapes = tree_map_only(torch.Tensor, lambda t: (tuple(t.shape), t.dtype), given)
            tiling = getattr(self._model, "use_tiling", None), getattr(self._model, "use_slicing", None)
            key = repr((method, self.fused, tiling, shapes))
            if key not in self._known:
                self._known[key] = self._run(original, *given)
            peak, result = self._known[key]
            self.measured.peaks[self._name] = max(peak, self.measured.peaks.get(self._name, 0))
            if method == "decode":
                self.measured.clip, self.measured.cut_off = _shape(result), result is None
                raise _DecodedError
            return tree_map_only(torch.Tensor, lambda t: torch.zeros(t.shape, dtype=t.dtype), result)

        return call

    def _run(self, original: Callable[..., Any], args: Any, kwargs: Any) -> tuple[int, Any]:
        storages = LiveStorages([*self._model.parameters(), *self._model.buffers()], OPERATIONS_EACH)
        self._inside = True
        try:
            with ExitStack() as stack:
                stack.enter_context(storages)
                if self.fused:
                    stack.enter_context(FusedAttention())
                args, kwargs = tree_map_only(torch.Tensor, torch.empty_like, (args, kwargs))  # they occupy memory too
                result = original(*args, **kwargs)
        except TakesLongError:
            result = None
        finally:
            self._inside = False
        return storages.peak, result


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Measure the calls of a request; `activations.py` has its form."""
    found: dict[str, Any] = {"memory": _memory(request["device"])}
    try:
        pipeline, metered, extra = _pipeline(Path(request["folder"]), request["pipeline"], request["dtype"])
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the needs are unknown
        return found | {"error": failure(error)}
    return found | {"extra": extra, "calls": [_measure(pipeline, metered, call) for call in request["calls"]]}


def _memory(device: str | None) -> tuple[int, int] | None:
    """Return free and total bytes of a device; asked here, since asking creates a context that this process ends."""
    return free_memory(device) if device else None


def _pipeline(folder: Path, class_name: str | None, dtype: str | None) -> tuple[Any, list[_MeteredModel], Any]:
    """Build the pipeline with models on the meta device; raises what diffusers and transformers raise."""
    shim_torchvision()
    import diffusers

    diffusers.utils.logging.disable_progress_bar()
    models = build_models(folder, dtype)
    index = read_json(folder / INDEX) or {}
    pipeline_class = _class_of(diffusers, class_name or index["_class_name"], diffusers.DiffusionPipeline)
    pipeline = pipeline_class.from_pretrained(folder, local_files_only=True, **models)
    pipeline.set_progress_bar_config(disable=True)
    cpu = torch.device("cpu")
    _pretend(pipeline, device=lambda _: cpu, _execution_device=lambda _: cpu)
    metered = [_MeteredModel(name, model) for name, model in models.items()]
    extra = {name: _kept_in_float32(model) for name, model in models.items()} if dtype == "float16" else {}
    return pipeline, metered, extra


def build_models(folder: Path, dtype: str | None) -> dict[str, Any]:
    """Build the models of a checkpoint on the meta device, by name; raises what diffusers and transformers raise.

    Args:
        folder: The folder with the configurations.
        dtype: Their data type; float32 by default.
    """
    shim_torchvision()
    index = read_json(folder / INDEX) or {}
    return {
        name: _model(folder / name, library, index[name][1], getattr(torch, dtype or "float32"))
        for name, library in listed_components(index).items()
        if (folder / name / "config.json").is_file()
    }


def _model(folder: Path, library: str, class_name: str, dtype: torch.dtype) -> Any:
    import diffusers
    import transformers

    with torch.device("meta"):
        if library == "diffusers":
            model_class = _class_of(diffusers, class_name, diffusers.ModelMixin)
            model = model_class.from_config(model_class.load_config(folder, local_files_only=True))
        elif library == "transformers":
            model_class = _class_of(transformers, class_name, transformers.PreTrainedModel)
            model = model_class(model_class.config_class.from_pretrained(folder, local_files_only=True))
        else:
            raise TypeError(f"{class_name} is code of the checkpoint, which is not run")
    return torch.nn.Module.to(model, dtype).eval()  # diffusers' own `to` warns of what `_kept_in_float32` counts


def _class_of(library: Any, name: str, base: type) -> Any:
    found = getattr(library, name, None)
    if isinstance(found, type) and issubclass(found, base):
        return found
    raise TypeError(f"{library.__name__} has no {name}")


def _kept_in_float32(model: Any) -> int:
    """Count the bytes by which a model is larger in float16, since its class keeps some weights in float32."""
    kept = set(getattr(model, "_keep_in_fp32_modules", None) or ())
    return sum(2 * weight.numel() for name, weight in model.named_parameters() if kept & set(name.split(".")))


def _measure(pipeline: Any, metered: list[_MeteredModel], call: dict[str, Any]) -> dict[str, Any]:
    """Call the pipeline as far as the decoding."""
    measured = _Measured()
    for each in metered:
        each.measured, each.fused = measured, call["fused"]
    step = pipeline.scheduler.step

    def counted(*args: Any, **kwargs: Any) -> Any:
        measured.latents = max([measured.latents, *(each.numel() for each in args if isinstance(each, torch.Tensor))])
        return step(*args, **kwargs)

    pipeline.scheduler.step = counted
    vae = getattr(pipeline, "vae", None)
    before = {name: value for name, value in vars(vae).items() if isinstance(value, bool | int | float)} if vae else {}
    try:
        for name, value in call["vae"].items():  # sizes of tiles come first: enabling derives others from them
            if name in before:
                setattr(vae, name, value)
            else:
                getattr(vae, f"{'enable' if value else 'disable'}_{name}")()
        with torch.no_grad():
            pipeline(prompt="a prompt", **call["arguments"] | {"num_inference_steps": _STEPS})
    except _DecodedError:
        pass
    except Exception as error:  # noqa: BLE001 - as above
        return {"error": failure(error)}
    finally:
        pipeline.scheduler.step = step
        for name, value in before.items():
            setattr(vae, name, value)
    return asdict(measured)


def _pretend(it: Any, **properties: Callable[[Any], Any]) -> None:
    """Give one object other properties than its class has."""
    original = type(it)
    replaced = {name: property(get) for name, get in properties.items()}
    it.__class__ = type(original.__name__, (original,), {"__module__": original.__module__, **replaced})


def _shape(result: Any) -> list[int]:
    found: list[list[int]] = []
    tree_map_only(torch.Tensor, lambda t: found.append(list(t.shape)), result)
    return found[0] if found else []


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
