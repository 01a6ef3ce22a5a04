"""An installation without the extra `run`: what works, and what says that it needs the extra."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff import compare_videos
from spacediff.clip import Clip, write_preview
from spacediff.extras import RUN
from spacediff.record import AuditRecord, read_record
from support.paths import ROOT

WITHOUT = f"import sys\nfor name in {RUN}:\n    sys.modules[name] = None\n"
"""Imported at the start of this process's children and theirs: these packages cannot be imported, nor found."""


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light")
    (folder / "sitecustomize.py").write_text(WITHOUT)
    return folder


def spacediff(light: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(light), str(ROOT / "harness")])
    return subprocess.run(
        [sys.executable, "-m", "spacediff", *words], cwd=light, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


SCRIPT = """from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("a/b")
pipe("a lemon", guidance_scale={})
"""


@pytest.fixture(scope="module")
def compared(light: Path) -> tuple[AuditRecord, str]:
    frames = np.random.default_rng(1).integers(0, 255, (3, 48, 64, 3), dtype=np.uint8)
    write_preview(Clip(frames, Fraction(8)), light / "a.mp4")
    write_preview(Clip(frames // 2, Fraction(8)), light / "b.mp4")
    done = spacediff(light, "compare", "a.mp4", "b.mp4", "--out", "audit")
    assert done.returncode == 0, done.stderr
    return read_record(light / "audit"), done.stdout


def test_compare_measures_the_same_as_with_torch(compared: tuple[AuditRecord, str], light: Path) -> None:
    record, _ = compared
    whole = compare_videos(light / "a.mp4", light / "b.mp4", out=light / "whole").record
    assert [info.name for info in record.metrics] == ["mae", "psnr", "ssim", "lpips"]
    assert record.comparisons[0].metrics == whole.comparisons[0].metrics
    (found,) = [each for each in record.comparisons if each.candidate == "candidate"]
    assert 5 < found.metrics["psnr"].pooled < 20
    assert found.measures, "motion is measured"
    assert "threads" not in record.environment.local, "torch was not asked"


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "x.toml"),
        ("check", "org/name"),
        ("versions", "x.toml", "--from", "0.36"),
        ("why", "--script", "mine.py", "--space", "theirs.py"),
    ],
    ids=lambda words: words[0],
)
def test_what_generates_names_the_extra_and_writes_nothing(light: Path, words: tuple[str, ...]) -> None:
    (light / "x.toml").write_bytes((ROOT / "scenarios" / "quickstart.toml").read_bytes())
    for name, guidance in (("mine", 3.0), ("theirs", 4.0)):
        (light / f"{name}.py").write_text(SCRIPT.format(guidance))
    before = sorted(light.glob("*.*"))
    done = spacediff(light, *words)
    assert sorted(light.glob("*.*")) == before
    assert done.returncode == 2
    assert "error[missing-package]" in done.stderr
    assert 'pip install "spacediff[run]"' in " ".join(done.stderr.split())


def test_a_source_is_read(light: Path) -> None:
    (light / "script.py").write_text(SCRIPT.format(3.0))
    assert "guidance_scale" in spacediff(light, "read", "script.py").stdout


def test_the_extra_has_the_packages_that_are_named() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {line.partition(">=")[0].replace("-", "_") for line in project["optional-dependencies"]["run"]}
    assert {"skimage" if name == "scikit_image" else name for name in wanted} == set(RUN)
