"""Small audits of a Space that fails at random, one after the other in one process, which must not grow.

`python -m support.soak --audits 1000`, run in tests/, prints a table and fails if something grows. Each audit fetches
from a server on loopback, in a process of its own, which answers honestly or with one of the faults of docs/faults.md.
With an honest answer a clip of 5 frames is generated in 2 steps and compared with it. Every twentieth audit starts a
worker process of its own, as each does that a user starts; the others use one that is kept, as on a cluster, since most
of an audit's time would be libraries that are imported again. As docs/api.md says of a program that runs many audits,
its threads share two heaps.

The rule: what is counted in the first fifth is left out, since caches fill and libraries are imported. The rest is cut
into quarters. A measure grows if its median rises from each quarter to the next, and in all by more than it varies
within a quarter: by more than the largest interquartile range of a quarter.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, fields, replace
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import IO, cast

import numpy as np
import psutil
import pytest

import spacediff
from spacediff.api.running import execute
from spacediff.executor import Sequential
from spacediff.freed_memory import share_heaps
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import load_scenario
from spacediff.sources.space import asking
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.supervised import SupervisedWorker
from support.faults import FAULTS, LATE, Fault, show
from support.faults_table import LARGEST, space_that_fails

_TESTS = Path(__file__).parents[1]
HONEST = Fault("an honest answer", "", deadline=20.0)
_SHARE_HONEST = 0.15
"""Of the audits; an honest one takes longest, since it generates."""
_OWN_WORKER_EVERY = 20
"""Audits, of which one starts a worker process of its own."""
SCENARIO = """
title = "Soak"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random" }}
call = {{ num_inference_steps = 2, num_frames = 5 }}
placement = "cpu"
[reference.space]
id = "{space}"
endpoint = "/generate"
inputs = {{ prompt = "{{prompt}}", seed = "{{seed}}" }}
outputs = {{ video = 0, seed = 1 }}
deadline = {deadline}
[scale]
seeds = 1
rerun = false
"""


@dataclass(frozen=True)
class Sample:
    """What this process has after an audit.

    Attributes:
        processes: Its children, their children too, without the server and the kept worker process.
        threads: Its threads.
        files: Its open files, sockets and pipes.
        megabytes: Its resident memory, in MiB, after a garbage collection.
        worker: Resident memory of the kept worker process, in MiB; 0 if it is between two lives.
        temporary: Files and folders in the folder for temporary files.
    """

    processes: float
    threads: float
    files: float
    megabytes: float
    worker: float
    temporary: float


MEASURES = tuple(each.name for each in fields(Sample))


@dataclass(frozen=True)
class Soak:
    """What came of the audits.

    Attributes:
        samples: One after each audit.
        outcomes: Code of the reference's error to how often it came; "fetched" where there was none.
        wrong: Faults that had another outcome than docs/faults.md says, each in a sentence.
        seconds: How long all took.
    """

    samples: tuple[Sample, ...]
    outcomes: Counter[str]
    wrong: tuple[str, ...]
    seconds: float

    def of(self, measure: str) -> list[float]:
        """Return a measure after each audit."""
        return [float(getattr(each, measure)) for each in self.samples]

    @property
    def grows(self) -> list[str]:
        """The measures that grow."""
        return [each for each in MEASURES if grows(self.of(each))]


def quarters(values: Sequence[float]) -> list[np.ndarray]:
    """Leave out the first fifth of some values, and cut the rest into four; few give quarters that are empty."""
    return list(np.array_split(np.asarray(values, float)[len(values) // 5 :], 4))


def grows(values: Sequence[float]) -> bool:
    """Whether a measure rises from each quarter to the next, and in all by more than it varies within one."""
    parts = quarters(values)
    if not all(part.size for part in parts):
        return False
    medians, varies = [float(np.median(part)) for part in parts], _varies(parts)
    return bool((np.diff(medians) > 0).all()) and medians[-1] - medians[0] > varies


def soak(
    audits: int,
    folder: Path,
    seed: int = 0,
    most_seconds: float = float("inf"),
    seen: Callable[[Sample, str], object] = lambda *_: None,
) -> Soak:
    """Run audits through the public API, and look at this process after each; Ctrl-C ends them early.

    Args:
        audits: How many.
        folder: For scenarios and audit folders.
        seed: Of the choice of faults.
        most_seconds: After so many, no further audit begins.
        seen: Called with each sample and outcome.
    """
    chosen = random.Random(seed)  # noqa: S311 - a choice of faults
    outcomes, wrong, began = Counter[str](), [], time.monotonic()
    rows, done = np.full((audits, len(MEASURES)), np.nan), 0  # all at once: a list of them would grow with each audit
    with _server(folder) as server, _kept_worker(folder / "ends") as kept, suppress(KeyboardInterrupt):
        for number in range(audits):
            if time.monotonic() - began > most_seconds:
                break
            fault = HONEST if chosen.random() < _SHARE_HONEST else chosen.choice(FAULTS)
            worker = kept if number % _OWN_WORKER_EVERY else None
            code = _audited(fault, server, folder / str(number), worker)
            outcomes[code or "fetched"] += 1
            if code not in {fault.code, LATE}:  # a busy machine may be late
                wrong.append(f"audit {number}: {fault.name}: {code or 'fetched'}, not {fault.code or 'fetched'}")
            sample = _sample(server, kept)
            rows[number], done = astuple(sample), number + 1
            seen(sample, code or "fetched")
    samples = tuple(Sample(*map(float, row)) for row in rows[:done])
    return Soak(samples, outcomes, tuple(wrong), time.monotonic() - began)


def _varies(parts: Sequence[np.ndarray]) -> float:
    """Return the largest interquartile range of some quarters."""
    return max((float(np.subtract(*np.percentile(part, [75, 25]))) for part in parts if part.size), default=0.0)


def table(found: Soak) -> str:
    """Write the medians of the quarters of each measure, and the outcomes."""
    lines = ["| measure | 1st quarter | 2nd | 3rd | 4th | varies within | grows |", "|---|---|---|---|---|---|---|"]
    for each in MEASURES:
        parts = quarters(found.of(each))
        medians = " | ".join(f"{np.median(part):.1f}" if part.size else "none" for part in parts)
        lines.append(f"| {each} | {medians} | {_varies(parts):.1f} | {'yes' if each in found.grows else 'no'} |")
    outcomes = ", ".join(f"{code} {count}" for code, count in found.outcomes.most_common())
    return "\n".join([f"{len(found.samples)} audits in {found.seconds:.0f} s: {outcomes}", "", *lines, *found.wrong])


def _audited(fault: Fault, server: _Server, folder: Path, worker: _KeptWorker | None) -> str:
    """Audit, remove the folder, and return the code of the reference's error; empty if it was fetched."""
    folder.mkdir(parents=True)
    scenario = folder / "soak.toml"
    space = "org/faulty" if fault.by_id else server.url
    scenario.write_text(SCENARIO.format(space=space, deadline=fault.deadline))
    server.fail(fault)
    if worker is None:
        result = spacediff.run_audit(scenario, out=folder / "out", stop_without_reference=True)
    else:
        plan = replace(plan_scenario(load_scenario(scenario)), stop_without_reference=True)
        result = execute(plan, folder / "out", None, executor=Sequential(AuditWorker(worker, folder / "out")))
    code = result.record.run("p", "reference").code
    shutil.rmtree(folder)
    return code


def _sample(server: _Server, kept: _KeptWorker) -> Sample:
    gc.collect()
    own, worker = psutil.Process(), kept.pid
    children = [each for each in own.children(recursive=True) if each.pid not in {server.pid, worker}]
    left = sum(1 for _ in Path(tempfile.gettempdir()).rglob("*"))
    resident, of_worker = (psutil.Process(pid).memory_info().rss / 2**20 if pid else 0.0 for pid in (own.pid, worker))
    return Sample(len(children), own.num_threads(), own.num_fds(), resident, of_worker, left)


class _KeptWorker(SupervisedWorker):
    """A worker that outlives the audits which use it."""

    def close(self) -> None:
        """Do nothing; each audit closes its worker."""

    def end(self) -> None:
        """End the process."""
        super().close()

    @property
    def pid(self) -> int:
        """The process id; 0 if there is none."""
        return self._running.pid if self._running else 0


@contextmanager
def _kept_worker(ends: Path) -> Iterator[_KeptWorker]:
    kept = _KeptWorker(ends)
    try:
        yield kept
    finally:
        kept.end()


class _Server:
    """The Space that fails, in a process of its own, so that its threads and memory are not counted here."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._requests, self._answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        self.url = self._answers.readline().strip()

    def fail(self, fault: Fault) -> None:
        """Fail from now on as a fault does."""
        self._requests.write(json.dumps(fault.name) + "\n")
        self._requests.flush()
        self._answers.readline()


@contextmanager
def _server(folder: Path) -> Iterator[_Server]:
    with (
        subprocess.Popen(
            [sys.executable, "-m", "support.soak", "--serve", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a client that breaks off is no matter
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, str(_TESTS)]))},
            text=True,
        ) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        server = _Server(process)
        patch.setenv("HF_ENDPOINT", server.url.replace("127.0.0.1", "localhost"))
        patch.setenv("HF_HOME", str(folder / "home"))
        patch.setattr(asking, "MAX_BYTES", LARGEST)
        get_temp_dir()  # multiprocessing keeps its own for good, which must not be the one that is removed
        (folder / "temporary").mkdir()
        patch.setenv("TMPDIR", str(folder / "temporary"))
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))
        yield server


def _serve(folder: Path) -> None:
    """Serve until stdin ends; each line is the name of the fault from now on."""
    faults = {each.name: each for each in (HONEST, *FAULTS)}
    with space_that_fails(folder) as space:
        sys.stdout.write(space.url + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            show(faults[json.loads(line)], space)
            sys.stdout.write("\n")
            sys.stdout.flush()


def main() -> int:
    """Run the audits, and print the table; return 1 if something grows or an outcome is another."""
    parser = argparse.ArgumentParser(prog="python -m support.soak", description=__doc__)
    parser.add_argument("--audits", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no audit after so many")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of faults")
    parser.add_argument("--samples", type=Path, help="file for the samples, a JSON object a line, written as they come")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve)
        return 0
    share_heaps()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        lines = stack.enter_context((options.samples or folder / "samples").open("w", buffering=1))
        found = soak(
            options.audits,
            folder,
            options.seed,
            60 * options.minutes,
            lambda sample, outcome: print(json.dumps({**asdict(sample), "outcome": outcome}), file=lines),
        )
    sys.stdout.write(table(found) + "\n")
    return 1 if found.grows or found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
