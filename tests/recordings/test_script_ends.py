"""A script's call that ends early: whatever the script makes of it, and whatever is asked of its process next."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.scenario.scenario import load_scenario
from spacediff.sources import Produced, Stopped
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
class Stubborn(diffusers.StableDiffusionPipeline):
    @torch.no_grad()
    def __call__(self, *args, **kwargs):
        try:
            return super().__call__(*args, **kwargs)
        except BaseException:
            return super().__call__("another prompt", num_inference_steps=1, height=64, width=64)
pipe = {kind}.from_pretrained("checkpoint")
pipe("a red cone", num_inference_steps=3, height=64, width=64, generator=torch.Generator().manual_seed(7))
"""
SCENARIO = """
title = "ends"
[prompts.p]
text = "a red cone"
seed = 7
[baseline]
script = "run.py"
args = ["{marker}"]
[variants.guidance]
call.guidance_scale = 2.0
[variants.near]
call.guidance_scale = 2.01
[variants.math]
call.guidance_scale = 2.0
vae.slicing = true
[variants.scheduler]
scheduler.class = "EulerDiscreteScheduler"
[reference]
variant = "guidance"
"""


@dataclass
class Followed:
    """A script whose calls are compared with that of its variant `guidance`."""

    folder: Path
    runs: dict[str, Run]
    scripts: Scripts

    def whole(self, name: str, folder: str = "whole", **changes: Any) -> Produced:
        place = self.folder / folder
        place.mkdir(exist_ok=True)
        return self.scripts.run(replace(self.runs[name], **changes), place, SilentListener())

    def until(self, name: str, target: Produced, **stop: Any) -> Produced | Stopped:
        seed = self.whole("seed-8", "seed")
        asked = {"target": kept(target), "seeds": [kept(target), kept(seed)], "steps": 3}
        asked |= {"after": 0, "far": None, "last": None} | stop
        return self.scripts.follow(self.runs[name], self.folder, SilentListener(), asked)

    @property
    def starts(self) -> int:
        return len((self.folder / "marker").read_text().split())


def kept(produced: Produced) -> dict[str, Any]:
    assert produced.trace
    steps = produced.trace.steps
    return {
        "digests": [step.digest for step in steps],
        "timesteps": [step.timestep for step in steps],
        "signals": [step.signal for step in steps],
        "scaling": produced.trace.scaling,
        "latents": str(produced.latents_file),
    }


@pytest.fixture
def followed(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    place = tmp_path / "scenario"
    place.mkdir()
    (tmp_path / "temporary").mkdir()
    (place / "checkpoint").symlink_to(checkpoint("sd-1.5"))
    (place / "run.py").write_text(SCRIPT.format(kind=getattr(request, "param", "diffusers.StableDiffusionPipeline")))
    (place / "s.toml").write_text(SCENARIO.format(marker=(place / "marker").as_posix()))
    runs = {run.name: run for run in plan_scenario(load_scenario(place / "s.toml")).runs}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    scripts = Scripts()
    yield Followed(place, runs, scripts)
    scripts.close()


def test_calls_end_at_the_first_difference_and_leave_nothing_to_the_next_in_their_process(followed: Followed) -> None:
    followed.whole("baseline", "baseline")
    target = followed.whole("guidance", "target", is_target=True)
    far = followed.until("scheduler", target)
    assert isinstance(far, Stopped)
    assert far.first == 1
    assert len(far.trace.steps) == len(far.distances) == 1
    near = followed.until("near", target, after=1)
    assert isinstance(near, Stopped)
    assert near.distances[1] is not None
    assert 0 < near.distances[1] < 0.1
    assert near.resolution, "the latents of scripts are kept in half precision"
    equal = followed.until("math", target)
    assert isinstance(equal, Produced), "all steps are equal, so that it is decoded"
    assert followed.starts == 1
    own = run_script(followed.runs["scheduler"], followed.folder, SilentListener())
    assert np.array_equal(followed.whole("scheduler").clip.frames, own.clip.frames)
    assert followed.starts == 2


@pytest.mark.parametrize("followed", ["Stubborn"], indirect=True)
def test_a_script_that_keeps_the_end_to_itself_has_ended_all_the_same(followed: Followed) -> None:
    target = followed.whole("guidance", "target", is_target=True)
    found = followed.until("scheduler", target)
    assert isinstance(found, Stopped)
    assert len(found.distances) == 1, "what the script does next says nothing of its settings"


def test_a_call_that_differs_too_little_goes_to_its_end(followed: Followed) -> None:
    target = followed.whole("guidance", "target", is_target=True)
    found = followed.until("near", target, far=0.5)
    assert isinstance(found, Produced)
