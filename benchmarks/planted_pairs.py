"""What the search costs with real generations: the planted pairs on the trained tiny checkpoint.

A pair is a baseline and a target that differ in one to four planted causes, in nine settings that make no difference,
and in none to three that change the numbers only. Each is searched as an audit searches it, with its seeds and its
re-run, from a store of its own, so that no pair profits from another.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from spacediff.environment import environment
from spacediff.executor import Sequential
from spacediff.explaining.conclusion import cause_record
from spacediff.explaining.explain import explain
from spacediff.explaining.result import SearchResult
from spacediff.explaining.search import Subset
from spacediff.plan import plan_scenario
from spacediff.progress import SearchProgress, SilentListener
from spacediff.record import Role, RunRecord, Standing
from spacediff.run import Run
from spacediff.scenario.scenario import load_scenario
from spacediff.store.store import Store
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.local import LocalWorker

STEPS = 50
_STRIDE = 27
SILENT = {
    "placement": "cpu",
    "scheduler.timestep_spacing": "trailing",
    "output.fps": 16,
    "output.quality": 8.0,
    "vae.slicing": True,
    "load.use_dynamic_cfg": True,
    "rng.device": "global",
    "call.eta": 0.0,
    "numerics.tf32": True,
}
"""These make no difference."""
GUILTY = {
    "scheduler.class": "CogVideoXDPMScheduler",
    "call.use_dynamic_cfg": True,
    "call.guidance_scale": 7.0,
    "call.negative_prompt": "a foot",
    "rng.stream": "torch<=2.11",
    "rng.seed": 43,
}
"""These are seen."""
IMMATERIAL = {"numerics.attention": "math", "output.rounding": "truncate", "scheduler.beta_start": 0.000850001}
"""These change the numbers, and nothing that can be seen. The tiles of this checkpoint's VAE are seen in some clips."""
PAIRS: tuple[tuple[str, ...], ...] = (
    *((one,) for one in GUILTY),
    *itertools.combinations(GUILTY, 2),
    *tuple(itertools.combinations(GUILTY, 3))[::3],
    *tuple(itertools.combinations(GUILTY, 4))[::4],
)
"""The causes of the 32 pairs."""

_SCENARIO = """
title = "planted"
[prompts.p]
text = "a blue cone and a green box meet over a brown floor"
seed = 42
[baseline]
model = {{ id = "builtin:tiny-cogvideox", dtype = "float32" }}
call = {{ num_inference_steps = {steps}, num_frames = 9, guidance_scale = 6.0 }}
rng = {{ dtype = "bfloat16" }}
placement = "model_cpu_offload"
[reference]
variant = "as-hosted"
[explain]
from = "baseline"
to = "as-hosted"
weights = "none"
[variants.as-hosted]
{changes}
"""


@dataclass(frozen=True)
class Searched:
    """What the search of one pair has found and cost.

    Attributes:
        causes: The planted causes.
        numeric: The planted settings that change the numbers only.
        cause: The cause that was found.
        found_numeric: The settings that were found to change the numbers only.
        no_effect: The settings that were found to make no difference.
        proved: Whether proof and counter-proof have succeeded.
        suspects: Number of settings that differ.
        generations: What the search has cost, beside the two ends.
        proof: What the proof among it has cost.
        counter: What the counter-proof among it has cost.
        tolerance: The tolerance, in levels.
        probes: Each run: what it takes back from the target, the steps that it made, and what it showed.
    """

    causes: tuple[str, ...]
    numeric: tuple[str, ...]
    cause: tuple[str, ...]
    found_numeric: tuple[str, ...]
    no_effect: tuple[str, ...]
    proved: bool
    suspects: int
    generations: float
    proof: float
    counter: float
    tolerance: float
    probes: tuple[Mapping[str, Any], ...]

    @property
    def is_exact(self) -> bool:
        """Whether every setting is in its class."""
        found = ({*self.cause}, {*self.found_numeric}, {*self.no_effect})
        return self.proved and found == ({*self.causes}, {*self.numeric}, {*SILENT})

    @property
    def beside(self) -> float:
        """The generations beside the two ends, the proof and the counter-proof."""
        return self.generations - self.proof - self.counter


def lines(most: int | None, file: Path | None) -> Iterator[str]:
    """Search pairs and yield what they cost as a table.

    Args:
        most: At most so many pairs; None for all.
        file: File of searched pairs, one JSON object a line; what is in it is not searched again.
    """
    found = _read(file)
    with tempfile.TemporaryDirectory(prefix="spacediff-planted-") as name:
        for causes, numeric in itertools.islice(kinds(), most):
            if (causes, numeric) not in found:
                pair = found[causes, numeric] = search(causes, numeric, Path(name) / "base")
                _append(pair, file)
    yield from table(list(found.values()))


def table(pairs: Sequence[Searched]) -> Iterator[str]:
    """Yield what pairs cost: generations beside the two ends, the proof and the counter-proof."""
    yield f"planted pairs on the trained tiny checkpoint, {STEPS} steps:"
    yield "causes  numeric  pairs  exact  mean  most  proof and counter-proof too, mean"
    for name, chosen in _rows(pairs):
        cost, whole = [pair.beside for pair in chosen], mean(pair.generations for pair in chosen)
        exact = sum(pair.is_exact for pair in chosen)
        yield f"{name}  {len(chosen):5}  {exact:5}  {mean(cost):4.2f}  {max(cost):4.2f}  {whole:.2f}"


def _rows(pairs: Sequence[Searched]) -> Iterator[tuple[str, list[Searched]]]:
    for with_numeric in (False, True):
        for causes in (1, 2, 3, 4):
            chosen = [pair for pair in pairs if len(pair.causes) == causes and bool(pair.numeric) is with_numeric]
            if chosen:
                yield f"{causes:6}  {'1 to 3' if with_numeric else 'none':7}", chosen
    yield "1 to 3  any    ", [pair for pair in pairs if len(pair.causes) < 4]  # noqa: PLR2004 - as the line says


def _read(file: Path | None) -> dict[tuple[tuple[str, ...], tuple[str, ...]], Searched]:
    texts = map(json.loads, file.read_text("utf-8").splitlines()) if file and file.exists() else ()
    names = ("causes", "numeric", "cause", "found_numeric", "no_effect", "probes")
    pairs = [Searched(**text | {name: tuple(text[name]) for name in names}) for text in texts]
    return {(pair.causes, pair.numeric): pair for pair in pairs}


def _append(pair: Searched, file: Path | None) -> None:
    if file is not None:
        with file.open("a", encoding="utf-8") as added:
            added.write(f"{json.dumps(asdict(pair))}\n")


def kinds() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the causes of each pair, without numeric settings and with one to three of them.

    In such an order that the first ones are a fair sample of all.
    """
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(causes, ()) for causes in PAIRS]
    found += [(causes, tuple(IMMATERIAL)[: 1 + number % 3]) for number, causes in enumerate(PAIRS)]
    for number in range(len(found)):
        yield found[number * _STRIDE % len(found)]


def search(causes: Sequence[str], numeric: Sequence[str], base: Path, steps: int = STEPS) -> Searched:
    """Search one pair; what all pairs share, baseline, re-run and seeds, is generated once into a folder."""
    changes = {path: GUILTY[path] for path in causes} | {path: IMMATERIAL[path] for path in numeric} | SILENT
    lines = (f"{path} = {json.dumps(value)}" for path, value in changes.items())
    return searched(_SCENARIO.format(steps=steps, changes="\n".join(lines)), causes, numeric, base)


def searched(scenario: str, causes: Sequence[str], numeric: Sequence[str], base: Path) -> Searched:
    """Search the cause between the two ends of a scenario, in a copy of a folder, as an audit does."""
    with tempfile.TemporaryDirectory(prefix="spacediff-planted-") as name:
        folder, made = Path(name), _Made()
        file = folder / "planted.toml"
        file.write_text(scenario, encoding="utf-8")
        plan = plan_scenario(load_scenario(file))
        if not base.exists():
            _execute([run for run in plan.runs if run.role is not Role.VARIANT], base)
        store = Store(shutil.copytree(base, folder / "audit"))
        with Sequential(AuditWorker(LocalWorker(environment()), store.folder)) as executor, store.locked():
            records = list(executor.execute(plan.runs, store, SilentListener()))
            result = explain(plan, records, store.folder, lambda run: next(executor.execute([run], store, made)), made)
    if result is None or result.cost is None:
        raise AssertionError("there was nothing to search")
    found, each = cause_record(result, [], records, {}), result.cost.steps_each

    def cost(changed: Subset) -> float:
        steps = [run.steps_made or 0 for run, of in made.probes if of == changed and run.stopped is None]
        return sum(steps) / each

    cause = frozenset(found.cause)
    return Searched(
        tuple(causes),
        tuple(numeric),
        tuple(found.cause),
        tuple(found.standing(Standing.NUMERIC)),
        tuple(found.standing(Standing.NO_EFFECT)),
        proved=all(proof.succeeded for proof in found.proofs),
        suspects=len(found.suspects),
        generations=result.cost.generations,
        proof=cost(cause),
        counter=cost(result.everything - cause),
        tolerance=found.tolerance.levels if found.tolerance else 0.0,
        probes=tuple(_told(run, changed, result) for run, changed in made.probes),
    )


def _execute(runs: Sequence[Run], folder: Path) -> None:
    store = Store(folder)
    with Sequential(AuditWorker(LocalWorker(environment()), folder)) as executor, store.locked():
        for _ in executor.execute(runs, store, SilentListener()):
            pass


class _Made(SilentListener):
    """Remembers the runs of a search with what they change."""

    def __init__(self) -> None:
        super().__init__()
        self.probes: list[tuple[RunRecord, Subset]] = []

    def on_probe_finished(
        self,
        search: SearchProgress,  # noqa: ARG002 - what any listener gets
        run: RunRecord,
        changed: Subset,
        *,
        reproduced: bool | None,  # noqa: ARG002
    ) -> None:
        self.probes.append((run, changed))


def _told(run: RunRecord, changed: Subset, result: SearchResult) -> dict[str, Any]:
    stopped, sight = run.stopped, result.sights[changed]
    return {
        "back": sorted(result.everything - changed),
        "steps": run.steps_made,
        "first": stopped.first if stopped else sight.step,
        "distance": stopped.distance if stopped else None,
        "within": sight.within,
        "equal": sight.equal,
    }
