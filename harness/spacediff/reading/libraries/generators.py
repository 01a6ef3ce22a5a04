"""Where the noise of a call comes from: a generator with its seed, or torch's global one."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.torch_types import device_of_value
from spacediff.reading.values import (
    MOST_OPTIONS,
    Absent,
    Arguments,
    Asked,
    Attribute,
    Either,
    External,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    alternatives,
    conditions_of,
    either,
    lift,
)

_GLOBAL_SEEDS = frozenset({
    "torch.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "set_seed", "seed_everything",
    "torch.random.manual_seed",
})  # fmt: skip

_AGAIN = "a generator that has produced noise before"

_TENSORS = frozenset({
    "bernoulli", "multinomial", "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randn_tensor", "randperm",
})  # fmt: skip
"""Functions that draw a tensor of noise."""
_NOISE = "noise:"
"""Beginning of the names under which the generators of drawn tensors are kept as they were, by the place of a call."""

_DRAW = frozenset({"torch", "diffusers"})
"""Packages whose functions draw from torch's generators."""

_DEFAULT_SEED = 67280421310721
"""The seed of a `torch.Generator` that the source does not seed."""


class Generators(Library):
    """`torch.Generator` and the functions that seed torch's global generator."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a new generator, or note the global seed."""
        if function.name in {"torch.Generator", "Generator"}:
            return _generator(state, arguments, node)
        if function.last_name in _TENSORS and (function.package in _DRAW or "generator" in arguments.named):
            _draw(state, arguments.named.get("generator"), node)
            return state.unknown(node) if "generator" in arguments.named else None
        if function.name in _GLOBAL_SEEDS or function.last_name in {"set_seed", "seed_everything"}:
            return _seed_globally(state, function.name, arguments, node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Seed a generator."""
        if not isinstance(owner, Object) or owner.kind != "generator":
            return None
        if name == "manual_seed":
            seed = arguments.get("seed", 0)
            _seed(state, owner, seed if seed is not None else state.unknown(node))
            return owner
        if name == "seed":
            drawn = replace(state.unknown(node), random=True)
            _seed(state, owner, drawn)
            return drawn
        return None


def generator_of(state: State, latents: Value | None) -> Value | None:
    """Return the generator with which the source draws latents itself; None if it does not, or that is unknown."""
    kept = state.heap.cell(state.process_wide).get(f"{_NOISE}{latents.where}") if latents is not None else None
    return _copy(state, kept) if kept is not None else None


def _draw(state: State, generator: Value | None, node: ast.AST) -> None:
    """Write down that a tensor is drawn: its generator, or the global one, is then no longer at its start."""
    where = state.where(node)
    wide = state.heap.cell(state.process_wide)
    name, drawn = f"{_NOISE}{where}", Known(where, value=True)
    if generator is not None and generator != Known(generator.where, None):
        state.heap.put(state.process_wide, name, _copy(state, generator))
        for one in alternatives(generator):
            if isinstance(one, Object) and one.kind == "generator":
                state.put(one, "drawn", drawn)
    elif "seed" in wide:
        fields = {"device": Known(where, "global"), "seeded_with": wide["seed"]}
        state.heap.put(state.process_wide, name, Object(where, "generator", state.heap.new(fields)))
        state.heap.put(state.process_wide, "seed", Unknown(where, _AGAIN))


def forget_draws(state: State, values: Sequence[Value], file: str, lines: range) -> None:
    """Put generators back to where they were before some lines drew from them."""
    places = {f"{file}:{line}" for line in lines}
    for one in values:
        drawn = state.get(one, "drawn") if isinstance(one, Object) and one.kind == "generator" else None
        if isinstance(one, Object) and drawn is not None and drawn.where in places:
            state.put(one, "drawn", Absent(drawn.where))


def _copy(state: State, generator: Value) -> Value:
    """Return a generator, or several, at the same place of their noise."""
    if isinstance(generator, Either):
        return replace(generator, options=tuple(_copy(state, one) for one in generator.options))
    if not isinstance(generator, Object):
        return generator
    return replace(generator, cell=state.heap.new(dict(state.heap.cell(generator.cell))))


def _generator(state: State, arguments: Arguments, node: ast.AST) -> Object:
    where = state.where(node)
    device = arguments.get("device", 0)
    fields = {
        "device": lift(device_of_value, [device]) if device is not None else Known(where, "cpu"),
        "seeded_with": Known(where, _DEFAULT_SEED),
    }
    return Object(where, "generator", state.heap.new(fields))


def _seed_globally(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    seed = arguments.get("seed", 0) or state.unknown(node)
    if name != "torch.cuda.manual_seed" or "seed" not in state.heap.cell(state.process_wide):
        state.heap.put(state.process_wide, "seed", seed)
    if name != "torch.manual_seed":
        return state.unknown(node)
    # torch.manual_seed returns the global CPU generator, which people pass on
    return Object(
        state.where(node), "generator", state.heap.new({"device": Known(state.where(node), "cpu"), "seeded_with": seed})
    )


def _seed(state: State, generator: Object, seed: Value) -> None:
    """Seed a generator: its noise starts from the beginning."""
    state.put(generator, "seeded_with", seed)
    state.put(generator, "seeded_at", Known(seed.where, state.heap.identity()))
    state.put(generator, "drawn", Absent(seed.where))


def noise_of(state: State, generator: Value | None, node: ast.AST) -> dict[str, Value]:
    """Return the device and the seed of the noise that a call draws; the generator is then no longer at its start."""
    decided = isinstance(generator, Either) and generator.decided
    devices: list[Value] = []
    seeds: list[Value] = []
    for option in alternatives(generator):
        each = option.items[:MOST_OPTIONS] if isinstance(option, Items) and option.items else (option,)
        found = [_of_one(state, one, node) for one in each]  # one generator for each clip of a batch
        each_device, each_seed = zip(*found, strict=True)
        devices.append(either(each_device, each_device[0].where))
        seeds.append(_one_or_list(each_seed))
    where, only_if = state.where(node), conditions_of(generator)
    return {
        "rng.device": either(devices, where, decided=decided, only_if=only_if),
        "rng.seed": either(seeds, where, decided=decided, only_if=only_if),
    }


def _one_or_list(seeds: Sequence[Value]) -> Value:
    """Return the seed of the generators of one call: a list where each clip of a batch has its own."""
    joined = either(seeds, seeds[0].where)
    is_known = all(isinstance(one, Known) for one in seeds)
    return Items(seeds[0].where, tuple(seeds)) if is_known and isinstance(joined, Either) else joined


def _of_one(state: State, generator: Value | None, node: ast.AST) -> tuple[Value, Value]:
    where = state.where(node)
    if isinstance(generator, Object) and generator.kind == "generator":
        return _of_generator(state, generator, node)
    if generator is None or isinstance(generator, Absent) or (isinstance(generator, Known) and generator.value is None):
        seed = state.heap.cell(state.process_wide).get("seed") or Absent(where)
        if isinstance(seed, Unknown) and seed.text == _AGAIN:
            state.note("reused generator", node, f"its noise continues that of {seed.where}")
        drawn = Unknown(where, "no generator and no torch.manual_seed: every run draws different noise", random=True)
        is_set = not isinstance(alternatives(seed)[0], Absent | Unknown)
        return Known(seed.where if is_set else where, "global"), _filled(seed, drawn)
    if isinstance(generator, Either | Asked | Attribute):
        return state.unknown(node), state.unknown(node)
    return Unknown(where, state.words(node)), Unknown(where, state.words(node))


def _filled(value: Value, otherwise: Value) -> Value:
    """Return a value with another one on the branches where it is absent."""
    if isinstance(value, Either):
        options = [otherwise if isinstance(one, Absent) else one for one in value.options]
        return either(options, value.where, decided=value.decided, only_if=value.only_if)
    return otherwise if isinstance(value, Absent) else value


def _of_generator(state: State, generator: Object, node: ast.AST) -> tuple[Value, Value]:
    where = state.where(node)
    fields = state.heap.cell(generator.cell)
    device, seed = (
        fields.get("device", Known(generator.where, "cpu")),
        fields.get("seeded_with", Unknown(where, "no seed")),
    )
    seeded_at, drawn = fields.get("seeded_at"), fields.get("drawn")
    number = seeded_at.value if isinstance(seeded_at, Known) and isinstance(seeded_at.value, int) else generator.cell
    again = replace(state.unknown(node), text=_AGAIN)
    if isinstance(drawn, Known):
        state.note("reused generator", node, f"its noise continues that of {drawn.where}")
        seed = again
    elif isinstance(drawn, Either):
        options = [seed if isinstance(one, Absent) else again for one in drawn.options]
        seed = either(options, where, decided=drawn.decided, only_if=drawn.only_if)
    elif state.is_repeated(number):
        state.note("reused generator", node, "each iteration after the first continues the noise of the one before")
    state.put(generator, "drawn", Known(where, value=True))
    return device, seed
