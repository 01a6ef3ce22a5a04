"""A script's call repeated in its process: used where it gives the same again, and never where it does not."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from spacediff.plan import plan_scenario
from spacediff.processes import child_environment, python
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
pipe.unet.size, pipe.unet.added = 8, torch.tensor(8e-2)
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
[variants.size]
call.width = 96
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
        left: Names of the folders that calls have left in the end.
    """

    folder: Path
    runs: dict[str, Run]
    found: dict[str, Produced]
    starts: int
    left: list[str]


def temporary_of(place: Path) -> Path:
    """Return the folder for temporary files: outside the scenario's folder, of which a copy is made in it."""
    return place.with_name(f"{place.name}-temporary")


def written(place: Path, spoiled: str) -> dict[str, Run]:
    """Write a script and its scenario, and return the runs by name."""
    temporary_of(place).mkdir()
    (place / "checkpoint").symlink_to(checkpoint("sd-1.5"))
    (place / "run.py").write_text(SCRIPT.format(spoiled=spoiled))
    (place / "s.toml").write_text(SCENARIO.format(marker=(place / "marker").as_posix()))
    return {run.name: run for run in plan_scenario(load_scenario(place / "s.toml")).runs}


def repeated(place: Path, spoiled: str, names: tuple[str, ...]) -> Repeated:
    runs, temporary = written(place, spoiled), temporary_of(place)
    scripts = Scripts()
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(tempfile, "tempdir", str(temporary))
            found = {name: scripts.run(runs[name], place, SilentListener()) for name in names}
        left = [each.name for each in temporary.glob("*/left-*")]
    finally:
        scripts.close()
    return Repeated(place, runs, found, len((place / "marker").read_text().split()), left)


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


def test_what_a_repeat_has_left_is_removed_after_use(plain: Repeated) -> None:
    assert plain.left == ["left-0"]


def test_what_a_model_has_made_for_another_size_is_not_used_again(tmp_path: Path) -> None:
    cached = """
    size = args[0].shape[-1]
    if unet.size != size:
        unet.size, unet.added = size, torch.tensor(size * 1e-2)
    return (args[0] + unet.added, *args[1:]), kwargs
    """
    found = repeated(tmp_path, cached.strip(), ("baseline", "scheduler", "size", "guidance"))
    assert found.starts == 1
    own = run_script(found.runs["guidance"], tmp_path, SilentListener())
    assert np.array_equal(found.found["guidance"].clip.frames, own.clip.frames)


def test_a_process_that_could_not_be_asked_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = written(tmp_path, "pass")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary_of(tmp_path)))
    scripts = Scripts()
    try:
        scripts.run(runs["baseline"], tmp_path, SilentListener())
        (first,) = temporary_of(tmp_path).glob("*/left-0")
        (first.parent / "left-1").write_text("in the way")
        with pytest.raises(FileExistsError):
            scripts.run(runs["guidance"], tmp_path, SilentListener())
        assert np.any(scripts.run(runs["guidance"], tmp_path, SilentListener()).clip.frames)
    finally:
        scripts.close()
    assert (tmp_path / "marker").read_text().split() == ["begun", "begun"]


HELD = """
import os, sys
from pathlib import Path
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import load_scenario
from spacediff.sources.script_process import Asked, ScriptProcess
(run,) = [run for run in plan_scenario(load_scenario(Path("s.toml"))).runs if run.name == "baseline"]
process = ScriptProcess(Asked.of(run), {}, {"hold": True})
while not Path("pid").is_file():
    pass
os._exit(0)
"""
WAITING = """
import os, pathlib, time
parent = os.getppid()
folder = pathlib.Path(sys.argv[1]).parent
(folder / "part").write_text(str(os.getpid()))
(folder / "part").rename(folder / "pid")
while os.getppid() == parent:
    time.sleep(0.02)
"""


def test_a_script_ends_after_its_call_where_what_asks_has_ended_before_it(tmp_path: Path) -> None:
    written(tmp_path, "pass")
    script = tmp_path / "run.py"
    script.write_text(script.read_text().replace("calls = []\n", f"calls = []\n{WAITING}"))
    subprocess.run(
        python("-c", HELD),
        cwd=tmp_path,
        env=child_environment() | {"TMPDIR": str(temporary_of(tmp_path))},
        check=True,
        timeout=300,
    )
    begun = psutil.Process(int((tmp_path / "pid").read_text()))
    try:
        until = time.monotonic() + 180
        while begun.is_running() and begun.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.05)
        assert not begun.is_running() or begun.status() == psutil.STATUS_ZOMBIE
        assert list(temporary_of(tmp_path).glob("*/left-0/overridden.json")), "the call was made"
    finally:
        with suppress(psutil.NoSuchProcess):
            begun.kill()


def test_each_repeat_has_its_own_settings_in_force(plain: Repeated) -> None:
    classes = {name: each.settings.value("scheduler.class") for name, each in plain.found.items()}
    assert classes["scheduler"] == "EulerDiscreteScheduler"
    assert classes["guidance"] == classes["seed"] == classes["baseline"] != classes["scheduler"]
    assert plain.found["guidance"].settings.value("numerics.attention") == "math"
    assert plain.found["seed"].settings.value("numerics.attention") == "chosen by torch"
    frames = [np.asarray(each.clip.frames).tobytes() for each in plain.found.values()]
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
