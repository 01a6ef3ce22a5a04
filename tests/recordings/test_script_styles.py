"""Scripts of many styles: recorded, run as baselines with the frames of the plain script, and explained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit

from spacediff.api import record_script, run_audit
from spacediff.clip import read_frames
from spacediff.record import Standing
from spacediff.recordings import recorded_clip
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.adapter_files import USUAL_NAME, write_lora
from support.script_styles import KEPT, SITE, STYLES
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.slow

_CHECKPOINTS = ("sd-1.5", "sdxl", "sdxl-refiner", "wan-2.1", "ltx", "ltx-upsampler")
_RUN_ALL = """
import json, os, runpy, sys
for name, (suffix, arguments) in json.loads(sys.argv[1]).items():
    os.environ["KEPT_FRAMES"] = os.path.abspath(name)
    os.makedirs(name)
    sys.argv = [name, *arguments]
    if suffix == ".py":
        runpy.run_path(name + suffix, run_name="__main__")
    else:
        cells = json.load(open(name + suffix))["cells"]
        exec("".join(line for cell in cells for line in [*cell["source"], chr(10)]), {})
"""
"""Runs scripts one after another in one process."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts in a folder, and below `plain` what they kept when they were run without us."""
    place = tmp_path_factory.mktemp("styles")
    checkpoints = place / "checkpoints"
    checkpoints.mkdir()
    for name in _CHECKPOINTS:
        (checkpoints / name).symlink_to(checkpoint(name))
    (checkpoints / "cogvideox").symlink_to(ensure_checkpoint(RANDOM))
    _write_lora(checkpoints)
    (place / "kept.py").write_text(KEPT)
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(SITE)
    for name, style in STYLES.items():
        (place / f"{name}{style.suffix}").write_text(style.written(checkpoints))
    for run in ("plain", "recorded"):
        (place / run).mkdir()
        for file in (*place.glob("*.py"), *place.glob("*.ipynb")):
            (place / run / file.name).symlink_to(file)
    (place / "plain" / "all.py").write_text(_RUN_ALL)
    command = [sys.executable, "all.py", _arguments(*STYLES)]
    subprocess.run(command, cwd=place / "plain", env=_environment(place), check=True, capture_output=True)
    return place


def _arguments(*names: str) -> str:
    return json.dumps({name: (STYLES[name].suffix, STYLES[name].arguments) for name in names})


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(folder / "site"), *sys.path])
    return {**os.environ, "PYTHONPATH": path, "KEPT_FRAMES": str(folder)}


def _write_lora(checkpoints: Path) -> None:
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(checkpoints / "sd-1.5", subfolder="unet")
    write_lora(unet, "unet", checkpoints / "lora" / USUAL_NAME, seed=1)


def plain(folder: Path, name: str) -> Any:
    """Return the frames that a script kept when it was run without us."""
    return np.load(folder / "plain" / name / f"{STYLES[name].kept}.npy")


@pytest.fixture
def alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _environment(folder).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("alone")
def test_every_style_is_recorded_with_the_frames_of_the_plain_script(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "recorded")
    scripts = [name for name, style in STYLES.items() if not style.cells]
    (folder / "recorded" / "all.py").write_text(_RUN_ALL)
    of_scripts = record_script("all.py", [_arguments(*scripts)], out=tmp_path / "scripts.zip")
    of_notebook = record_script("notebook.ipynb", out=tmp_path / "notebook.zip")
    assert [of_scripts.exit_code, of_notebook.exit_code] == [0, 0]
    for name, style in STYLES.items():
        recording, file = (of_notebook, "notebook.zip") if style.cells else (of_scripts, "scripts.zip")
        calls = [call for call in recording.calls if call.where.startswith(f"{name}{style.suffix}") and call.frames]
        clip = recorded_clip(tmp_path / file, calls[style.kept - 1], tmp_path)
        assert np.array_equal(clip.frames, plain(folder, name)), name


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", STYLES)
def test_a_script_is_the_baseline_with_its_own_frames_and_a_planted_target_is_explained(
    folder: Path, name: str
) -> None:
    style = STYLES[name]
    tables = {
        "title": name,
        "prompts": {"p": {"seed": style.seed, **({"text": style.prompt} if style.prompt else {})}},
        "baseline": {
            "script": f"{name}{style.suffix}",
            "args": list(style.arguments),
            **({} if style.call is None else {"call": style.call}),
        },
        "variants": {"target": style.planted},
        "reference": {"variant": "target"},
        "scale": {"seeds": 1, "rerun": False},
        # of random weights nobody sees which difference is small
        "explain": {"from": "baseline", "to": "target", "tolerance": 0},
    }
    (folder / f"{name}.toml").write_text(tomlkit.dumps(tables))
    record = run_audit(folder / f"{name}.toml", out=folder / "audits" / name).record
    assert [run.reason for run in record.runs if run.failed] == []
    baseline = record.run("p", "baseline")
    assert baseline.clip
    assert np.array_equal(list(read_frames(folder / "audits" / name / baseline.clip.lossless)), plain(folder, name))
    assert baseline.warnings == []
    assert record.cause
    assert sorted(record.cause.sufficient) == list(style.cause)
    others = [each for each in record.cause.suspects if each.path not in style.cause]
    assert [each.standing for each in others] == [Standing.NO_EFFECT] * len(others)
