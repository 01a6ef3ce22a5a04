"""Where the noise of a call comes from: a generator with its seed, or torch's global one."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.state import State
from spacediff.reading.values.kinds import (
    Absent,
    Asked,
    Attribute,
    Either,
    Items,
    Known,
    Object,
    Unknown,
    Value,
    either,
)


def noise_of(state: State, generator: Value | None, node: ast.AST) -> dict[str, Value]:
    """Return device and seed of the noise that a call draws; the generator has then gone on."""
    options = generator.options if isinstance(generator, Either) else (generator,)
    decided = isinstance(generator, Either) and generator.decided
    devices: list[Value] = []
    seeds: list[Value] = []
    for option in options:
        chosen = option.items[0] if isinstance(option, Items) and option.items else option
        device, seed = _of_one(state, chosen, node)
        devices.append(device)
        seeds.append(seed)
    where = state.where(node)
    return {
        "rng.device": either(devices, where, decided=decided),
        "rng.seed": either(seeds, where, decided=decided),
    }


def seeded(state: State, generator: Object, seed: Value) -> None:
    """Let a generator begin anew."""
    state.put(generator, "seed", seed)
    state.put(generator, "begun", Known(seed.where, state.heap.identity()))
    state.put(generator, "drawn", Absent(seed.where))


def _of_one(state: State, generator: Value | None, node: ast.AST) -> tuple[Value, Value]:
    where = state.where(node)
    if isinstance(generator, Object) and generator.kind == "generator":
        return _of_generator(state, generator, node)
    if generator is None or isinstance(generator, Absent) or (isinstance(generator, Known) and generator.value is None):
        seed = state.heap.cell(state.everywhere).get("seed")
        if seed is None:
            seed = Unknown(where, "no generator and no torch.manual_seed: every run draws other noise", random=True)
        return Known(seed.where if not isinstance(seed, Unknown) else where, "global"), seed
    if isinstance(generator, Either | Asked | Attribute):
        return state.unknown(node), state.unknown(node)
    return Unknown(where, state.words(node)), Unknown(where, state.words(node))


def _of_generator(state: State, generator: Object, node: ast.AST) -> tuple[Value, Value]:
    where = state.where(node)
    held = state.heap.cell(generator.cell)
    device, seed = held.get("device", Known(generator.where, "cpu")), held.get("seed", Unknown(where, "no seed"))
    begun, drawn = held.get("begun"), held.get("drawn")
    number = begun.value if isinstance(begun, Known) and isinstance(begun.value, int) else generator.cell
    if drawn is not None and not isinstance(drawn, Absent):
        state.note("reused generator", node, f"its noise goes on where that of {drawn.where} ended")
        seed = replace(state.unknown(node), text="a generator that has drawn noise before")
    elif state.is_repeated(number):
        state.note("reused generator", node, "every round but the first goes on where the last one's noise ended")
    state.put(generator, "drawn", Known(where, value=True))
    return device, seed
