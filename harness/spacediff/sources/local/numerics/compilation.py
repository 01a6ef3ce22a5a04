"""`torch.compile` of the denoiser, for one run: another order of sums, and so other numbers.

The key insight: torch keeps what it compiled for the whole process, by the code that it compiled, and after eight
models of one class it stops compiling without a warning. So everything that it keeps is discarded after each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spacediff.devices import execution_device, type_of
from spacediff.errors import UnsupportedSetting, failure
from spacediff.observer.structure import is_denoiser
from spacediff.settings import Settings
from spacediff.sources.local.known_names import ensure_known
from spacediff.sources.local.weights import modules_of
from spacediff.watch.compiling import compile_part

_INDUCTOR = "inductor"
_HINT = "leave numerics.compile out, or run the audit on a machine that can compile"


@contextmanager
def compilation(settings: Settings) -> Iterator[None]:
    """Discard after the block what torch compiled inside.

    Raises:
        UnsupportedSetting: Compiling is declared, and this machine has no compiler for the device.
    """
    wanted = _options(settings)
    if wanted is None:
        yield
        return
    import torch

    if wanted.get("backend", _INDUCTOR) == _INDUCTOR:
        _refuse_without_compiler(type_of(execution_device(settings.value("placement"))))
    torch.compiler.reset()
    try:
        yield
    finally:
        torch.compiler.reset()


def compile_denoisers(pipeline: Any, settings: Settings) -> None:
    """Compile the declared components of a pipeline, by default its denoisers, as a script does.

    Args:
        pipeline: The pipeline of the run, which nothing else uses.
        settings: The declared Settings.

    Raises:
        UnsupportedSetting: The pipeline has no such component, or torch or the component refuses an option.
    """
    wanted = _options(settings)
    if wanted is None:
        return
    regional = wanted.pop("regional", False)
    for name in _components(pipeline, wanted.pop("components", None)):
        try:
            compile_part(pipeline, getattr(pipeline, name), wanted, regional=regional)
        except Exception as error:
            raise UnsupportedSetting(f"numerics.compile cannot be used for {name}: {failure(error)}") from error


def _options(settings: Settings) -> dict[str, Any] | None:
    """Return the options of `torch.compile` and our own; None where nothing is compiled."""
    given = settings.table("numerics").get("compile", False)
    return dict(given) if isinstance(given, dict) else {} if given else None


def _components(pipeline: Any, named: list[str] | None) -> list[str]:
    """Return the components to compile: those that are called themselves, not by a method such as `decode`."""
    denoisers = [name for name, _ in modules_of(pipeline) if is_denoiser(name)]
    for name in named or ():
        otherwise = (
            f"numerics.compile cannot be used for {name!r}: {type(pipeline).__name__} has no denoiser of this name"
        )
        ensure_known(name, denoisers, otherwise)
    if not denoisers:
        raise UnsupportedSetting(f"numerics.compile has no effect: {type(pipeline).__name__} has no denoiser")
    return named or denoisers


def _refuse_without_compiler(device: str) -> None:
    """Refuse to compile where torch's backend lacks what it needs: a C++ compiler, and Triton for an accelerator."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch.utils._triton import has_triton

    try:
        get_cpp_compiler()
    except Exception as error:
        raise UnsupportedSetting(
            f"numerics.compile cannot be used here: torch finds no C++ compiler ({failure(error)})", hint=_HINT
        ) from error
    if device != "cpu" and not has_triton():
        raise UnsupportedSetting(
            f"numerics.compile cannot be used here: torch finds no Triton to compile for {device}", hint=_HINT
        )
