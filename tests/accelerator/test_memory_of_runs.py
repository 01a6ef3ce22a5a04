"""What local runs leave on a device and in the machine's memory, and what happens when the memory is full.

All runs of a test are generated in a row by one process, as in an audit, on the stand-in accelerator.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from support.heavy_checkpoint import CALL, weights_of
from support.paths import ROOT, shared_folder
from support.standin import StandIn
from support.standin.generations import Generation, Outcome

pytestmark = pytest.mark.slow

GARBAGE = 0.001
"""What a run may leave until the garbage is collected: tensors of some kilobytes, as a part of the weights."""
LARGE = {"num_frames": 17, "height": 64, "width": 96}
"""Arguments of a call whose decoding without tiling takes more memory than everything else: 0.5 times the weights."""


@dataclass(frozen=True)
class Series:
    """Runs of one process.

    Attributes:
        runs: What is left of each, by name.
        kept: Bytes on the device after the last, without garbage.
        weights: Bytes of the checkpoint's weights.
    """

    runs: Mapping[str, Outcome]
    kept: int
    weights: int

    def __getitem__(self, name: str) -> Outcome:
        return self.runs[name]


Generate = Callable[[Mapping[str, Generation]], Series]


@pytest.fixture(scope="module")
def generate(standin: StandIn, heavy_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Generate:
    """Generates a series of runs, once in a session: the tests of a series may run in several processes."""
    shared = shared_folder(tmp_path_factory)

    def generated(runs: Mapping[str, Generation]) -> Series:
        weights = weights_of(heavy_checkpoint)
        model = {"id": str(heavy_checkpoint), "dtype": "bfloat16"}
        asked = [asdict(replace(run, settings={"model": model, **run.settings})) for run in runs.values()]
        request = json.dumps({"weights": weights, "generations": asked})
        file = shared / f"series-{hashlib.sha256(request.encode()).hexdigest()[:16]}.json"
        with FileLock(file.with_suffix(".lock")):
            if not file.exists():
                file.write_text(answered(request, standin), "utf-8")
        answer = json.loads(file.read_text("utf-8"))
        outcomes = [Outcome(**outcome) for outcome in answer["outcomes"]]
        return Series(dict(zip(runs, outcomes, strict=True)), answer["kept"], weights)

    return generated


def answered(request: str, standin: StandIn) -> str:
    environment = standin.environment()
    environment["PYTHONPATH"] = os.pathsep.join([environment["PYTHONPATH"], str(ROOT / "tests")])
    command = [sys.executable, "-P", "-m", "support.standin.generations"]
    done = subprocess.run(command, input=request, env=environment, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(placement: str, *, cap: float | None = None, fresh: bool = False, **tables: Mapping[str, Any]) -> Generation:
    """A run of the checkpoint; `cap` is in multiples of its weights, and stays for the runs that follow."""
    settings = {"placement": placement, "vae": {"tiling": True}, **tables, "call": {**CALL, **tables.get("call", {})}}
    return Generation(settings, cap, fresh)


@pytest.fixture(scope="module")
def in_a_row(generate: Generate) -> Series:
    """Ways to end, on a device with room for one pipeline and a tenth more."""
    return generate(
        {
            "resident": run("npu", cap=1.1),
            "too small for the weights": run("npu", cap=0.5, call={"guidance_scale": 7.0}),
            "too small for a step": run("npu", cap=1.03, call={"guidance_scale": 7.0}),
            "resident, without tiling": run("npu", cap=1.1, call={"guidance_scale": 7.0}, vae={"tiling": False}),
            "offloaded": run("model_cpu_offload", call={"guidance_scale": 8.0}),
            "resident, after offloading": run("npu", call={"guidance_scale": 9.0}),
        }
    )


FULL = ["too small for the weights", "too small for a step"]
DONE = ["resident", "resident, without tiling", "offloaded", "resident, after offloading"]


@pytest.mark.parametrize("name", FULL + DONE)
def test_a_run_leaves_nothing_on_the_device(in_a_row: Series, name: str) -> None:
    assert in_a_row[name].in_use < GARBAGE * in_a_row.weights
    assert in_a_row.kept == 0


@pytest.mark.parametrize("name", DONE)
def test_room_for_a_tenth_more_than_the_weights_is_enough(in_a_row: Series, name: str) -> None:
    assert in_a_row[name].digest, in_a_row[name].message


@pytest.mark.parametrize("name", FULL)
def test_a_run_that_does_not_fit_says_so(in_a_row: Series, name: str) -> None:
    assert (in_a_row[name].digest, in_a_row[name].code) == ("", "out-of-memory")
    assert (in_a_row[name].denoised > 0) == (name == "too small for a step")


@pytest.mark.parametrize("name", FULL + DONE)
def test_a_run_leaves_one_copy_of_the_weights_in_the_machine(in_a_row: Series, name: str) -> None:
    assert in_a_row[name].host_peak < 1.2 * in_a_row.weights
    assert in_a_row[name].parameters < 1.2 * in_a_row.weights


@pytest.fixture(scope="module")
def placements(generate: Generate) -> Series:
    names = ("npu", "npu:0", "group_offload", "model_cpu_offload", "sequential_cpu_offload")
    everywhere = {name: run(name, fresh=True) for name in names}
    return generate({**everywhere, "npu generator": run("npu", fresh=True, rng={"device": "npu"})})


def test_every_placement_generates_the_same_clip_and_leaves_nothing(placements: Series) -> None:
    clips = {name: outcome.digest for name, outcome in placements.runs.items()}
    other = clips.pop("npu generator")
    assert set(clips.values()) == {placements["npu"].digest}
    assert other not in {"", placements["npu"].digest}, "its generator draws other noise"
    assert max(outcome.in_use for outcome in placements.runs.values()) < GARBAGE * placements.weights
    assert placements.kept == 0


@pytest.mark.parametrize(
    ("placement", "most"),
    [("npu", 1.1), ("model_cpu_offload", 0.7), ("group_offload", 0.2), ("sequential_cpu_offload", 0.2)],
)
def test_a_placement_needs_what_it_promises(placements: Series, placement: str, most: float) -> None:
    assert placements[placement].peak < most * placements.weights
    assert placements[placement].host_peak < 1.2 * placements.weights
    assert placements[placement].parameters < 1.2 * placements.weights


def test_many_runs_take_no_more_memory_than_the_first(generate: Generate) -> None:
    series = generate({f"{scale}": run("model_cpu_offload", call={"guidance_scale": scale}) for scale in range(3, 9)})
    first, *others = series.runs.values()
    assert all(outcome.digest for outcome in series.runs.values())
    for outcome in others:
        assert outcome.host_in_use < first.host_in_use + 0.02 * series.weights
        assert outcome.host_peak < first.host_peak + 0.1 * series.weights


def test_after_a_decoding_that_ran_out_of_memory_only_the_decoding_is_tried_again(generate: Generate) -> None:
    def untiled(cap: float) -> Generation:
        return run("npu", cap=cap, call=LARGE, vae={"tiling": False})

    series = generate(
        {
            "untiled": untiled(1.25),
            "untiled, less room": untiled(0.3),
            "tiled": run("npu", cap=1.25, call=LARGE),
            "untiled, with room": untiled(2),
        }
    )
    assert ["out-of-memory" in outcome.code for outcome in series.runs.values()] == [True, True, False, False]
    assert [bool(outcome.digest) for outcome in series.runs.values()] == [False, False, True, True]
    assert [outcome.denoised for outcome in series.runs.values()] == [CALL["num_inference_steps"], 0, 0, 0]
    assert series.kept == 0


def test_a_checkpoint_that_is_cut_off_leaves_nothing_in_the_machine(
    generate: Generate, heavy_checkpoint: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(heavy_checkpoint, damaged)
    (weights,) = (damaged / "transformer").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    model = {"id": str(damaged), "dtype": "bfloat16"}
    series = generate({f"attempt {n}": run("npu", model=model, load={"attempt": n}) for n in range(3)})
    for outcome in series.runs.values():
        assert outcome.code == "checkpoint-unavailable"
        assert outcome.in_use == 0
        assert outcome.parameters < 0.1 * series.weights
