"""What a call uses and changes, as it was before the call, so that the call can be made again in the same process.

The key insight: nothing that is put into a call replaces weights. So what has to be restored is small: the attributes
of the pipeline and of its parts that are no tensors, generators, and torch's switches. Whether that was all is not
assumed: the settings in force are compared with the first ones each time, and the frames once.

What a module keeps, such as a tensor and the size it was made for, is put back together: one alone would be wrong.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from ..observer.dispatcher import registry
from ..observer.structure import pipelines_of, schedulers_of
from ..observer.switches import KERNELS
from .pipeline_call import PipelineCall

_PLAIN = (bool, int, float, str, bytes, type(None))
_MOST_NESTED = 4


class State:
    """The state before a call.

    Args:
        call: The call.
    """

    def __init__(self, call: PipelineCall) -> None:
        pipelines = pipelines_of(call.pipeline)
        self._attributes = [(each, dict(vars(each))) for each in pipelines]
        self._schedulers = [(each, copy.deepcopy(vars(each))) for _, each in schedulers_of(call.pipeline)]
        holders = _holders(pipelines)
        self._kept = [(each, dict(vars(each)), _plain_of(each)) for each in holders]
        self._buffers = [(each, dict(each)) for each in map(_buffers_of, holders) if each is not None]
        self._generators = [(each, each.get_state()) for each in _generators(call)]
        self._process = list(_of_process())

    def restore(self) -> None:
        """Put everything back."""
        for holder, attributes in self._attributes:
            _replace(holder, attributes)
        for scheduler, attributes in self._schedulers:
            _replace(scheduler, copy.deepcopy(attributes))
        for holder, attributes, plain in self._kept:
            _replace(holder, {**attributes, **copy.deepcopy(plain)})
        for there, buffers in self._buffers:
            now = dict(there)
            there.clear()
            there.update({name: _on_the_device_of(now.get(name), buffer) for name, buffer in buffers.items()})
        for generator, state in self._generators:
            generator.set_state(state)
        for put_back, value in self._process:
            put_back(value)


def _replace(holder: Any, attributes: Mapping[str, Any]) -> None:
    vars(holder).clear()
    vars(holder).update(attributes)


def _holders(pipelines: list[Any]) -> list[Any]:
    """Return the modules of all parts, and their attention processors, each once."""
    import torch

    found: dict[int, Any] = {}
    for pipeline in pipelines:
        for part in vars(pipeline).values():
            for module in part.modules() if isinstance(part, torch.nn.Module) else ():
                processor = getattr(module, "processor", None)
                for each in (module, processor):
                    if each is not None and hasattr(each, "__dict__"):
                        found[id(each)] = each
    return list(found.values())


def _plain_of(holder: Any) -> dict[str, Any]:
    """Return the attributes that hold nothing but numbers and texts, copied: switches, sizes, scales of adapters."""
    return {name: copy.deepcopy(value) for name, value in vars(holder).items() if _is_plain(value)}


def _buffers_of(holder: Any) -> dict[str, Any] | None:
    found = vars(holder).get("_buffers")
    return found if isinstance(found, dict) else None


def _on_the_device_of(now: Any, before: Any) -> Any:
    """Return a buffer as it was, where its module is now: the call may have moved it."""
    return before if now is None or before is None else before.to(now.device)


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, _PLAIN):
        return True
    if depth > _MOST_NESTED or type(value) not in {dict, list, tuple, set}:
        return False
    inner = [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)
    return all(_is_plain(each, depth + 1) for each in inner)


def _generators(call: PipelineCall) -> list[Any]:
    import torch

    given = call.given.get("generator")
    several = given if isinstance(given, list | tuple) else [given]
    return [each for each in several if isinstance(each, torch.Generator)]


def _of_process() -> Iterator[tuple[Callable[[Any], Any], Any]]:
    """Yield how to put back what belongs to the whole process, each with its present value."""
    import torch

    yield torch.set_rng_state, torch.get_rng_state()
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        yield torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()
    yield random.setstate, random.getstate()
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        yield numpy.random.set_state, numpy.random.get_state()
    for holder in (torch.backends.cuda.matmul, torch.backends.cudnn):
        yield _setter(holder, "allow_tf32"), holder.allow_tf32
    with suppress(RuntimeError):  # of a script that has set it in two ways, torch does not say it
        yield torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    put_back = partial(torch.use_deterministic_algorithms, warn_only=warn_only)
    yield put_back, torch.are_deterministic_algorithms_enabled()
    yield torch.set_num_threads, torch.get_num_threads()
    for its in KERNELS.values():
        enable = getattr(torch.backends.cuda, f"enable_{its}_sdp", None)
        if enable is not None:
            yield enable, getattr(torch.backends.cuda, f"{its}_sdp_enabled")()
    table = registry() if "diffusers" in sys.modules else None
    if table is not None:
        yield _setter(table, "_active_backend"), table._active_backend  # noqa: SLF001 - the dispatcher has no other access


def _setter(holder: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(holder, name, value)
