"""What a cluster is worth: `python -m benchmarks.scaling [--runs N] [--model tiny] [--at-once N] [--cores N]`.

The schedule that the executor uses (`spacediff.distributed.schedule`) is driven with the costs of
`benchmarks/scaling_costs.json`, and prints the efficiency for up to 64 GPUs: the seconds that workers generate and
encode, by all that they had. What they did in the others names the bottleneck.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from spacediff.distributed.schedule import Job, Schedule

COSTS = Path(__file__).with_suffix("").with_name("scaling_costs.json")
PLANNED = 13
"""Runs of an audit's plan: baseline, re-run, three seeds, eight variants, two of which share another's denoising."""
SCREENS, CHAIN = 6, 4
"""Probes of its search that are made at once, of two steps each, and those that wait for each other …"""
PROBE = 0.5
"""… and go on for about half of their steps."""


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
        audits: Audits that are under way at once.
    """

    workers: int
    cores: int = 16
    audits: int = 32


@dataclass
class Spent:
    """Seconds of all workers, by what they did, and of what they share.

    Attributes:
        generating: Generating and encoding.
        loading: Loading checkpoints.
        transferring: Sending files, and waiting for the link.
        wall: From the beginning to the end.
        link: Seconds that the link was busy.
        scoring: Seconds that cores scored.
    """

    generating: float = 0.0
    loading: float = 0.0
    transferring: float = 0.0
    wall: float = 0.0
    link: float = 0.0
    scoring: float = 0.0

    def efficiency(self, cluster: Cluster) -> float:
        """Return the share of the workers' time in which they generated."""
        return self.generating / (cluster.workers * self.wall)

    def bottleneck(self, cluster: Cluster) -> str:
        """Name what took most of the rest."""
        have = cluster.workers * self.wall
        idle = have - self.generating - self.loading - self.transferring
        lost = {"loading": self.loading, "transfer": self.transferring, _idle_because(self, cluster): idle}
        name = max(lost, key=lambda each: lost[each])
        return f"{name} ({lost[name] / have:.0%})"


def _idle_because(spent: Spent, cluster: Cluster) -> str:
    if spent.scoring > 0.9 * cluster.cores * spent.wall:
        return "scoring, all cores busy"
    return "waiting for searches, whose probes depend on each other, and for the last runs"


@dataclass
class _Audit:
    number: int
    checkpoint: str
    left: int = PLANNED
    phase: int = 0


@dataclass
class Simulation:
    """Audits on a cluster, event by event.

    Attributes:
        costs: What the stages cost.
        cluster: What there is.
        audits: How many audits.
        checkpoints: How many of them they use, one audit after the other.
    """

    costs: Costs
    cluster: Cluster
    audits: int
    checkpoints: int = 8
    spent: Spent = field(default_factory=Spent)
    _events: list[tuple[float, int, Any, tuple[Any, ...]]] = field(default_factory=list)
    _order: Any = field(default_factory=count)
    _jobs: dict[int, tuple[_Audit, float]] = field(default_factory=dict)

    def run(self) -> Spent:
        """Return what was spent."""
        self._schedule = Schedule(load=self.costs.load, run=self.costs.generate)
        self._loaded = dict.fromkeys(range(self.cluster.workers), "")
        self._idle = set(self._loaded)
        self._link_free, self._cores_free = 0.0, [0.0] * self.cluster.cores
        self._waiting = deque(_Audit(n, f"checkpoint-{n % self.checkpoints}") for n in range(self.audits))
        for worker in self._loaded:
            self._schedule.join(worker)
        for _ in range(min(self.cluster.audits, self.audits)):
            self._begin(0.0)
        self._hand_out(0.0)
        while self._events:
            now, _, act, arguments = heapq.heappop(self._events)
            self.spent.wall = max(self.spent.wall, now)
            act(now, *arguments)
            self._hand_out(now)
        return self.spent

    def _at(self, when: float, act: Any, *arguments: Any) -> None:
        heapq.heappush(self._events, (when, next(self._order), act, arguments))

    def _begin(self, now: float) -> None:  # noqa: ARG002 - as all that happens at a time
        if self._waiting:
            audit = self._waiting.popleft()
            for run in range(PLANNED):
                shares = max(run, 2)  # 0, 1 and 2 share their denoising, so that two only decode
                self._ask(audit, f"{audit.number}-{shares}", 0.1 if run in {1, 2} else 1.0)

    def _ask(self, audit: _Audit, shares: str, part: float, *, urgent: bool = False) -> None:
        number = next(self._order)
        self._jobs[number] = audit, part
        self._schedule.add(Job(number, audit.checkpoint, shares, urgent))

    def _hand_out(self, now: float) -> None:
        for worker in sorted(self._idle):
            job = self._schedule.take(worker)
            if job is None:
                continue
            self._idle.discard(worker)
            load = self.costs.load if self._loaded[worker] != job.checkpoint else 0.0
            self._loaded[worker] = job.checkpoint
            _, part = self._jobs[job.number]
            made = part * self.costs.generate + (self.costs.encode if part > 2 / 50 else 0.0)
            self.spent.loading += load
            self.spent.generating += made
            self._at(now + load + made, self._send, worker, job)

    def _send(self, now: float, worker: int, job: Job) -> None:
        audit, part = self._jobs.pop(job.number)
        takes = self.costs.transfer if part > 2 / 50 else 0.0  # what ends early leaves a record alone
        began = max(now, self._link_free) if takes else now
        self._link_free = began + takes if takes else self._link_free
        self.spent.link += takes
        self.spent.transferring += began + takes - now
        self._at(began + takes, self._finish, worker, audit)

    def _finish(self, now: float, worker: int, audit: _Audit) -> None:
        self._schedule.done(worker)
        self._idle.add(worker)
        audit.left -= 1
        if audit.left:
            return
        audit.phase += 1
        name = f"{audit.number}-probe-{audit.phase}"
        if audit.phase == 1:
            audit.left = SCREENS
            for screen in range(SCREENS):
                self._ask(audit, f"{name}-{screen}", 2 / 50, urgent=True)
        elif audit.phase <= 1 + CHAIN:
            audit.left = 1
            self._ask(audit, name, PROBE, urgent=True)
        else:
            self._score(now)

    def _score(self, now: float) -> None:
        """Score the clips of an audit on one core, then begin another audit."""
        takes = (PLANNED + CHAIN) * self.costs.score
        free = heapq.heappop(self._cores_free)
        ends = max(now, free) + takes
        heapq.heappush(self._cores_free, ends)
        self.spent.scoring += takes
        self._at(ends, self._begin)


def main() -> None:
    """Print a row for each number of GPUs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--model", default="cogvideox-5b", choices=["cogvideox-5b", "tiny"])
    parser.add_argument("--at-once", type=int, default=32, help="audits under way at once")
    parser.add_argument("--cores", type=int, default=16, help="cores of the machine of the command")
    asked = parser.parse_args()
    costs = Costs.measured(asked.model, json.loads(COSTS.read_text("utf-8")))
    audits = max(round(asked.runs / (PLANNED + SCREENS + CHAIN)), 1)
    print(f"{audits} audits, {asked.runs} runs, {asked.model}: {costs}")
    for workers in (1, 8, 16, 32, 64, 128, 256):
        cluster = Cluster(workers, asked.cores, asked.at_once)
        spent = Simulation(costs, cluster, audits).run()
        share = spent.efficiency(cluster)
        print(f"{workers:4} GPUs {spent.wall / 3600:7.1f} h, efficiency {share:6.1%}; {spent.bottleneck(cluster)}")


if __name__ == "__main__":
    main()
