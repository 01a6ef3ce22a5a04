"""What is published: the wheel and the sdist, installed into an environment that knows no checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

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
        "Makefile",
    ):
        assert needed in names
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, sdist], check=True)
    assert list(tmp_path.glob("*.whl"))
