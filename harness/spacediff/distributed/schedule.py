"""The schedule: which run goes to which worker next. It asks no clock and no machine, so a simulation drives it too.

The key insight: loading a checkpoint costs more than most runs, and a denoising that two runs share is paid once only
if both go to one worker. So a worker keeps to its checkpoint while it has runs, and what shares a denoising stays where
it began. What a lost worker had in hand begins again elsewhere, at the front; a run that was lost twice is given up.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass

MOST_LOSSES = 2
"""So many workers may be lost with a run in hand before it counts as what kills them."""


@dataclass(frozen=True)
class Job:
    """A run, as the schedule sees it.

    Attributes:
        number: Its identity; of two alike, the lower one begins first.
        checkpoint: What has to be loaded for it.
        shares: Names what it has in common with others up to the end of the denoising.
        urgent: Whether somebody waits for it before more can be asked for, as the search for the cause does.
    """

    number: int
    checkpoint: str
    shares: str
    urgent: bool = False


class Schedule:
    """Which runs wait, and what each worker has loaded and in hand.

    Attributes:
        load: Seconds that loading a checkpoint takes; 0 until one was measured.
        run: Seconds that a run takes; 0 until one was measured.
    """

    def __init__(self, *, load: float = 0.0, run: float = 0.0) -> None:
        self.load, self.run = load, run
        self._groups: dict[str, deque[Job]] = {}
        self._free: dict[str, dict[str, None]] = defaultdict(dict)
        self._urgent: dict[str, None] = {}
        self._waiting: Counter[str] = Counter()
        self._home: dict[str, int] = {}
        self._homed: dict[int, dict[str, None]] = {}
        self._loaded: dict[int, str] = {}
        self._in_hand: dict[int, Job] = {}
        self._losses: Counter[int] = Counter()

    def __len__(self) -> int:
        return self._waiting.total()

    def add(self, job: Job, *, first: bool = False) -> None:
        """Let a run wait; `first` of those that it shares its denoising with."""
        group = self._groups.setdefault(job.shares, deque())
        if first or job.urgent:
            group.appendleft(job)
        else:
            group.append(job)
        if job.urgent:
            self._urgent[job.shares] = None
        self._waiting[job.checkpoint] += 1
        home = self._home.get(job.shares)
        if home is None:
            self._free[job.checkpoint][job.shares] = None
        else:
            self._homed[home][job.shares] = None

    def withdraw(self, numbers: frozenset[int]) -> list[Job]:
        """Take runs back that have not begun, and return them."""
        found = [job for group in self._groups.values() for job in group if job.number in numbers]
        for job in found:
            self._groups[job.shares].remove(job)
            self._taken(job)
        return found

    def join(self, worker: int) -> None:
        """Let a worker take part; it has nothing loaded."""
        self._homed.setdefault(worker, {})

    def take(self, worker: int) -> Job | None:
        """Return the run that a worker is to do next; None where none waits that is for it."""
        shares = self._choose(worker)
        if shares is None:
            return None
        job = self._groups[shares].popleft()
        self._home[shares] = worker
        self._homed[worker][shares] = None
        self._free[job.checkpoint].pop(shares, None)
        self._taken(job)
        self._in_hand[worker] = job
        self._loaded[worker] = job.checkpoint
        return job

    def done(self, worker: int) -> None:
        """Note that a worker has finished what it had in hand."""
        self._in_hand.pop(worker, None)

    def lose(self, worker: int) -> Job | None:
        """Note that a worker is gone; return the run that is given up, since it was lost too often."""
        job = self._in_hand.pop(worker, None)
        self._loaded.pop(worker, None)
        self._homed.pop(worker, None)
        for shares in [each for each, home in self._home.items() if home == worker]:
            del self._home[shares]
            if shares in self._groups:
                self._free[self._groups[shares][0].checkpoint][shares] = None
        if job is None:
            return None
        self._losses[job.number] += 1
        if self._losses[job.number] >= MOST_LOSSES:
            return job
        self.add(job, first=True)
        return None

    def in_hand(self, worker: int) -> Job | None:
        """Return the run that a worker does."""
        return self._in_hand.get(worker)

    def _taken(self, job: Job) -> None:
        self._waiting[job.checkpoint] -= 1
        group = self._groups[job.shares]
        if not any(each.urgent for each in group):
            self._urgent.pop(job.shares, None)
        if not group:
            del self._groups[job.shares]
            self._free[job.checkpoint].pop(job.shares, None)
            home = self._home.get(job.shares)
            if home is not None:
                self._homed[home].pop(job.shares, None)

    def _choose(self, worker: int) -> str | None:
        """Return what the next run of a worker shares: urgent ones first, then those for which it has most at hand."""
        loaded = self._loaded.get(worker, "")
        urgent = (each for each in self._urgent if self._home.get(each, worker) == worker)
        for known in (urgent, self._homed[worker], self._free.get(loaded, {})):
            if (found := next(iter(known), None)) is not None:
                return found
        others = [each for each, free in self._free.items() if free and self._pays(each)]
        return next(iter(self._free[max(others, key=self._waiting_for_each)])) if others else None

    def _waiting_for_each(self, checkpoint: str) -> float:
        """How many runs of a checkpoint wait for each worker that would have it loaded, with one more."""
        return self._waiting[checkpoint] / (1 + self._with(checkpoint))

    def _pays(self, checkpoint: str) -> bool:
        """Whether loading takes less than waiting for those that have a checkpoint loaded."""
        have = self._with(checkpoint)
        return not have or self._waiting[checkpoint] * self.run / have >= self.load

    def _with(self, checkpoint: str) -> int:
        return sum(each == checkpoint for each in self._loaded.values())
