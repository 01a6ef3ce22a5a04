"""Runs that end early, on the tiny checkpoint: where they end, what they cost, and what they say of the distance."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.executor import Sequential
from spacediff.progress import SilentListener
from spacediff.record import Role, RunRecord, Stage
from spacediff.run import Prompt, Run, Stop
from spacediff.settings import Origin, Settings
from spacediff.sources.local.kept_ends import KeptEnds
from spacediff.store.latents import read_latents
from spacediff.store.store import DENOISED, Store
from spacediff.tiny.checkpoint import RANDOM
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.local import LocalWorker

STEPS = 4
PROMPT = Prompt("p", "a lemon", 42)


def run_of(name: str, *, role: Role = Role.VARIANT, stop: Stop | None = None, **tables: Any) -> Run:
    call = {"num_inference_steps": STEPS, "num_frames": 5, "height": 48, "width": 64, **tables.pop("call", {})}
    declared = {"model": {"id": RANDOM.id}, "placement": "cpu", "call": call, **tables}
    return Run(name, role, PROMPT, "diffusers", Settings.of(declared, Origin.DECLARED, "test"), stop=stop)


@dataclass(frozen=True)
class Audited:
    """An audit folder with a target and two seeds."""

    folder: Path
    executor: Sequential
    target: RunRecord
    seeds: tuple[str, ...]

    def execute(self, run: Run) -> RunRecord:
        (record,) = self.executor.execute([run], Store(self.folder), SilentListener())
        return record

    def screen(self, *, after: int = 0, far: float | None = None, last: int | None = None, **tables: Any) -> RunRecord:
        stop = Stop(self.target.key, self.seeds, after, far, last)
        return self.execute(run_of("screen", role=Role.SCREEN, stop=stop, **tables))


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder = tmp_path_factory.mktemp("audit")
    worker = AuditWorker(LocalWorker({}, ends=folder / DENOISED), folder)
    with Sequential(worker) as executor:
        planned = [replace(run_of("target"), is_target=True), run_of("seed-43", role=Role.SEED, rng={"seed": 43})]
        target, seed = executor.execute(planned, Store(folder), SilentListener())
        yield Audited(folder, executor, target, (target.key, seed.key))


def test_a_run_ends_at_the_first_step_that_differs_and_says_how_far_it_is(audited: Audited) -> None:
    found = audited.screen(call={"guidance_scale": 9.0})
    assert (found.clip, found.measured, found.failed, found.reason) == (None, False, False, "")
    assert found.stopped is not None
    assert (found.stopped.step, found.stopped.steps, found.stopped.first, found.stopped.made) == (1, STEPS, 1, 1)
    assert (found.stopped.before, found.stopped.unobserved, found.stopped.target) == (None, [], audited.target.key)
    assert found.steps_made == 1
    assert found.trace
    assert len(found.trace.steps) == 1


def test_distances_are_those_of_whole_runs(audited: Audited) -> None:
    found = audited.screen(after=2, call={"guidance_scale": 9.5})
    assert found.stopped is not None
    whole = audited.execute(run_of("whole", call={"guidance_scale": 9.5}))
    assert found.stopped.step == 3
    assert found.stopped.resolution == 0.0, "the target's latents are kept exactly"
    seed = next(run for run in audited.seeds if run != audited.target.key)
    mine, target, other = (latents_of(audited, key) for key in (whole.key, audited.target.key, seed))
    for step, (share, relative) in enumerate(zip(found.stopped.distances, found.stopped.relative, strict=True), 1):
        apart = np.linalg.norm(mine[step] - target[step])
        assert relative == pytest.approx(apart / np.linalg.norm(target[step]), rel=0.01)  # files: half precision
        assert share == pytest.approx(apart / np.linalg.norm(other[step] - target[step]), rel=0.01)


def latents_of(audited: Audited, key: str) -> list[np.ndarray]:
    with read_latents(audited.folder / "runs" / key / "latents.zip") as latents:
        return [each.astype(np.float64) for each in latents]


def test_a_rounding_difference_below_half_precision_is_measured(audited: Audited) -> None:
    found = audited.screen(numerics={"attention": "math"})
    assert found.stopped is not None
    assert found.stopped.first == 1
    (relative,) = found.stopped.relative
    assert relative is not None
    assert 0 < relative < 1e-5
    assert found.stopped.resolution == 0.0


def test_a_run_that_is_equal_throughout_ends_before_the_decoding(audited: Audited) -> None:
    found = audited.screen(call={"guidance_scale": 6.0}, placement="model_cpu_offload")
    assert found.stopped is not None
    assert found.stopped.is_equal
    assert (found.stopped.step, found.stopped.made, found.stopped.distances) == (STEPS, STEPS, [0.0] * STEPS)
    assert found.trace
    assert not found.trace.decoded


def test_what_acts_after_the_denoising_costs_no_step_and_gives_a_clip(audited: Audited) -> None:
    found = audited.screen(vae={"slicing": True, "tiling": True})
    assert found.stopped is None
    assert found.clip
    assert found.steps_made == 0


def test_what_acts_nowhere_takes_the_targets_steps_over_and_decodes_nothing(audited: Audited) -> None:
    found = audited.screen()
    assert found.stopped is not None
    assert (found.stopped.is_equal, found.stopped.made, found.steps_made) == (True, 0, 0)


def test_the_distance_decides_how_long_a_run_goes_on(audited: Audited) -> None:
    shares = audited.screen(after=3, call={"guidance_scale": 7.5})
    assert shares.stopped is not None
    known = [each for each in shares.stopped.distances if each is not None]
    assert known == sorted(known)
    far = (known[1] + known[2]) / 2
    found = audited.screen(far=far, call={"guidance_scale": 7.5})
    assert found.stopped is not None
    assert (found.stopped.step, found.stopped.distances) == (3, known[:3])


@pytest.mark.parametrize(
    "tables", [{"scheduler": {"timestep_spacing": "linspace"}}, {"call": {"num_inference_steps": 2}}]
)
def test_a_distance_at_another_noise_level_ends_no_run(audited: Audited, tables: dict[str, Any]) -> None:
    shown = audited.screen(after=1, **tables).stopped
    assert shown is not None
    assert shown.distance is None or shown.distance > 0.01
    assert audited.screen(far=0.01, **tables).clip


def test_a_run_goes_no_further_than_it_may(audited: Audited) -> None:
    equal = audited.screen(last=2, placement="model_cpu_offload").stopped
    near = audited.screen(last=2, far=50.0, call={"guidance_scale": 7.75}).stopped
    assert equal is not None
    assert near is not None
    assert (equal.step, equal.first, equal.is_equal, equal.made) == (2, None, False, 2)
    assert (near.step, near.first, near.made) == (2, 1, 2)


def test_a_run_that_never_gets_far_gives_a_clip(audited: Audited) -> None:
    found = audited.screen(far=50.0, call={"guidance_scale": 7.25})
    assert found.stopped is None
    assert found.clip
    assert found.steps_made == STEPS
    whole = audited.execute(run_of("whole", call={"guidance_scale": 7.25}))
    assert whole.clip
    assert whole.clip.digest == found.clip.digest
    assert whole.steps_made == 0, "the screen has left the end of its denoising"


@pytest.mark.parametrize("call", [{"num_inference_steps": 3}, {"num_inference_steps": 5}, {"num_frames": 9}])
def test_other_steps_and_shapes_diverge_without_a_distance(audited: Audited, call: dict[str, Any]) -> None:
    found = audited.screen(after=1, call=call)
    assert found.stopped is not None
    assert (found.stopped.step, found.stopped.first) == (2, 1)
    assert found.stopped.distances == found.stopped.relative == [None, None]


@pytest.mark.parametrize(
    ("prompt", "tables", "before"),
    [("a lime", {}, Stage.TEXT), ("a lemon", {"rng": {"seed": 7}}, Stage.NOISE)],
)
def test_what_differs_before_the_first_step_is_named(
    audited: Audited, prompt: str, tables: dict[str, Any], before: Stage
) -> None:
    stop = Stop(audited.target.key, audited.seeds)
    run = replace(run_of("screen", role=Role.SCREEN, stop=stop, **tables), prompt=replace(PROMPT, text=prompt))
    found = audited.execute(run)
    assert found.stopped is not None
    assert (found.stopped.before, found.stopped.first) == (before, 1)


def test_another_seed_is_as_far_as_the_seeds_are(audited: Audited) -> None:
    found = audited.screen(rng={"seed": 44})
    assert found.stopped is not None
    assert found.stopped.distance == pytest.approx(1.0, abs=0.1)


def test_the_store_has_a_run_that_ended_early(audited: Audited) -> None:
    listener = Noting()
    stop = Stop(audited.target.key, audited.seeds)
    run = run_of("screen", role=Role.SCREEN, stop=stop, call={"guidance_scale": 9.0})
    first, again = (next(audited.executor.execute([run], Store(audited.folder), listener)) for _ in range(2))
    assert listener.reused[-1]
    assert again == first


class Noting(SilentListener):
    def __init__(self) -> None:
        self.reused: list[bool] = []

    def on_run_finished(self, run: Run, record: RunRecord, *, reused: bool) -> None:  # noqa: ARG002
        self.reused.append(reused)


def test_after_a_run_that_ended_early_a_whole_one_gives_what_it_always_gives(audited: Audited) -> None:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    audited.screen(call={"guidance_scale": 9.25}, numerics={"deterministic": True, "threads": 2})
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (threads, deterministic)
    again = audited.execute(replace(run_of("again"), repeat=1))
    assert again.clip
    assert audited.target.clip
    assert again.clip.digest == audited.target.clip.digest


def test_without_a_target_in_the_store_a_run_is_whole(audited: Audited) -> None:
    stop = Stop("0" * 24)
    assert audited.execute(run_of("screen", role=Role.SCREEN, stop=stop, call={"num_inference_steps": 2})).clip


def test_latents_in_half_precision_say_what_they_cannot_resolve(audited: Audited, tmp_path: Path) -> None:
    worker = AuditWorker(LocalWorker({}, ends=tmp_path), audited.folder)
    stop = Stop(audited.target.key, audited.seeds)
    run = run_of("screen", role=Role.SCREEN, stop=stop, numerics={"attention": "math", "threads": 1})
    with Sequential(worker) as executor:
        (found,) = executor.execute([run], Store(audited.folder), SilentListener())
    assert found.stopped is not None
    assert found.stopped.first == 1
    assert found.stopped.resolution == 2**-11
    assert found.stopped.relative[0] is not None
    assert 1e-5 < found.stopped.relative[0] < 2**-11, "the rounding of what is kept"


def test_the_end_of_one_target_stays_when_the_others_go(tmp_path: Path, audited: Audited) -> None:
    end = KeptEnds(audited.folder / DENOISED).target(audited.target.key)
    assert end
    shutil.copytree(audited.folder / DENOISED, tmp_path / "copy")
    kept = KeptEnds(tmp_path / "copy")
    kept.clear()
    assert kept.target(audited.target.key) == tmp_path / "copy" / end.name
    assert {path.suffix for path in (tmp_path / "copy").iterdir()} - {".embeddings"} == {".safetensors", ".target"}
    assert kept.target("0" * 24) is None


@pytest.mark.parametrize("text", ["../../runs/x.safetensors", "", "a" * 32])
def test_a_file_that_names_no_end_names_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.target").write_text(text)
    assert KeptEnds(tmp_path).target("key") is None
