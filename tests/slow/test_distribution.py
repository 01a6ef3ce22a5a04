"""What is published: the wheel and the sdist, installed into an environment that knows no checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, write_preview
from support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT], check=True)
    (found,) = folder.glob("spacediff-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and of this one only the other libraries."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(program: Path, *words: str, folder: Path, code: int = 0) -> str:
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"spacediff"}
    reports = ("_shipped/reports/report.html.j2", "_shipped/reports/vega.js.gz", "_shipped/reports/charts.json")
    for needed in ("py.typed", "_shipped/scenarios/quickstart.toml", *reports):
        assert f"spacediff/{needed}" in names


def test_the_installed_command_runs_the_quickstart(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-P", "-c", "import spacediff; print(spacediff.__file__)", folder=tmp_path)
    assert Path(where).is_relative_to(installed.parent), "the checkout is not what is tested"
    run(installed / "spacediff", "init", folder=tmp_path)
    chosen = (
        "scenarios/quickstart.toml",
        "--only",
        "dpm",
    )  # its checkpoint, Space, metrics and detector, and no search
    printed = run(installed / "spacediff", "audit", *chosen, folder=tmp_path, code=3)  # the gate asks for another one
    assert "dpm" in printed
    assert "Gate not measured" in printed
    assert run(installed / "python", "-P", "-m", "spacediff", "--version", folder=tmp_path).startswith("spacediff ")


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment into which the wheel was installed with what it needs, and no extra."""
    folder = tmp_path_factory.mktemp("light") / "environment"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    pinned = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*uv, "pip", "install", "--python", str(folder / "bin" / "python"), *pinned, str(wheel)], check=True)
    return folder / "bin"


def test_the_light_installation_compares_reports_and_reads_without_torch(light: Path, tmp_path: Path) -> None:
    find = "from importlib.util import find_spec; print(find_spec('torch'), find_spec('diffusers'))"
    assert run(light / "python", "-P", "-c", find, folder=tmp_path) == "None None\n"
    for name, seed in (("a.mp4", 1), ("b.mp4", 2)):
        frames = np.random.default_rng(seed).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8)
        write_preview(Clip(frames, Fraction(8)), tmp_path / name)
    printed = " ".join(run(light / "spacediff", "compare", "a.mp4", "b.mp4", "--out", "audit", folder=tmp_path).split())
    assert "b.mp4 differs from a.mp4" in printed
    assert "LPIPS" in printed
    assert "LPIPS was not measured" not in printed
    formats = [word for each in ("html", "md", "zip", "junit", "issue") for word in ("--format", each)]
    assert "report.zip" in run(light / "spacediff", "report", "audit", *formats, folder=tmp_path)
    (tmp_path / "run.py").write_text('import diffusers\ndiffusers.FluxPipeline.from_pretrained("a/b")("a lemon")\n')
    assert "a lemon" in run(light / "spacediff", "read", "run.py", folder=tmp_path)
    shutil.copy(ROOT / "scenarios" / "quickstart.toml", tmp_path)
    assert "audit" not in run(light / "spacediff", "audit", "quickstart.toml", folder=tmp_path, code=2)


def test_a_wheel_can_be_made_of_the_sdist(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT], check=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for needed in (
        "harness/spacediff/__init__.py",
        "reports/vega.js.gz",
        "tests/conftest.py",
        "scenarios/quickstart.toml",
        "docs/site/conf.py",
        "examples/own_space/mine.toml",
        "Makefile",
    ):
        assert needed in names
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, sdist], check=True)
    assert list(tmp_path.glob("*.whl"))
