"""The generator of the noise: its device, and a seed."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from spacediff.devices import is_device
from spacediff.python_code import as_code
from spacediff.reading import Reading
from spacediff.why.editing import AddedArgument, AddedLine, RemovedArgument, Replacement
from spacediff.why.proposals.imports import imported
from spacediff.why.proposals.site import Proposal, Site, keywords, last_name, with_operations

_SEED = 42
"""The seed for a script without one; the written scenario uses the same."""
_ALSO = frozenset({"rng.seed"})
"""What a generator sets besides its device."""
_SEEDING = frozenset({"manual_seed", "manual_seed_all", "set_seed", "seed_everything"})


def generator(site: Site) -> Iterator[Proposal]:
    """Yield ways to draw the noise on the device on which the Space draws it."""
    if site.row.path != "rng.device":
        return
    if site.value == "global":
        yield from _without_generator(site)
    elif is_device(str(site.value)):
        if site.row.left.value != "global":
            yield from _other_device(site)
        yield from _new_generator(site)


def _other_device(site: Site) -> Iterator[Proposal]:
    """Change the device that a generator of the script is given."""
    code = site.code()
    for call in site.script.every(cst.Call):
        if last_name(call.func) != "Generator":
            continue
        given = next((each for each in call.args if each.keyword is None or each.keyword.value == "device"), None)
        if given is not None:
            words = f"{site.script.source_of(given.value)} becomes {code} in torch.Generator(...)"
            yield Proposal((Replacement(given.value, code),), words)
        elif not call.args:
            yield Proposal((AddedArgument(call, "device", code),), f"add device={code} to torch.Generator(...)")


def _new_generator(site: Site) -> Iterator[Proposal]:
    """Give the call a generator."""
    for call in site.pipeline_calls():
        for seed, remark in _seeds(site, call):
            code = f"torch.Generator({site.code()}).manual_seed({seed})"
            given = keywords(call).get("generator")
            operation = AddedArgument(call, "generator", code) if given is None else Replacement(given.value, code)
            words = f"add generator={code} to {site.script.source_of(call.func)}(...){remark}"
            words = words if given is None else f"generator={code}{remark}"
            proposal = Proposal((operation,), words, _ALSO)
            yield with_operations(proposal, imported(site.script, "", "torch", call))


def _without_generator(site: Site) -> Iterator[Proposal]:
    """Seed torch's global generator instead of giving the call one."""
    for call in site.pipeline_calls():
        statement = site.script.statement_of(call)
        if "generator" not in keywords(call) or statement is None:
            continue
        for seed, remark in _seeds(site, call):
            line = f"torch.manual_seed({seed})"
            operations = (
                *imported(site.script, "", "torch", call),
                AddedLine(statement, line, before=True),
                RemovedArgument(call, "generator"),
            )
            yield Proposal(operations, f"add the line {line}{remark} and remove generator=...", _ALSO)


def _seeds(site: Site, call: cst.Call) -> Iterator[tuple[str, str]]:
    """Yield seeds for the noise of a call, as the script writes them, each with a remark for the user."""
    here = site.script.function_of(call)
    for node in site.script.every(cst.Call):
        if last_name(node.func) in _SEEDING and len(node.args) == 1:
            given = node.args[0].value
            is_seen = site.script.function_of(node) in {None, here}
            if is_seen and isinstance(given, cst.Name | cst.Attribute):
                yield site.script.source_of(given), ""
    if "rng.seed" in site.reading.inputs:
        return  # a constant would override the seed that the user passes
    seeded = site.wanted.get("rng.seed")
    seed = site.reading.settings.value("rng.seed") if seeded is None else seeded.right.value
    if isinstance(seed, int):
        yield as_code(seed), ""
    else:
        yield str(_SEED), f"; {_SEED} is a placeholder for a number that you choose, since the script sets no seed"


def seed_of(reading: Reading) -> tuple[int | None, bool] | None:
    """Return the seed of a script and whether the user can pass another one; None if it sets no seed."""
    seed, is_given = reading.settings.value("rng.seed"), "rng.seed" in reading.inputs
    return (seed, is_given) if isinstance(seed, int) or is_given else None
