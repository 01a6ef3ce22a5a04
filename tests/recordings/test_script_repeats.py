"""A script's call repeated in its process: used where it gives the same again, and never where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.scenario.scenario import load_scenario
from spacediff.sources import Produced
from spacediff.sources.script import Scripts, run_script
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.slow

SCRIPT = """
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
import sys
import diffusers
import torch
open(sys.argv[1], "a").write("begun ")
pipe = diffusers.StableDiffusionPipeline.from_pretrained("checkpoint")
calls = []
def before(unet, args, kwargs):
    calls.append(1)
    {spoiled}
pipe.unet.register_forward_pre_hook(before, with_kwargs=True)
pipe("a red cone", num_inference_steps=2, height=64, width=64, generator=torch.Generator().manual_seed(7))
"""
SCENARIO = """
title = "repeats"
[prompts.p]
text = "a red cone"
seed = 7
[baseline]
script = "run.py"
args = ["{marker}"]
[variants.scheduler]
scheduler.class = "EulerDiscreteScheduler"
vae.slicing = true
[variants.guidance]
call.guidance_scale = 2.0
numerics.attention = "math"
[variants.seed]
rng.seed = 8
[reference]
variant = "baseline"
"""


@dataclass(frozen=True)
class Repeated:
    """A script that was run for all runs of a scenario.

    Attributes:
        folder: Its folder.
        runs: The runs by name.
        found: What they produced.
        starts: How often the script was begun.
    """

    folder: Path
    runs: dict[str, Run]
    found: dict[str, Produced]
    starts: int


def repeated(place: Path, spoiled: str, names: tuple[str, ...]) -> Repeated:
    (place / "checkpoint").symlink_to(checkpoint("sd-1.5"))
    (place / "run.py").write_text(SCRIPT.format(spoiled=spoiled))
    (place / "s.toml").write_text(SCENARIO.format(marker=(place / "marker").as_posix()))
    runs = {run.name: run for run in plan_scenario(load_scenario(place / "s.toml")).runs}
    scripts = Scripts()
    try:
        found = {name: scripts.run(runs[name], place, SilentListener()) for name in names}
    finally:
        scripts.close()
    return Repeated(place, runs, found, len((place / "marker").read_text().split()))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Repeated:
    return repeated(tmp_path_factory.mktemp("plain"), "pass", ("baseline", "scheduler", "guidance", "seed"))


def test_repeats_share_a_process_and_give_what_a_process_each_gives(plain: Repeated) -> None:
    assert plain.starts == 1
    own = run_script(plain.runs["guidance"], plain.folder, SilentListener())
    found = plain.found["guidance"]
    assert found.described == f"{own.described}, repeated in its process"
    assert np.array_equal(found.clip.frames, own.clip.frames)
    assert found.trace
    assert own.trace
    assert [step.digest for step in found.trace.steps] == [step.digest for step in own.trace.steps]
    assert {path: each.value for path, each in found.settings.items()} == {
        path: each.value for path, each in own.settings.items()
    }, "nothing of the variants before it is in force"


def test_each_repeat_has_its_own_settings_in_force(plain: Repeated) -> None:
    classes = {name: each.settings.value("scheduler.class") for name, each in plain.found.items()}
    assert classes["scheduler"] == "EulerDiscreteScheduler"
    assert classes["guidance"] == classes["seed"] == classes["baseline"] != classes["scheduler"]
    assert plain.found["guidance"].settings.value("numerics.attention") == "math"
    assert plain.found["seed"].settings.value("numerics.attention") == "chosen by torch"
    frames = [each.clip.frames.tobytes() for each in plain.found.values()]
    assert len(set(frames)) == len(frames)


@pytest.mark.parametrize(
    "spoiled",
    [
        "return (args[0] + 1e-2 * len(calls), *args[1:]), kwargs",
        "unet.conv_in.bias.data += 1e-2",
    ],
    ids=["a counter of calls", "weights that change"],
)
def test_a_call_that_does_not_give_the_same_again_gets_a_process_each(spoiled: str, tmp_path: Path) -> None:
    found = repeated(tmp_path, spoiled, ("baseline", "scheduler", "guidance"))
    assert found.starts == 3
    own = run_script(found.runs["guidance"], tmp_path, SilentListener())
    assert np.array_equal(found.found["guidance"].clip.frames, own.clip.frames)
