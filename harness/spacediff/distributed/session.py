"""A session: a cluster, and the workers on it that several audits share, one audit after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spacediff.distributed.actor import Terms
from spacediff.distributed.capacity import Need, need_of, workers_for
from spacediff.distributed.cluster import Cluster, cluster
from spacediff.distributed.executor import ClusterExecutor, Hosting
from spacediff.distributed.pool import Pool
from spacediff.errors import ClusterUnavailable
from spacediff.plan import Plan


@dataclass(frozen=True)
class _Wanted:
    """What a pool has to be like for a plan."""

    need: Need
    terms: Terms


class Session:
    """Gives each audit its executor; audits that want equal workers share them.

    Args:
        cluster: Where the workers are.
        plans: All audits of the session.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        shared: A folder that all machines see, through which files pass; empty for none.
    """

    def __init__(self, cluster: Cluster, plans: Sequence[Plan], *, reuse: bool, shared: str) -> None:
        self._cluster = cluster
        self._nodes = cluster.nodes()
        self._reuse, self._shared = reuse, shared
        self._plans = [(self._wanted(plan), plan) for plan in plans]
        self._pool: tuple[_Wanted, Pool] | None = None

    def executor(self, plan: Plan, folder: Path, quota_wait: float) -> ClusterExecutor:
        """Return the executor of an audit.

        Args:
            plan: What it has to do.
            folder: The audit folder.
            quota_wait: Seconds that may be waited for GPU quotas of Spaces to be renewed.

        Raises:
            ClusterUnavailable: No node has what a run needs.
        """
        wanted = self._wanted(plan)
        if self._pool is None or self._pool[0] != wanted:
            self.close()
            self._pool = wanted, self._opened(wanted)
        hosting = Hosting(folder, quota_wait, wanted.terms.threads)
        return ClusterExecutor(self._pool[1], hosting, keep_latents=plan.keep_latents)

    @property
    def pool(self) -> Pool | None:
        """The workers; None before the first audit."""
        return None if self._pool is None else self._pool[1]

    def close(self, *, at_once: bool = False) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool[1].close(at_once=at_once)
            self._pool = None

    def _wanted(self, plan: Plan) -> _Wanted:
        threads = plan.resources.cpus or _threads_here()
        need = need_of(plan.resources, plan.runs, self._nodes, threads)
        terms = Terms(threads=threads, reuse=self._reuse, keep_latents=plan.keep_latents, shared=self._shared)
        return _Wanted(need, terms)

    def _opened(self, wanted: _Wanted) -> Pool:
        plans = [plan for needed, plan in self._plans if needed == wanted]
        workers = workers_for(plans, wanted.need, self._nodes)
        if not workers and any(run.source == "diffusers" for plan in plans for run in plan.runs):
            raise ClusterUnavailable(
                f"no node of the cluster has what a run needs: {wanted.need.text}",
                hint="[resources] in the scenario says what a run occupies",
            )
        return Pool(self._cluster, wanted.need, wanted.terms, workers)


@contextmanager
def session(plans: Sequence[Plan], *, reuse: bool = True, shared: str = "") -> Iterator[Session]:
    """Connect to a cluster, or start one on this machine, for some audits.

    Args:
        plans: The audits.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        shared: A folder that all machines see, through which files pass, as fsspec names it; empty for none.

    Raises:
        MissingPackage: Ray is not installed.
        ClusterUnavailable: There is no cluster at the address, or it does not start.
    """
    with cluster() as connected:
        opened = Session(connected, plans, reuse=reuse, shared=shared)
        finished = False
        try:
            yield opened
            finished = True
        finally:
            opened.close(at_once=not finished)


def _threads_here() -> int:
    import torch

    return torch.get_num_threads()
