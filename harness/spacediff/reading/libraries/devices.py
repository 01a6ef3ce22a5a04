"""What a source asks about its machine: torch's `is_available`, and the helpers that choose a device by it.

Where the machine is unknown, every answer is an alternative, and the question is written down in
`State.asked_of_machine`.
"""

from __future__ import annotations

import ast

from spacediff.devices import ACCELERATORS, index_of, is_device, type_of
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.machines import NO_ACCELERATOR
from spacediff.reading.model import GpuRequest
from spacediff.reading.values import (
    Arguments,
    Asked,
    External,
    Function,
    Items,
    Known,
    Object,
    Value,
    either,
    lift,
    truth,
)

ZERO_GPU_SECONDS = 60.0
"""What `@spaces.GPU` asks for without a duration (https://huggingface.co/docs/hub/spaces-zerogpu)."""

_AVAILABLE = {
    "torch.cuda.is_available": "cuda",
    "torch.backends.mps.is_available": "mps",
    "torch.backends.mps.is_built": "mps",
    "torch.mps.is_available": "mps",
    "torch.xpu.is_available": "xpu",
    "torch.npu.is_available": "npu",
    "torch_npu.npu.is_available": "npu",
}
_AVAILABLE_BY_LAST_NAME = {
    "is_cuda_available": "cuda", "is_torch_cuda_available": "cuda", "is_mps_available": "mps",
    "is_torch_mps_available": "mps", "is_xpu_available": "xpu", "is_torch_xpu_available": "xpu",
    "is_npu_available": "npu", "is_torch_npu_available": "npu",
}  # fmt: skip
"""Functions of accelerate, diffusers and transformers."""
_BEST_DEVICE = frozenset({
    "infer_device", "transformers.infer_device", "peft.utils.infer_device", "accelerate.infer_device",
    "diffusers.utils.torch_utils.get_device", "diffusers.training_utils.get_device",
})  # fmt: skip
_STATES = frozenset({"accelerate.Accelerator", "accelerate.PartialState", "accelerate.AcceleratorState",
                     "accelerate.state.PartialState", "accelerate.accelerator.Accelerator"})  # fmt: skip
_BACKENDS_OF_TORCH = frozenset({"cuda", "mps", "xpu"})
"""Modules that torch has on every machine, so that `hasattr` says nothing of the machine."""


class Devices(Library):
    """Answers for the machine, and knows the parts of a device."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: PLR0911 - one way out for each function
        """Return whether there is an accelerator, how many, or the device that a helper chooses."""
        name = function.name
        kind = _AVAILABLE.get(name) or _AVAILABLE_BY_LAST_NAME.get(function.last_name)
        if kind is not None:
            return has_accelerator(state, (kind,), node)
        if name == "torch.accelerator.is_available":
            return has_accelerator(state, ACCELERATORS, node)
        if name == "torch.accelerator.current_accelerator":
            return best_device(state, node, otherwise=None)
        if name in _BEST_DEVICE:
            return best_device(state, node)
        if name in {"torch.cuda.device_count", "torch.accelerator.device_count"}:
            return _count(state, "cuda" if "cuda" in name else "", node)
        if name in _STATES:
            cpu = arguments.get("cpu")
            return Object(state.where(node), "accelerator", state.heap.new({"cpu": cpu} if cpu else {}))
        return _has_module(state, arguments, node) if name == "hasattr" else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return what `accelerator.prepare(...)` is given."""
        if not isinstance(owner, Object) or owner.kind != "accelerator" or name != "prepare" or arguments.open:
            return None
        given = tuple(arguments.positional)
        return given[0] if len(given) == 1 else Items(state.where(node), given)

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Return the device of an accelerator, or the type and the number of a device."""
        if isinstance(owner, Object):
            return _device_of_accelerator(state, owner, node) if name == "device" else None
        constant = owner.value if isinstance(owner, Asked) else owner
        if name not in {"type", "index"} or not isinstance(constant, Known) or not is_device(str(constant.value)):
            return None
        return lift(lambda one: _part_of_device(one, name), [owner])

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Note `@spaces.GPU`, which leaves the function as it is, and the seconds of a GPU that it asks for."""
        if decorator.name != "spaces.GPU":
            return None
        where = state.where(node)
        if all(each.where != where for each in state.gpu_requests):
            state.gpu_requests.append(GpuRequest(where, _seconds_asked(state, node)))
        return function


_DAY = 86_400
"""Seconds; no call asks for more."""


def _seconds_asked(state: State, node: ast.expr) -> float | None:
    """Return the `duration` of `@spaces.GPU`; None for what only running the source would show, such as a function."""
    keywords = {each.arg: each.value for each in node.keywords} if isinstance(node, ast.Call) else {}
    if "duration" not in keywords:
        return None if None in keywords else ZERO_GPU_SECONDS
    found = state.evaluate(keywords["duration"])
    number = found.value if isinstance(found, Known) else None
    if not isinstance(number, int | float) or isinstance(number, bool):
        return None
    return float(number) if 1 <= number <= _DAY else None


def has_accelerator(state: State, kinds: tuple[str, ...], node: ast.AST) -> Value:
    """Return whether the machine has an accelerator of one of these types; both answers if the machine is unknown."""
    where = state.where(node)
    _ask(state, kinds, where)
    if state.machine is not None:
        return Known(where, state.machine.device in kinds)
    return either([Known(where, value=True), Known(where, value=False)], where)


def best_device(state: State, node: ast.AST, otherwise: str | None = NO_ACCELERATOR) -> Value:
    """Return the accelerator of the machine as a device; all of them if the machine is unknown.

    Args:
        state: What follows the source.
        node: The expression that chooses the device.
        otherwise: What is chosen on a machine without an accelerator.
    """
    where = state.where(node)
    _ask(state, ACCELERATORS, where)
    kinds = [state.machine.device] if state.machine is not None else [*ACCELERATORS, NO_ACCELERATOR]
    return either([Known(where, otherwise if kind == NO_ACCELERATOR else kind) for kind in kinds], where)


def _ask(state: State, kinds: tuple[str, ...], where: str) -> None:
    for kind in kinds:
        state.asked_of_machine.setdefault(kind, where)


def _count(state: State, kind: str, node: ast.AST) -> Value:
    kinds = (kind,) if kind else ACCELERATORS
    _ask(state, kinds, state.where(node))
    if state.machine is None:
        return state.unknown(node)
    return Known(state.where(node), state.machine.count if state.machine.device in kinds else 0)


def _has_module(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return whether torch has a module, as in `hasattr(torch.backends, "mps")`; None for other objects."""
    owner, name = arguments.get("", 0), arguments.get("", 1)
    if not isinstance(owner, External) or owner.name not in {"torch", "torch.backends"} or not isinstance(name, Known):
        return None
    if name.value in _BACKENDS_OF_TORCH:
        return Known(state.where(node), value=True)
    return has_accelerator(state, ("npu",), node) if name.value == "npu" else None


def _device_of_accelerator(state: State, owner: Object, node: ast.AST) -> Value | None:
    if owner.kind != "accelerator":
        return None
    cpu = state.get(owner, "cpu")
    return Known(state.where(node), NO_ACCELERATOR) if cpu and truth(cpu).usual else best_device(state, node)


def _part_of_device(device: Value, name: str) -> Value:
    if not isinstance(device, Known) or not is_device(str(device.value)):
        return device
    text = str(device.value)
    if name == "type":
        return Known(device.where, type_of(text))
    return Known(device.where, index_of(text) if ":" in text else None)
