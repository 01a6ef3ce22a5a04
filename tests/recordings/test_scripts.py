"""Real scripts, run by the command as by Python: their output, their exit code, their files, and what was recorded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spacediff.api import compare_videos, run_audit
from spacediff.record import Stage, Verdict
from spacediff.recordings import Recording, read_recording
from spacediff.recordings.archive import write_recording
from spacediff.sources.recording import take_recorded
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

pytestmark = pytest.mark.slow

OWN_SITE = """
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
import builtins
builtins.own_site = "imported"
"""
"""A `sitecustomize` of the script's environment, which stays in force."""

SCRIPT = """
import argparse, os, sys
import numpy as np
import torch
from diffusers import CogVideoXDPMScheduler, CogVideoXPipeline
from diffusers.utils import export_to_video
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int)
options = parser.parse_args()
ours = sorted(name for name in os.environ if "SPACEDIFF_" in name and "CACHE" not in name)
print(own_site, options.steps, __name__, __file__, ours)
print([each for each in sys.path if "spacediff-recording" in each], os.environ.get("PYTHONPATH"))

pipe = CogVideoXPipeline.from_pretrained("checkpoint", dtype=torch.float32, use_dynamic_cfg=True)
pipe.set_progress_bar_config(disable=True)
pipe.vae.enable_slicing()

def make(steps, seed):
    return pipe("a lemon", num_inference_steps=steps, num_frames=5, generator=torch.Generator().manual_seed(seed))

before = dict(vars(pipe.scheduler)), dict(vars(pipe.vae)), dict(vars(pipe))
frames = make(options.steps, 42).frames[0]
frames[-1].save("last.png")
export_to_video(frames, "clip.mp4", fps=12)
after = dict(vars(pipe.scheduler)), dict(vars(pipe.vae)), dict(vars(pipe))
print("untouched", [sorted(old.keys() ^ new.keys()) for old, new in zip(before, after)])
pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="linspace")
generator = torch.Generator().manual_seed(7)
torch.randn(3, generator=generator)
pipe("a lime", num_inference_steps=1, num_frames=5, generator=generator, output_type="latent")
try:
    make(0.5, 1)
except Exception as error:
    print("caught", type(error).__name__)
sys.stdout.flush()
make("many", 2)
"""

SCENARIO = f"""
title = "mine against the recording"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = {{ id = "{RANDOM.id}", dtype = "float32" }}
call = {{ num_inference_steps = 2, num_frames = 5 }}
vae.slicing = true
output.fps = 12
placement = "cpu"
[variants.guidance]
call.guidance_scale = 3.0
[reference.recording]
file = "watched/r.zip"
call = 1
[scale]
seeds = 1
rerun = false
"""


@dataclass(frozen=True)
class Ran:
    folder: Path
    plain: subprocess.CompletedProcess[str]
    watched: subprocess.CompletedProcess[str]
    recording: Recording


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The script, run by Python and by the command, in two equal folders."""
    place = tmp_path_factory.mktemp("scripts")
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(OWN_SITE)
    search = [each for each in (os.environ.get("PYTHONPATH"),) if each]
    done = []
    for name, command in (("plain", []), ("watched", ["-P", "-m", "spacediff", "record", "--out", "r.zip"])):
        folder = place / name
        folder.mkdir()
        (folder / "run.py").write_text(SCRIPT)
        shutil.copytree(ensure_checkpoint(RANDOM), folder / "checkpoint")
        done.append(
            subprocess.run(
                [sys.executable, *command, "run.py", "--steps", "2"],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(place / "site"), *search])},
                capture_output=True,
                text=True,
                check=False,
            )
        )
    assert (place / "watched" / "r.zip").is_file(), done[1].stderr
    return Ran(place, done[0], done[1], read_recording(place / "watched" / "r.zip"))


def test_the_script_behaves_as_without_us(ran: Ran) -> None:
    plain, watched = ran.plain, ran.watched
    assert plain.stdout.startswith("imported 2 __main__ ")
    assert watched.stdout.replace("/watched/", "/plain/") == plain.stdout
    assert (watched.returncode, plain.returncode) == (1, 1)
    assert _messages(watched.stderr.replace("/watched/", "/plain/")) == _messages(plain.stderr)
    for name in ("last.png", "clip.mp4"):
        assert (ran.folder / "watched" / name).read_bytes() == (ran.folder / "plain" / name).read_bytes()


def _messages(stderr: str) -> list[str]:
    """Return the lines of standard error without progress bars and without what the command adds after the script."""
    lines = [line.split("\r")[-1] for line in stderr.splitlines()]
    return [line for line in lines if "%|" not in line and not line.startswith(("call ", "recording: "))]


def test_every_call_is_recorded_with_its_outcome(ran: Ran) -> None:
    calls = ran.recording.calls
    assert [call.number for call in calls] == [1, 2, 3, 4]
    assert [call.finished for call in calls] == [True, True, False, False]
    assert calls[1].without_clip == "the call returned latents"
    assert calls[2].outcome.startswith("TypeError: ")
    assert calls[0].where == f"run.py:{SCRIPT.splitlines().index('def make(steps, seed):') + 2}"
    assert ran.recording.exit_code == 1
    assert ran.recording.notes == ()
    written = [(file.name, file.call, file.by) for file in ran.recording.written]
    assert written == [("last.png", 1, "save"), ("clip.mp4", 1, "export_to_video")]
    assert calls[0].fps == 12


def test_the_settings_are_those_in_force(ran: Ran) -> None:
    first, second, *_ = ran.recording.calls
    expected = {
        "model.pipeline": "CogVideoXPipeline",
        "model.dtype": "float32",
        "components.vae.class": "AutoencoderKLCogVideoX",
        "call.num_inference_steps": 2,
        "call.guidance_scale": 6,
        "call.use_dynamic_cfg": False,
        "rng.device": "cpu",
        "rng.seed": 42,
        "rng.drawn": False,
        "placement": "cpu",
        "vae.dtype": "float32",
        "vae.slicing": True,
        "vae.tiling": False,
        "scheduler.class": "CogVideoXDDIMScheduler",
        "scheduler.timestep_spacing": "trailing",
    }
    assert {path: first.settings[path] for path in expected} == expected
    assert (second.settings["scheduler.class"], second.settings["rng.drawn"]) == ("CogVideoXDPMScheduler", True)
    assert first.settings["components.vae.weights"] == second.settings["components.vae.weights"]
    assert first.settings["components.vae.weights"] != first.settings["components.transformer.weights"]
    assert [(each.argument, each.value, each.given_to) for each in first.ignored] == [
        ("load.use_dynamic_cfg", True, "CogVideoXPipeline")
    ]
    assert first.machine["torch"]


def test_the_clip_is_what_the_script_got_and_the_trace_has_its_steps(ran: Ran) -> None:
    produced = take_recorded(ran.folder / "watched" / "r.zip", 1, ran.folder)
    last = np.asarray(Image.open(ran.folder / "plain" / "last.png").convert("RGB"))
    assert np.array_equal(np.asarray(produced.clip.frames)[-1], last)
    sizes = [produced.settings[f"call.{name}"].value for name in ("num_frames", "height", "width")]
    assert sizes == [5, *last.shape[:2]], "the script left height and width to the pipeline"
    assert produced.trace is not None
    assert len(produced.trace.steps) == 2
    assert produced.trace.unobserved == []


def test_a_recording_is_the_reference_of_an_audit(ran: Ran) -> None:
    (ran.folder / "s.toml").write_text(SCENARIO)
    record = run_audit(ran.folder / "s.toml", out=ran.folder / "audit").record
    verdicts = {each.candidate: each.verdict for each in record.comparisons}
    assert verdicts["baseline"] is Verdict.IDENTICAL
    assert not verdicts["guidance"].matches
    places = {each.candidate: (each.stage, each.step) for each in record.traces}
    assert places["baseline"] == (Stage.NOWHERE, None)
    assert places["guidance"] == (Stage.STEP, 1)
    assert record.run("p", "reference").warnings == []


def test_a_recording_of_another_prompt_is_named(ran: Ran) -> None:
    produced = take_recorded(ran.folder / "watched" / "r.zip", 1, ran.folder, prompt="a lime")
    assert produced.warnings == ("the recording is of another prompt",)


ONE_CALL = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("checkpoint", dtype=torch.float32)
pipe("a lemon", num_inference_steps=3, num_frames=5, generator=torch.Generator().manual_seed(42))
"""


def record_one(ran: Ran, name: str, *options: str, **variables: str) -> str:
    """Record one call with variables of the environment, and return what the command says."""
    folder = ran.folder / "watched"
    (folder / "one.py").write_text(ONE_CALL)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ran.folder / "site"), *sys.path]), **variables}
    command = [sys.executable, "-P", "-m", "spacediff", "record", *options, "--out", name, "one.py"]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stderr


def test_two_processors_differ_in_numbers_and_in_no_setting(ran: Ran) -> None:
    folder = ran.folder / "watched"
    record_one(ran, "wide.zip")
    record_one(ran, "narrow.zip", ATEN_CPU_CAPABILITY="default")
    record = compare_videos(folder / "wide.zip", folder / "narrow.zip", out=folder / "compared").record
    groups = record.run("files", "candidate").setting_groups
    assert groups
    assert groups.differing
    assert all(path.startswith("machine.") for path in groups.differing)
    (trace,) = record.traces
    assert trace.stage in {Stage.TEXT, Stage.STEP}
    assert trace.estimated
    assert all(each is not None and each < 1e-3 for each in trace.distances)
    assert any(trace.distances)


def test_two_counts_of_threads_differ_in_nothing_else(ran: Ran) -> None:
    folder = ran.folder / "watched"
    for count in ("1", "2"):
        record_one(ran, f"threads-{count}.zip", OMP_NUM_THREADS=count)
    record = compare_videos(folder / "threads-1.zip", folder / "threads-2.zip", out=folder / "of-threads").record
    groups = record.run("files", "candidate").setting_groups
    assert groups
    assert set(groups.differing) == {"machine.OMP_NUM_THREADS", "machine.threads", "numerics.threads"}
    (trace,) = record.traces
    assert trace.stage in {Stage.NOWHERE, Stage.TEXT, Stage.STEP, Stage.DECODING}, "the noise is the same"
    assert all(each is not None and each < 1e-3 for each in trace.distances)


TRANSPLANT = f"""
title = "my instructions against theirs"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = {{ id = "{RANDOM.id}", dtype = "float32" }}
call = {{ num_inference_steps = 3, num_frames = 5 }}
placement = "cpu"
[reference.recording]
file = "watched/theirs.zip"
[steps]
alone = ["baseline"]
against = "reference"
[scale]
seeds = 1
rerun = false
"""


def test_another_processor_is_found_by_stage(ran: Ran) -> None:
    assert " tensors, " in record_one(ran, "theirs.zip", "--tensors", ATEN_CPU_CAPABILITY="default")
    (ran.folder / "t.toml").write_text(TRANSPLANT)
    result = run_audit(ran.folder / "t.toml", out=ran.folder / "transplanted")
    trace = result.record.run("p", "baseline-alone").trace
    assert trace
    places = [(each.stage, each.first, each.last) for each in trace.transplant]
    assert places == [
        (Stage.TEXT, None, None),
        (Stage.NOISE, None, None),
        *((Stage.STEP, step, step) for step in (1, 2, 3)),
        (Stage.DECODING, None, None),
    ]
    found = {each.stage: each for each in trace.transplant}
    noise = found[Stage.NOISE].distance
    assert noise is not None
    assert noise < 1e-5, "other instructions round the noise otherwise"
    steps = [each for each in trace.transplant if each.stage is Stage.STEP]
    assert not all(each.equal for each in steps)
    assert all(each.distance is not None and each.distance < 1e-3 for each in steps)
    page = result.report.read_text("utf-8")
    assert "were given the recording" in page


WAITING = """
import sys, time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted as ever", flush=True)
    sys.exit(7)
"""


def recording(folder: Path, script: str, *options: str) -> subprocess.Popen[str]:
    """Start the command with a script, in an environment whose only `sitecustomize` is ours."""
    (folder / "run.py").write_text(script)
    command = [sys.executable, "-P", "-m", "spacediff", "record", "--out", "r.zip", *options, "run.py"]
    return subprocess.Popen(
        [*command, "--api-key", "hunter2"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_is_the_scripts(tmp_path: Path) -> None:
    process = recording(tmp_path, WAITING)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("interrupted as ever\n", 7)
    assert "no pipeline call was seen in run.py" in err
    assert read_recording(tmp_path / "r.zip").arguments == ("--api-key", "[redacted]")


def test_a_script_without_pipelines_prints_what_it_prints(tmp_path: Path) -> None:
    process = recording(tmp_path, "import sys; print('here', file=sys.stderr); import sitecustomize")
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("", 0)
    assert err.splitlines()[0] == "here"
    assert len(err.splitlines()) == 3, "and the two lines of the command itself"


def test_an_earlier_recording_stays_where_no_call_was_seen(tmp_path: Path) -> None:
    earlier = Recording(spacediff="0", script="earlier.py", exit_code=0, calls=())
    write_recording(earlier, tmp_path, tmp_path / "r.zip")
    _, err = recording(tmp_path, "import no_such_package").communicate(timeout=60)
    assert "no pipeline call was seen in run.py: it ended with exit code 1" in err
    assert "the earlier one is kept: r.zip" in err
    assert read_recording(tmp_path / "r.zip").script == "earlier.py"


def test_a_script_that_a_signal_ends_has_its_exit_code(tmp_path: Path) -> None:
    process = recording(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert read_recording(tmp_path / "r.zip").calls == ()


def test_an_interpreter_that_records_nothing_is_said(tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "$@"\n')
    wrapper.chmod(0o755)
    _, err = recording(tmp_path, "print()", "--python", str(wrapper)).communicate(timeout=60)
    assert "the recording did not begin" in err


def test_an_interpreter_without_numpy_is_named_as_such(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    out, err = recording(tmp_path, "print('hi')", "--python", str(python)).communicate(timeout=60)
    assert out == "hi\n"
    assert "No module named 'numpy'" in err
    assert "did not begin" not in err
    assert "sitecustomize" not in err
    assert "recording: without a call: r.zip" in err
