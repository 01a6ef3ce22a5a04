"""The commands on stand-ins for the systems that are not here: see `support.other_systems`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from spacediff.clip import write_preview
from spacediff.record import read_record, write_record
from support.clips import moving_ball
from support.other_systems import elsewhere
from support.synthetic_audit import synthetic_audit

pytestmark = pytest.mark.slow

TITLE = "∞ → 手 😀"
SCENARIO = f"""
title = "{TITLE}"
[prompts.lemon]
text = "{TITLE}"
seed = 42
[baseline]
model.id = "builtin:tiny-cogvideox-random"
call = {{ num_inference_steps = 2, num_frames = 5 }}
[variants.same]
about = "{TITLE}"
call.guidance_scale = 6.0
[reference]
variant = "same"
"""
ENCODINGS = ("cp1252", "ascii", "cp437")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with what the commands need."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "mine.toml").write_text(SCENARIO, "utf-8")
    write_preview(moving_ball(2), folder / "手.mp4")
    for name, scale in (("run.py", 6.0), ("space.py", 7.0)):
        loaded = "from diffusers import CogVideoXPipeline as P\npipe = P.from_pretrained('a/b')"
        (folder / name).write_text(f"{loaded}\npipe(prompt='{TITLE}', guidance_scale={scale})  # {TITLE}\n", "utf-8")
    (folder / "drawn").mkdir()
    write_record(synthetic_audit(folder / "drawn", frames=1, size=(32, 48)), folder / "drawn")
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """The commands, side by side: what each printed, and its exit code."""
    commands: dict[str, tuple[object, ...]] = {
        "audit": ("audit", "mine.toml"),
        "compare": ("compare", "手.mp4", "手.mp4", "--out", "compared"),
        "report": ("report", "drawn", "--format", "html", "--format", "zip"),
        "json": ("report", "drawn", "--format", "json"),
        "doctor": ("doctor",),
        "read": ("read", "run.py"),
        "why": ("why", "--script", "run.py", "--space", "space.py", "--plan-only"),
        "init": ("init", "手"),
        "no file": ("audit", "手→.toml"),
    }
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9"}
    running = {
        name: elsewhere(*words, cwd=folder, env=env, encoding=ENCODINGS[number % len(ENCODINGS)])
        for number, (name, words) in enumerate(commands.items())
    }
    return {name: process.ended() for name, process in running.items()}


def test_every_command_ends_as_it_does_here(ended: dict[str, subprocess.CompletedProcess[str]]) -> None:
    codes = {name: done.returncode for name, done in ended.items()}
    assert codes == dict.fromkeys(ended, 0) | {"no file": 2}, ended
    printed = "".join(done.stdout + done.stderr for done in ended.values())
    assert "Traceback" not in printed
    assert "\ufffd" not in printed


def test_what_the_console_lacks_is_spelled_or_escaped(ended: dict[str, subprocess.CompletedProcess[str]]) -> None:
    assert r"inf -> \u624b \U0001f600" in ended["audit"].stdout  # cp1252
    assert "] lemon · same: " in ended["audit"].stderr
    assert " inf " in ended["compare"].stdout  # ASCII; the PSNR of equal clips
    assert r"wrote \u624b" in ended["init"].stdout
    assert r"\u624b->.toml cannot be read" in ended["no file"].stderr


def test_files_are_in_utf_8_whatever_the_console(
    ended: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    assert read_record(folder / "audits" / "mine").title == TITLE
    assert TITLE in (folder / "audits" / "mine" / "report.html").read_text("utf-8")
    assert json.loads(ended["json"].stdout) == json.loads((folder / "drawn" / "audit.json").read_text("utf-8"))
