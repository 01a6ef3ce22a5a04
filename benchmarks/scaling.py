"""What a cluster is worth: `python -m benchmarks.scaling [--runs N] [--audits N] [--model tiny] [--cores N]`.

The schedule that the executor uses (`spacediff.distributed.schedule`) is driven with the costs of
`benchmarks/scaling_costs.json`. The efficiency is the seconds in which workers generate and encode, by all that they
had. What they did in the others names the bottleneck.

Audits come one after the other, as `spacediff audit a.toml b.toml` runs them, each with a checkpoint of its own.
Scoring a clip takes all cores of the machine of the command, while others are generated.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from spacediff.distributed.schedule import Job, Schedule

_BUSY = 0.9
"""The share of the time from which scoring keeps everything else waiting."""
COSTS = Path(__file__).with_suffix("").with_name("scaling_costs.json")
PLANNED = 13
"""Runs for each prompt: baseline, re-run, three seeds, eight variants, two of which share another's denoising."""
SCREENS, CHAIN = 6, 4
"""Probes of a search that are made at once, of two steps each, and those that wait for each other …"""
PROBE = 0.5
"""… and go on for about half of their steps."""
_SHORT = 2 / 50
"""The part of a generation that ends early, and leaves a record without files."""


@dataclass(frozen=True)
class Costs:
    """Seconds of the stages of a run.

    Attributes:
        load: Loading a checkpoint.
        generate: The denoising and decoding of one clip.
        encode: Writing its files.
        transfer: Getting them into the audit folder, over a link that all share.
        score: Comparing it with the reference, on one core of the machine of the command.
    """

    load: float
    generate: float
    encode: float
    transfer: float
    score: float

    @classmethod
    def measured(cls, model: str, found: dict[str, Any]) -> Costs:
        """Return the costs of a model."""
        transfer = found["bytes"] / found["link_bytes_a_second"] + found["verify"]
        of_model = found[model]
        return cls(of_model["load"], of_model["generate"], found["encode"], transfer, found["score"])


@dataclass(frozen=True)
class Cluster:
    """What there is.

    Attributes:
        workers: GPUs.
        cores: Cores that score, on the machine of the command.
    """

    workers: int
    cores: int = 16


@dataclass
class Spent:
    """Seconds of all workers, by what they did, and of what they share.

    Attributes:
        generating: Generating and encoding.
        loading: Loading checkpoints.
        transferring: Sending files, and waiting for the link.
        wall: From the beginning to the end.
        scoring: Seconds in which the machine of the command scored.
    """

    generating: float = 0.0
    loading: float = 0.0
    transferring: float = 0.0
    wall: float = 0.0
    scoring: float = 0.0

    def efficiency(self, cluster: Cluster) -> float:
        """Return the share of the workers' time in which they generated."""
        return self.generating / (cluster.workers * self.wall)

    def bottleneck(self, cluster: Cluster) -> str:
        """Name what took most of the rest."""
        have = cluster.workers * self.wall
        idle = have - self.generating - self.loading - self.transferring
        waiting = "scoring" if self.scoring > _BUSY * self.wall else "searches, and the last runs of an audit"
        lost = {"loading": self.loading, "transfer": self.transferring, waiting: idle}
        name = max(lost, key=lambda each: lost[each])
        return f"{name} ({lost[name] / have:.0%})"


@dataclass
class Simulation:
    """Audits on a cluster, event by event.

    Attributes:
        costs: What the stages cost.
        cluster: What there is.
        audits: How many audits.
        prompts: How many prompts each has.
    """

    costs: Costs
    cluster: Cluster
    audits: int
    prompts: int
    spent: Spent = field(default_factory=Spent)
    _events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _parts: dict[int, float] = field(default_factory=dict)
    _audit: int = -1
    _left: int = 0
    _phase: int = 0
    _link_free: float = 0.0
    _scored: float = 0.0

    def run(self) -> Spent:
        """Return what was spent."""
        self._schedule = Schedule(load=self.costs.load, run=self.costs.generate)
        self._loaded = dict.fromkeys(range(self.cluster.workers), "")
        self._idle = set(self._loaded)
        for worker in self._loaded:
            self._schedule.join(worker)
        self._begin(0.0)
        while self._events:
            now, _, act, arguments = heapq.heappop(self._events)
            self.spent.wall = max(self.spent.wall, now)
            act(now, *arguments)
            self._hand_out(now)
        return self.spent

    def _at(self, when: float, act: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), act, arguments))

    def _begin(self, now: float) -> None:
        """Begin the next audit: all of its plan can be generated at once."""
        self._audit += 1
        if self._audit == self.audits:
            return
        self._phase, self._left = 0, PLANNED * self.prompts
        for prompt in range(self.prompts):
            for run in range(PLANNED):  # 0, 1 and 2 share their denoising, so that two of them only decode
                self._ask(f"{prompt}-{max(run, 2)}", 0.1 if run in {1, 2} else 1.0)
        self._hand_out(now)

    def _ask(self, shares: str, part: float, *, urgent: bool = False) -> None:
        number = next(self._numbers)
        self._parts[number] = part
        checkpoint = f"checkpoint-{self._audit}"
        self._schedule.add(Job(number, checkpoint, f"{checkpoint}-{shares}", urgent))

    def _hand_out(self, now: float) -> None:
        for worker in sorted(self._idle):
            job = self._schedule.take(worker)
            if job is None:
                continue
            self._idle.discard(worker)
            load = self.costs.load if self._loaded[worker] != job.checkpoint else 0.0
            self._loaded[worker] = job.checkpoint
            part = self._parts[job.number]
            made = part * self.costs.generate + (self.costs.encode if part > _SHORT else 0.0)
            self.spent.loading += load
            self.spent.generating += made
            self._at(now + load + made, self._send, worker, job.number)

    def _send(self, now: float, worker: int, number: int) -> None:
        whole = self._parts.pop(number) > _SHORT
        takes = self.costs.transfer if whole else 0.0
        began = max(now, self._link_free) if whole else now
        self._link_free = max(self._link_free, began + takes)
        self.spent.transferring += began + takes - now
        if whole and self._phase == 0:
            each = self.costs.score / self.cluster.cores
            self._scored = max(self._scored, began + takes) + each
            self.spent.scoring += each
        self._at(began + takes, self._finish, worker)

    def _finish(self, now: float, worker: int) -> None:
        self._schedule.done(worker)
        self._idle.add(worker)
        self._left -= 1
        if self._left:
            return
        self._phase += 1
        if self._phase == 1:
            self._left = SCREENS
            for screen in range(SCREENS):
                self._ask(f"screen-{screen}", _SHORT, urgent=True)
        elif self._phase <= 1 + CHAIN:
            self._left = 1
            self._ask(f"probe-{self._phase}", PROBE, urgent=True)
        elif self._phase == 2 + CHAIN and self.prompts > 1:
            self._left = 2 * (self.prompts - 1)
            for proof in range(self._left):
                self._ask(f"proof-{proof}", 1.0, urgent=True)
        else:
            self._at(max(now, self._scored), self._begin)


def main() -> None:
    """Print a row for each number of GPUs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--audits", type=int, default=4)
    parser.add_argument("--model", default="cogvideox-5b", choices=["cogvideox-5b", "tiny"])
    parser.add_argument("--cores", type=int, default=32, help="cores of the machine of the command")
    asked = parser.parse_args()
    costs = Costs.measured(asked.model, json.loads(COSTS.read_text("utf-8")))
    prompts = max(round((asked.runs / asked.audits - SCREENS - CHAIN + 2) / (PLANNED + 2)), 1)
    runs = asked.audits * (prompts * (PLANNED + 2) - 2 + SCREENS + CHAIN)
    print(f"{asked.audits} audits of {prompts} prompts, {runs} runs, {asked.cores} cores; {costs}")
    for workers in (1, 8, 16, 32, 64, 128, 256):
        cluster = Cluster(workers, asked.cores)
        spent = Simulation(costs, cluster, asked.audits, prompts).run()
        share = spent.efficiency(cluster)
        print(f"{workers:4} GPUs {spent.wall / 3600:7.1f} h  efficiency {share:6.1%}  {spent.bottleneck(cluster)}")


if __name__ == "__main__":
    main()
