"""Draw noise as the Settings say: which generator, in which dtype, and as which version of torch.

The key insight: if the noise differs, the clips differ, whatever else agrees. One seed gives unrelated noise on a CPU
and on a CUDA generator and, in half precision, in torch up to 2.11 and from 2.12 on. So the stream is a setting, and it
applies to every `torch.randn` of a run: the initial latents and the noise that the scheduler draws later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from spacediff.devices import execution_device, index_of, type_of
from spacediff.errors import UnsupportedSetting, failure
from spacediff.settings import OLDER_TORCH, Settings

if TYPE_CHECKING:
    import torch

_BLOCK = 16
"""torch generates normal noise in blocks of 16: eight radii and eight angles."""


@contextmanager
def generator_for(settings: Settings, seed: int) -> Iterator[torch.Generator | None]:
    """Seed the generators of a run, and restore the global ones afterwards.

    Args:
        settings: `rng.device` is a device, or `global` (no generator is passed and the global ones of the CPU and of
            the pipeline's device are seeded, as with `torch.manual_seed` in a script); `rng.dtype`, if given, is the
            dtype in which noise is drawn; `rng.stream` is `torch<=2.11` or `float32`.
        seed: The seed.

    Yields:
        The generator to pass to the pipeline, or None for the global one.

    Raises:
        UnsupportedSetting: torch has no generators for the device.
    """
    import torch

    device = settings.value("rng.device", "cpu")
    stream = settings.value("rng.stream")
    dtype = "float32" if stream == "float32" else settings.value("rng.dtype")
    placed_on = execution_device(settings.value("placement"))
    if device == type_of(placed_on):
        device = placed_on  # `cuda` beside `cuda:1` is the pipeline's device, not the first
    with _global_generators(seed, placed_on):
        generator = None if device == "global" else _generator(device, seed)
        if dtype is None and stream is None:
            yield generator
        else:
            with _drawing(getattr(torch, dtype) if dtype else None, older=stream == OLDER_TORCH):
                yield generator


@contextmanager
def _global_generators(seed: int, device: str) -> Iterator[None]:
    """Seed the global generators of the CPU and of a device, and restore them afterwards; leave other devices alone."""
    import torch

    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[], device_type="cuda"))
        torch.default_generator.manual_seed(seed)
        if device != "cpu":
            stack.enter_context(torch.random.fork_rng(devices=[index_of(device)], device_type=type_of(device)))
            module = torch.get_device_module(device)
            ours = getattr(module, "default_generators", None)
            (ours[index_of(device)] if ours else module).manual_seed(seed)
        yield


def _generator(device: str, seed: int) -> torch.Generator:
    import torch

    try:
        return torch.Generator(device).manual_seed(seed)
    except (RuntimeError, NotImplementedError) as error:
        raise UnsupportedSetting(f"torch makes no generator on rng.device = {device!r}: {failure(error)}") from error


def randn_as_older_torch(
    shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Draw the noise of `torch.randn` in torch 2.11 and older on the CPU, bit for bit.

    These versions compute half precision noise in half precision: a uniform value is the low 8 bits (bfloat16) or 11
    bits (float16) of one 32-bit output of the generator, and the Box-Muller transform rounds after every operation
    (`normal_fill` in ATen/native/cpu/DistributionTemplates.h of these versions).

    Args:
        shape: Shape of the tensor.
        dtype: `torch.bfloat16` or `torch.float16`; other dtypes did not change and use `torch.randn`.
        generator: A CPU generator; None for the global one.
    """
    import torch

    bits = {torch.bfloat16: 8, torch.float16: 11}.get(dtype)
    count = math.prod(shape)
    if bits is None or count < _BLOCK:
        plain: torch.Tensor = torch.randn(shape, dtype=dtype, generator=generator)
        return plain
    rest = _BLOCK if count % _BLOCK else 0  # then the last 16 values are drawn again
    drawn = torch.empty(count + rest, dtype=torch.int32).random_(generator=generator)
    uniform = ((drawn & (2**bits - 1)).float() / 2**bits).to(dtype)
    noise = uniform[:count].clone()
    whole = count - count % _BLOCK
    noise[:whole] = _box_muller(noise[:whole])
    if rest:
        noise[-_BLOCK:] = _box_muller(uniform[count:])
    shaped: torch.Tensor = noise.view(shape)
    return shaped


def _box_muller(uniform: torch.Tensor) -> torch.Tensor:
    import torch

    blocks = uniform.view(-1, _BLOCK)
    radius = (-2 * (1 - blocks[:, : _BLOCK // 2]).log()).sqrt()
    angle = (2 * math.pi * blocks[:, _BLOCK // 2 :].double()).to(uniform.dtype)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1).view(-1)


def _drawing(dtype: torch.dtype | None, *, older: bool) -> Any:
    import torch
    from torch.overrides import TorchFunctionMode

    randn = torch.randn  # the observer replaces it while it collects draws

    class Drawing(TorchFunctionMode):
        """Draws every `torch.randn` in the chosen dtype, and converts the noise to the dtype that was asked for."""

        def __torch_function__(
            self,
            func: Callable[..., Any],
            types: Any,
            args: tuple[Any, ...] = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            given = dict(kwargs or {})
            if func is not randn:
                return func(*args, **given)
            wanted = given.get("dtype") or torch.get_default_dtype()
            drawn = dtype or wanted
            if older and torch.device(given.get("device") or "cpu").type == "cpu":
                size = args[0] if not isinstance(args[0], int) else args
                return randn_as_older_torch(tuple(size), drawn, given.get("generator")).to(wanted)
            return func(*args, **{**given, "dtype": drawn}).to(wanted)

    return Drawing()
