"""All proposals for a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from spacediff.why.proposals.calls import at_the_export, in_the_call
from spacediff.why.proposals.generators import generator
from spacediff.why.proposals.loading import at_loading, part_of_pipeline
from spacediff.why.proposals.methods import lora, numerics, vae_switch
from spacediff.why.proposals.schedulers import scheduler
from spacediff.why.proposals.site import Proposal, Site
from spacediff.why.proposals.values import at_the_value, computed_value

_Proposer = Callable[[Site], Iterator[Proposal]]
_BY_TABLE: Mapping[str, _Proposer] = MappingProxyType({
    "call": in_the_call,
    "load": at_loading,
    "lora": lora,
    "model": at_loading,
    "numerics": numerics,
    "output": at_the_export,
    "rng": generator,
    "scheduler": scheduler,
    "vae": vae_switch,
})  # fmt: skip
"""First name of a path to what knows how such a setting is set."""


def proposals(site: Site) -> Iterator[Proposal]:
    """Yield the proposals that may remove a difference, the most likely first."""
    if not site.is_removed:
        yield from at_the_value(site)
    is_part = any(isinstance(side.value, dict) for side in (site.row.left, site.row.right))
    table = site.row.path.partition(".")[0]
    if table == "load" and is_part:
        yield from part_of_pipeline(site)
    elif table in _BY_TABLE:
        yield from _BY_TABLE[table](site)
    yield from computed_value(site)
