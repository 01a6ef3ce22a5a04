"""A script that ends before its call is not run again for what is put into the call."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from spacediff.errors import GenerationFailed
from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.scenario.scenario import load_scenario
from spacediff.sources.script import Scripts, run_script
from spacediff.sources.script_process import Asked, ScriptProcess
from support.tiny_pipelines import checkpoint

SCENARIO = """
title = "endings"
[prompts.p]
text = "a red cone"
seed = 7
[baseline]
script = "run.py"
args = ["{marker}"]
[variants.guidance]
call.guidance_scale = 2.0
[variants.placed]
placement = "model_cpu_offload"
[reference]
variant = "baseline"
[scale]
seeds = 1
"""


def test_a_script_that_ends_before_its_call_is_run_once_for_all_that_acts_in_it(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "run.py").write_text("import sys\nopen(sys.argv[1], 'a').write('begun ')\nraise SystemExit(3)")
    (tmp_path / "s.toml").write_text(SCENARIO.format(marker=marker.as_posix()))
    runs = {run.name: run for run in plan_scenario(load_scenario(tmp_path / "s.toml")).runs}
    scripts = Scripts()

    def refused(name: str) -> int:
        with pytest.raises(GenerationFailed, match=r"exit code 3 before a pipeline call|was not run again"):
            scripts.run(runs[name], tmp_path, SilentListener())
        return len(marker.read_text().split())

    assert [refused(name) for name in ("baseline", "rerun", "guidance", "seed-8", "placed")] == [1, 1, 1, 1, 2]


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
quiet = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
orphan = (
    "import subprocess, sys;"
    f"print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], {quiet}).pid)"
)
with open(sys.argv[1], "w") as file:
    file.write(subprocess.run([sys.executable, "-c", orphan], stdout=subprocess.PIPE, text=True).stdout)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sessions")
def test_a_script_that_does_not_end_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(STUBBORN)
    marker = tmp_path / "orphan"
    process = ScriptProcess(Asked(tmp_path / "run.py", (str(marker),), tmp_path, sys.executable, None), {}, {})
    while not (marker.is_file() and marker.read_text().endswith("\n")):
        assert process.is_alive
        time.sleep(0.05)
    process.close()
    orphan = int(marker.read_text())
    assert not process.is_alive
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE


ONE_CALL = """
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained({checkpoint!r})
pipe("a red cone", num_inference_steps=1, height=64, width=64)
"""


@pytest.mark.slow
def test_a_call_that_the_script_does_not_make_is_said_with_those_that_it_makes(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(ONE_CALL.format(checkpoint=str(checkpoint("sd-1.5"))))
    (tmp_path / "s.toml").write_text(SCENARIO.format(marker="x").replace("args", "call = 2\nargs"))
    baseline = next(run for run in plan_scenario(load_scenario(tmp_path / "s.toml")).runs if run.name == "baseline")
    with pytest.raises(GenerationFailed, match=r"exit code 0 before call 2; it made 1 call\b") as caught:
        run_script(baseline, tmp_path, SilentListener())
    assert caught.value.hint == "name one of them with call in [baseline]: 1 at run.py:6"
