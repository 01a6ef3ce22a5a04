"""Refuse by name the settings for which a script has no place, by what it offers.

The key insight: what a call offers is plain data, so that it is asked twice: before a variant is run, of what the
baseline's call offered, and at the entry of the variant's own call, which may be another one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..observer.attention_names import backend_of
from ..observer.switches import NATIVE
from ..observer.vae_state import SWITCHES, needs_tiling

_Found = Iterator["RefusedError"]


class RefusedError(Exception):
    """This script has no place for a setting.

    Args:
        path: The setting.
        reason: Why not.
        hint: What to do about it; may be empty.
    """

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.hint = hint


def refusals(settings: Mapping[str, Any], offered: Mapping[str, Any], seed: int | None = None) -> _Found:
    """Yield an error for each setting that cannot be put in; what `offered` does not say is left to the call.

    Args:
        settings: Nested tables by the paths of a scenario.
        offered: What a call offers, as `spacediff.watch.offered` returns it.
        seed: The seed of the prompt; None to leave the script's.
    """
    for name, refused in _REFUSED.items():
        if name in offered:
            yield from refused(settings, offered)
    if "noise" in offered:
        yield from refused_noise(seed, settings.get("rng", {}), offered["noise"])


def refused_noise(seed: int | None, wanted: Mapping[str, Any], noise: Mapping[str, Any]) -> _Found:
    """Yield an error where noise of a seed or a device cannot be made in place of the script's.

    Args:
        seed: The seed of the prompt; None to leave the script's.
        wanted: `seed` and `device`, as a scenario names them.
        noise: What the call draws from, as `spacediff.watch.seeding` returns it.
    """
    from .placing import is_on

    usual, seed = seed, wanted.get("seed", seed)
    if noise["latents"]:
        yield from _refused_latents(seed, wanted, noise, hint=f"let it pass {_a_generator(usual)} in their place")
        return
    if noise["seed"] is None:
        reason = "the script draws from torch's global generator of a device where that cannot be read"
        yield RefusedError("rng.seed", reason, f"let it pass {_a_generator(usual)} to the call")
        return
    same_device = is_on(noise["device"], wanted.get("device", noise["device"]))
    if same_device and seed in (None, noise["seed"]):
        return
    drawn = f"the script has drawn from {_source(noise)}, seeded with {noise['seed']}, before the call"
    hint = f"let it pass a generator of its own to the call: {_a_generator(usual)}"
    if not same_device and not noise["fresh"]:
        yield RefusedError("rng.device", f"{drawn}, and no other device gives what comes next", hint)
    elif same_device and not noise["rebuilt"]:
        yield RefusedError("rng.seed", f"{drawn}, and how much is not to be found", hint)


def _refused_latents(seed: int | None, wanted: Mapping[str, Any], noise: Mapping[str, Any], *, hint: str) -> _Found:
    """Yield an error where the script passes noise that is of another seed, or of none that is known."""
    reason = "the script passes the noise itself, as latents"
    if "device" in wanted:
        yield RefusedError("rng.device", reason, hint)
    elif noise["drawn"] is not None:
        return
    elif "seed" in wanted:
        yield RefusedError("rng.seed", f"{reason}, and how it was drawn is not to be found", hint)
    elif seed is not None and seed not in noise["seeds"] and not noise["unseeded"]:
        has = " or ".join(map(str, noise["seeds"]))
        reason = f"{reason}, and its generator has the seed {has}"
        yield RefusedError("rng.seed", reason, f"give the prompt the seed {has}, or {hint}")


def _source(noise: Mapping[str, Any]) -> str:
    return "torch's global generator" if noise["device"] == "global" else "its generator"


def _a_generator(seed: int | None) -> str:
    return f"generator=torch.Generator().manual_seed({0 if seed is None else seed})"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _arguments(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    for name in settings.get("call", {}):
        if name not in offered["arguments"]:
            reason = f"{offered['pipeline']}.__call__ takes no argument {name}{_nearest(name, offered['arguments'])}"
            yield RefusedError(f"call.{name}", reason)


def _scheduler(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    wanted, there = settings.get("scheduler", {}), offered["scheduler"]
    if not wanted:
        return
    if there["class"] is None:
        yield RefusedError(f"scheduler.{next(iter(wanted))}", f"{offered['pipeline']} has no scheduler")
        return
    kind = wanted.get("class", there["class"])
    if kind not in there["entries"]:
        reason = f"diffusers {there['diffusers']} has no scheduler {kind}{_nearest(kind, there['entries'])}"
        yield RefusedError("scheduler.class", reason)
        return
    for name in wanted:
        if name != "class" and name not in there["entries"][kind]:
            reason = f"{kind} has no such entry of its configuration{_nearest(name, there['entries'][kind])}"
            yield RefusedError(f"scheduler.{name}", reason)


def _vae(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    wanted, there = settings.get("vae", {}), offered["vae"]
    for name in wanted:
        path = f"vae.{name}"
        if name == "dtype":
            continue
        if name not in there["switches" if name in SWITCHES else "sizes"]:
            yield RefusedError(path, f"the VAE of {offered['pipeline']} has no {name}")
        elif needs_tiling(name) and not wanted.get("tiling", there["tiling"]):
            yield RefusedError(path, "it has no effect without tiling")


def _adapters(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    there = offered["adapters"]
    for name in settings.get("lora", {}):
        path = f"lora.{name}.scale"
        if name not in there:
            has = f"; it has {', '.join(there)}" if there else ""
            yield RefusedError(path, f"the script has no adapter {name}{has}")
        elif there[name]["fused"]:
            yield RefusedError(path, "the script has fused the adapter into the weights")
        elif not there[name]["acts"]:
            yield RefusedError(path, "the script has switched the adapter off")


def _attention(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    attention, there = settings.get("numerics", {}).get("attention"), offered["attention"]
    if attention is None:
        return
    backend, path, library = backend_of(attention), "numerics.attention", f"diffusers {there['diffusers']}"
    if backend is None:
        if there["chosen"] not in {"", NATIVE}:
            reason = f"attention is computed by diffusers' backend {there['chosen']}, which leaves torch no choice"
            yield RefusedError(path, reason)
    elif not there["backends"]:
        yield RefusedError(path, f"{library} has no attention dispatcher")
    elif backend not in there["backends"]:
        yield RefusedError(path, f"{library} has no attention backend {backend}")
    elif not there["asked"]:
        yield RefusedError(path, f"no model of {offered['pipeline']} asks diffusers' attention dispatcher")


def _compile(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    wanted, there = settings.get("numerics", {}).get("compile"), offered["denoisers"]
    if wanted is False and (compiled := offered.get("compiled")):
        reason = f"the script has compiled {', '.join(compiled)}, and only denoisers can be run uncompiled"
        yield RefusedError("numerics.compile", reason)
    if not wanted:
        return
    named = wanted.get("components", ()) if isinstance(wanted, Mapping) else ()
    for name in named:
        if name not in there:
            yield RefusedError("numerics.compile", f"{offered['pipeline']} has no denoiser {name}")
    if not there:
        yield RefusedError("numerics.compile", f"{offered['pipeline']} has no denoiser")


def _loading(settings: Mapping[str, Any], offered: Mapping[str, Any]) -> _Found:
    there = offered["loading"]
    paths = [f"{table}.{name}" for table in ("model", "load") for name in settings.get(table, {})]
    if paths and there["loaded"] != 1:
        made = f"loads {there['loaded']} pipelines" if there["loaded"] else "loads no pipeline by from_pretrained"
        yield RefusedError(paths[0], f"the script {made} before the call")
    if "model.revision" in paths and there.get("is_folder"):
        yield RefusedError("model.revision", "the script loads a folder, which has no revisions")
    for name in settings.get("load", {}):
        if name not in there.get("seen", (name,)):
            yield RefusedError(f"load.{name}", "the loaded pipeline would not show whether it acts")
    if "dtype" in settings.get("vae", {}) and there["vaes"] != 1:
        made = f"loads {there['vaes']} VAEs" if there["vaes"] else "loads no VAE by from_pretrained"
        yield RefusedError("vae.dtype", f"the script {made} before the call")
    if settings.get("placement") is not None and there["placed"] != 1:
        made = f"moves {there['placed']} pipelines" if there["placed"] else "moves no pipeline to a device"
        yield RefusedError("placement", f"the script {made} before the call")


_REFUSED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], _Found]] = {
    "loading": _loading,
    "scheduler": _scheduler,
    "vae": _vae,
    "attention": _attention,
    "denoisers": _compile,
    "adapters": _adapters,
    "arguments": _arguments,
}
"""What a call offers to the check of the settings that need it."""
