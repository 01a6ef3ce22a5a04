"""Wall time of the same runs with 1 and 2 workers on this machine: `python -m benchmarks.scaling_local [--clips N]`.

Each worker has one core. The clips have 49 frames of the tiny model, so that generating takes most of the time; loading
is left out, as are the seconds in which Ray starts. On a machine that does something else meanwhile, the wall time says
little, so the processor time of the workers is printed beside it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from spacediff.distributed.cluster import cluster
from spacediff.distributed.session import Session
from spacediff.plan import Plan, plan_scenario
from spacediff.progress import SilentListener
from spacediff.scenario.scenario import parse_scenario
from spacediff.store.store import Store

_SCENARIO = """
title = "scaling"
prompts.lemon = {{ text = "A hand squeezes half a lemon over a glass bowl, close-up", seed = 42 }}
baseline.model.id = "builtin:tiny-cogvideox-random"
baseline.call = {{ num_inference_steps = 50, num_frames = 49 }}
baseline.placement = "cpu"
reference.variant = "baseline"
resources.cpus = 1
scale = {{ seeds = {seeds}, rerun = false }}
"""


def main() -> None:
    """Print a row for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=16)
    asked = parser.parse_args()
    plan = plan_scenario(parse_scenario(_SCENARIO.format(seeds=asked.clips - 1), Path("scaling.toml")))
    walls = {}
    for workers in (1, 2):
        walls[workers], used = _measured(plan, workers)
        gain = walls[1] / walls[workers]
        print(f"{workers} workers: {walls[workers]:6.1f} s for {asked.clips} clips, {used:6.1f} s of processor time; "
              f"{gain:.2f} times as fast, efficiency {gain / workers:.0%}")  # fmt: skip


def _measured(plan: Plan, workers: int) -> tuple[float, float]:
    """Return the wall time of all runs but the first of each worker, and the processor time of its processes."""
    with tempfile.TemporaryDirectory() as folder, cluster(cpus=workers) as connected:
        session = Session(connected, [plan], reuse=True, shared="")
        with session.executor(plan, Path(folder), 0.0) as executor:
            first = plan.runs[:workers]
            if not all(record.measured for record in executor.execute(first, Store(Path(folder)), SilentListener())):
                raise SystemExit("a clip was not generated")
            before, began = _used(), time.monotonic()
            records = list(executor.execute(plan.runs[workers:], Store(Path(folder)), SilentListener()))
            wall, used = time.monotonic() - began, _used() - before
        session.close()
    if not all(record.measured for record in records):
        raise SystemExit("a clip was not generated")
    return wall * len(plan.runs) / len(records), used


def _used() -> float:
    """Return the processor time of all worker processes that this one has started, in seconds."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
            total += times.user + times.system
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
