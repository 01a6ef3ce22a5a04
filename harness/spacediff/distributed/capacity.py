"""What a worker occupies, what nodes have, and so how many workers there can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from spacediff.plan import Plan
from spacediff.run import Run
from spacediff.scenario.tables.resources import Resources

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Node:
    """What a node has.

    Attributes:
        cpus: Cores.
        gpus: GPUs.
        memory: Bytes.
    """

    cpus: float
    gpus: float
    memory: int


@dataclass(frozen=True)
class Need:
    """What a worker occupies.

    Attributes:
        cpus: Cores.
        gpus: GPUs, perhaps a fraction.
        memory: Bytes; 0 where nothing is reserved.
    """

    cpus: float
    gpus: float
    memory: int = 0

    @property
    def text(self) -> str:
        """It, for people."""
        parts = [f"{self.cpus:g} cores"] + [f"{self.gpus:g} GPUs"] * bool(self.gpus)
        return ", ".join(parts + [f"{self.memory / 2**30:.1f} GiB of memory"] * bool(self.memory))

    def times_on(self, node: Node) -> int:
        """Return how many workers a node has room for."""
        pairs = ((node.cpus, self.cpus), (node.gpus, self.gpus), (float(node.memory), float(self.memory)))
        return min((floor(has / needed + _ROUNDING) for has, needed in pairs if needed), default=0)


def need_of(resources: Resources, runs: Iterable[Run], nodes: Sequence[Node], threads: int) -> Need:
    """Return what a worker occupies.

    Where the scenario says nothing, that is one GPU if there are any and some run may use one; and as many cores as
    torch has threads, or one beside a GPU.

    Args:
        resources: What the scenario says.
        runs: The runs.
        nodes: What there is.
        threads: CPU threads of torch.
    """
    gpus = resources.gpus
    if gpus is None:
        wanted = any(run.source == "diffusers" and run.settings.value("placement") != "cpu" for run in runs)
        gpus = float(wanted and any(node.gpus >= 1 for node in nodes))
    cpus = resources.cpus or (1 if gpus else threads)
    return Need(cpus, gpus, resources.memory_bytes)


def workers_for(plans: Sequence[Plan], need: Need, nodes: Iterable[Node]) -> int:
    """Return how many workers there should be: at most one for each run, with those of the search in mind.

    Args:
        plans: What is to be done.
        need: What a worker occupies.
        nodes: What there is.
    """
    runs = sum(run.source == "diffusers" for plan in plans for run in plan.runs)
    return min(runs, sum(map(need.times_on, nodes)))
