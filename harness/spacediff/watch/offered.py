"""What a call of a script offers: the objects that are there when it begins, into which settings can be put."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..observer.adapter_layers import adapters_in, is_fused, layers_of, scales_of
from ..observer.dispatcher import asks_the_dispatcher, backends_known, models_of
from ..observer.structure import decoder_of, denoisers_of
from ..observer.vae_state import SWITCHES, sizes_of
from .compiling import compiled_besides
from .effective import chosen_backend, parts_of
from .pipeline_call import PipelineCall
from .scheduling import scheduler_class
from .seeding import noise_of

FILE = "offered"
"""Name of the file with what the call offers, in the folder of a recording and in that of a run, without its suffix."""
Noting = Callable[[str], AbstractContextManager[None]]


def offered_by(
    call: PipelineCall,
    loading: Mapping[str, Any],
    noting: Noting,
    schedulers: Iterable[str] | None = None,
    *,
    seed: int | None = None,
    torch_seed: int | None = None,
) -> dict[str, Any]:
    """Return what a call offers, as `spacediff.watch.refusing` asks it; JSON can hold it.

    Args:
        call: The call.
        loading: What the script has loaded and placed, as `spacediff.watch.loading` says it.
        noting: A context for each thing that is looked at; what cannot be read is left out.
        schedulers: Classes of schedulers whose configuration is looked at; None for all of diffusers.
        seed: The seed of the prompt; None if there is none.
        torch_seed: The seed that torch had when it was imported; None if that is unknown.
    """
    pipeline, given = call.pipeline, call.given
    found: dict[str, Any] = {"pipeline": type(pipeline).__name__, "loading": dict(loading)}
    readers: dict[str, Callable[[], Any]] = {
        "arguments": lambda: sorted(call.takes),
        "noise": lambda: noise_of(pipeline, given, seed, torch_seed),
        "scheduler": lambda: _scheduler(pipeline, schedulers),
        "vae": lambda: _vae(pipeline),
        "adapters": lambda: _adapters(pipeline),
        "attention": lambda: _attention(pipeline),
        "denoisers": lambda: [name for name, _ in denoisers_of(pipeline)],
        "compiled": lambda: compiled_besides(pipeline, parts_of(pipeline)),
    }
    for name, read in readers.items():
        with noting(f"what can be put into the call: {name}"):
            found[name] = read()
    return found


def _scheduler(pipeline: Any, wanted: Iterable[str] | None) -> dict[str, Any]:
    import diffusers

    names = [name for name in dir(diffusers) if name.endswith("Scheduler")] if wanted is None else wanted
    kinds = {name: scheduler_class(name) for name in names}
    own = getattr(pipeline, "scheduler", None)
    if own is not None:
        kinds[type(own).__name__] = type(own)
    entries = {name: list(inspect.signature(kind).parameters) for name, kind in kinds.items() if kind is not None}
    there = None if own is None else type(own).__name__
    return {"class": there, "entries": entries, "diffusers": diffusers.__version__}


def _vae(pipeline: Any) -> dict[str, Any]:
    vae = decoder_of(pipeline)
    switches = [name for name, held in SWITCHES.items() if hasattr(vae, held) and hasattr(vae, f"enable_{name}")]
    sizes = [] if vae is None else sizes_of(vae)
    return {"switches": switches, "sizes": sizes, "tiling": bool(getattr(vae, "use_tiling", False))}


def _adapters(pipeline: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in adapters_in(pipeline):
        layers = layers_of(pipeline, name)
        acts = any(scale not in (0, [0]) for scale in scales_of(layers, name).values())
        found[name] = {"fused": is_fused(layers, name), "acts": acts}
    return found


def _attention(pipeline: Any) -> dict[str, Any]:
    import diffusers

    asked = any(map(asks_the_dispatcher, models_of(pipeline)))
    chosen = chosen_backend(pipeline)
    return {"chosen": chosen, "backends": backends_known(), "asked": asked, "diffusers": diffusers.__version__}
