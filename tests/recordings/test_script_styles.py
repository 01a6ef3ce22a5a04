"""Scripts of many styles as baselines: the frames of the plain script, and others with a setting put in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomlkit

from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.scenario.scenario import load_scenario
from spacediff.sources import Produced
from spacediff.sources.script import run_script
from support.adapter_files import USUAL_NAME, write_lora
from support.script_styles import KEPT, SITE, STYLES, Style
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.slow

_CHECKPOINTS = ("sd-1.5", "sdxl", "sdxl-refiner", "wan-2.1", "ltx", "ltx-upsampler")
_RUN_ALL = """
import runpy, sys, os, json
for name, arguments in json.loads(sys.argv[1]).items():
    os.environ["KEPT_FRAMES"] = os.path.abspath(name)
    os.makedirs(name)
    sys.argv = [name, *arguments]
    runpy.run_path(f"{name}.py", run_name="__main__")
"""
"""Runs every script plainly, in one process that knows nothing of spacediff."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts in a folder, and below `plain` what they kept when they were run without us."""
    place = tmp_path_factory.mktemp("styles")
    checkpoints = place / "checkpoints"
    checkpoints.mkdir()
    for name in _CHECKPOINTS:
        (checkpoints / name).symlink_to(checkpoint(name))
    _write_lora(checkpoints)
    (place / "kept.py").write_text(KEPT)
    (place / "site").mkdir()
    (place / "site" / "sitecustomize.py").write_text(SITE)
    for name, style in STYLES.items():
        (place / f"{name}.py").write_text(style.written(checkpoints))
    arguments = {name: style.arguments for name, style in STYLES.items()}
    (place / "plain").mkdir()
    for file in (*place.glob("*.py"),):
        (place / "plain" / file.name).symlink_to(file)
    command = [sys.executable, "-c", _RUN_ALL, json.dumps(arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place / "site"), *sys.path])}
    subprocess.run(command, cwd=place / "plain", env=environment, check=True, capture_output=True)
    return place


def _write_lora(checkpoints: Path) -> None:
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(checkpoints / "sd-1.5", subfolder="unet")
    write_lora(unet, "unet", checkpoints / "lora" / USUAL_NAME, seed=1)


def produced(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, *, planted: bool = False) -> Produced:
    """Run a script as the baseline of a scenario, or as its variant."""
    style = STYLES[name]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "site"), *sys.path]))
    monkeypatch.setenv("KEPT_FRAMES", str(folder))
    (folder / f"{name}.toml").write_text(_scenario(name, style))
    runs = {run.name: run for run in plan_scenario(load_scenario(folder / f"{name}.toml")).runs}
    return run_script(runs["planted" if planted else "baseline"], folder, SilentListener())


def _scenario(name: str, style: Style) -> str:
    prompt = {"seed": style.seed, **({"text": style.prompt} if style.prompt else {})}
    call = {} if style.call is None else {"call": style.call}
    tables = {
        "title": name,
        "prompts": {"p": prompt},
        "baseline": {"script": f"{name}.py", "args": list(style.arguments), **call},
        "variants": {"planted": style.planted},
        "reference": {"variant": "baseline"},
    }
    return tomlkit.dumps(tables)


@pytest.mark.parametrize("name", STYLES)
def test_the_baseline_has_the_frames_of_the_plain_script(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = np.load(folder / "plain" / name / f"{STYLES[name].kept}.npy")
    found = produced(folder, name, monkeypatch)
    assert np.array_equal(found.clip.frames, plain)
    assert found.warnings == ()


@pytest.mark.parametrize("name", ["lora", "two-schedulers", "placed"])
def test_what_is_put_in_changes_the_frames_and_is_in_force(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = np.load(folder / "plain" / name / f"{STYLES[name].kept}.npy")
    found = produced(folder, name, monkeypatch, planted=True)
    assert not np.array_equal(found.clip.frames, plain)
