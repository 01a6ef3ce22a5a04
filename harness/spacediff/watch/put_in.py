"""Change what a pipeline is made of, as a script changes it: its scheduler, its VAE, torch's switches, adapters.

Each function takes the pipeline and a table of a scenario, and returns the paths that it has set. It compares what is
in force afterwards, since a library may take a value and not use it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from ..observer.adapter_layers import adapters_in, is_fused, layers_of, scales_of
from ..observer.structure import decoder_of, pipelines_of
from ..observer.switches import current_numerics
from ..observer.vae_state import SWITCHES, sizes_of

PutIn = Callable[[Any, Mapping[str, Any]], list[str]]


class RefusedError(Exception):
    """This script has no place for a setting.

    Args:
        path: The setting.
        reason: Why not.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def scheduler(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Replace the scheduler by one of another class or configuration, built from the one that is there.

    Raises:
        RefusedError: There is no scheduler, no such class, or it does not take the configuration.
    """
    if not wanted:
        return []
    before = getattr(pipeline, "scheduler", None)
    if before is None:
        raise RefusedError("scheduler", f"{type(pipeline).__name__} has no scheduler")
    kind = _scheduler_class(wanted["class"]) if "class" in wanted else type(before)
    config = {name: value for name, value in wanted.items() if name != "class"}
    for name in config:
        if name not in inspect.signature(kind).parameters:
            raise RefusedError(f"scheduler.{name}", f"{kind.__name__} has no such entry of its configuration")
    try:
        made = kind.from_config(before.config, **config)
    except Exception as error:
        raise RefusedError("scheduler", f"{kind.__name__} refuses its configuration: {error}") from error
    for each in pipelines_of(pipeline):  # a combined pipeline shares its scheduler with an inner one
        if getattr(each, "scheduler", None) is before:
            each.scheduler = made
    return [f"scheduler.{name}" for name in wanted]


def _scheduler_class(name: str) -> Any:
    import diffusers

    found = getattr(diffusers, name, None)
    if isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin):
        return found
    raise RefusedError("scheduler.class", f"diffusers {diffusers.__version__} has no scheduler {name}")


def vae(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set the switches of the VAE and the sizes of its tiles.

    Raises:
        RefusedError: The VAE has no such switch or size.
    """
    decoder = decoder_of(pipeline) if wanted else None
    for name in sorted(wanted, key=lambda name: name not in SWITCHES):  # a switch may set the sizes
        value, path = wanted[name], f"vae.{name}"
        if name in SWITCHES:
            method = getattr(decoder, f"{'enable' if value else 'disable'}_{name}", None)
            if method is None or not hasattr(decoder, SWITCHES[name]):
                raise RefusedError(path, f"the VAE of {type(pipeline).__name__} has no {name}")
            method()
        elif decoder is None or name not in sizes_of(decoder):
            raise RefusedError(path, f"the VAE of {type(pipeline).__name__} has no {name}")
        elif name.startswith("tile_") and not getattr(decoder, "use_tiling", False):
            raise RefusedError(path, "it has no effect without tiling")
        else:
            setattr(decoder, name, value)
    return [f"vae.{name}" for name in wanted]


def numerics(_: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set torch's switches.

    Raises:
        RefusedError: A switch does not take its value.
    """
    import torch

    tf32 = {f"tf32_{name}": wanted["tf32"] for name in ("matmul", "cudnn") if "tf32" in wanted}
    for name, value in {**tf32, **wanted}.items():
        match name:
            case "tf32_matmul":
                torch.backends.cuda.matmul.allow_tf32 = value
            case "tf32_cudnn":
                torch.backends.cudnn.allow_tf32 = value
            case "deterministic":
                torch.use_deterministic_algorithms(value)
            case "threads":
                torch.set_num_threads(value)
            case _:
                continue
        if current_numerics()[name] != value:
            raise RefusedError(f"numerics.{name}", f"torch keeps {current_numerics()[name]}")
    return [f"numerics.{name}" for name in wanted]


def lora(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set the scales of adapters that act, and leave their weights and those of other adapters as they are.

    Raises:
        RefusedError: There is no such adapter, or it is fused or does not act.
    """
    for name, table in wanted.items():
        path = f"lora.{name}.scale"
        layers = layers_of(pipeline, name)
        if not layers:
            there = ", ".join(adapters_in(pipeline))
            raise RefusedError(path, f"the script has no adapter {name}" + (f"; it has {there}" if there else ""))
        if is_fused(layers, name):
            raise RefusedError(path, "the script has fused the adapter into the weights")
        acting = {component: scale for component, scale in scales_of(layers, name).items() if scale not in (0, [0])}
        if not acting:
            raise RefusedError(path, "the script has switched the adapter off")
        for component in acting:
            for layer in layers[component].values():
                layer.set_scale(name, table["scale"])
        kept = scales_of(layers, name)
        if any(not _equal(kept[component], table["scale"]) for component in acting):
            raise RefusedError(path, f"its layers keep the scales {kept}")
    return [f"lora.{name}.scale" for name in wanted]


def _equal(one: Any, other: Any) -> bool:
    """Whether two scales are one, up to the rounding of a product with a layer's own factor."""
    return isinstance(one, int | float) and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
