"""Change what a pipeline is made of, as a script changes it: its scheduler, its VAE, torch's switches, adapters.

Each function takes the pipeline and a table of a scenario that was not refused, and returns the paths that it has set.
It compares what is in force afterwards, since a library may take a value and not use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..observer.adapter_layers import layers_of, scales_of
from ..observer.structure import decoder_of
from ..observer.switches import current_numerics
from ..observer.vae_state import SWITCHES
from .attending import attend_by
from .compiling import compile_denoisers
from .refusing import RefusedError
from .scheduling import replace_scheduler, scheduler_class
from .switching import set_switch, switches_in

PutIn = Callable[[Any, Mapping[str, Any]], list[str]]


def scheduler(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Replace the scheduler by one of another class or configuration, built from the one that is there.

    Raises:
        RefusedError: The class does not take the configuration.
    """
    if not wanted:
        return []
    own = type(pipeline.scheduler)
    kind = own if wanted.get("class", own.__name__) == own.__name__ else scheduler_class(wanted["class"])
    try:
        replace_scheduler(pipeline, kind, {name: value for name, value in wanted.items() if name != "class"})
    except Exception as error:
        raise RefusedError("scheduler", f"{kind.__name__} refuses its configuration: {error}") from error
    return [f"scheduler.{name}" for name in wanted]


def vae(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set the switches of the VAE and the sizes of its tiles; its dtype is put in where it is loaded."""
    decoder = decoder_of(pipeline) if wanted else None
    names = [name for name in wanted if name != "dtype"]
    for name in sorted(names, key=lambda name: name not in SWITCHES):  # a switch may set the sizes
        if name in SWITCHES:
            getattr(decoder, f"{'enable' if wanted[name] else 'disable'}_{name}")()
        else:
            setattr(decoder, name, wanted[name])
    return [f"vae.{name}" for name in names]


def numerics(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set torch's switches, the attention, and whether the denoisers are compiled.

    Raises:
        RefusedError: A switch does not take its value, or the library cannot attend or compile so here.
    """
    if (attention := wanted.get("attention")) is not None:
        attend_by(pipeline, attention)
    if (compiled := wanted.get("compile")) is not None:
        compile_denoisers(pipeline, compiled)
    for name, value in switches_in(wanted).items():
        set_switch(name, value)
        if (kept := current_numerics()[name]) != value:
            raise RefusedError(f"numerics.{name}", f"torch keeps {kept}")
    return [f"numerics.{name}" for name in wanted]


def lora(pipeline: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Set the scales of adapters that act, and leave their weights and those of other adapters as they are.

    Raises:
        RefusedError: A layer keeps another scale.
    """
    for name, table in wanted.items():
        path, layers = f"lora.{name}.scale", layers_of(pipeline, name)
        acting = [component for component, scale in scales_of(layers, name).items() if scale not in (0, [0])]
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
