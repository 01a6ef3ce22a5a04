"""Newer Pythons: the package with its tested versions, and a selection of its tests, in each that `uv` finds.

An interpreter that is not here is skipped, and so is one whose packages cannot be downloaded; the reason is printed.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacediff.environments.uv import uv_program
from support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(2400)]

NEEDED = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis")
INSTALL_SECONDS = 300
SELECTION = (
    "tests/test_other_systems.py",  # the real commands, an audit among them
    "tests/scenario",
    "tests/record",
    "tests/store",
    "tests/wording",
    "tests/privacy/test_redaction.py",
    "tests/cli/test_encoding.py",
    "tests/cli/test_parser.py",
    "tests/reading/test_reading.py",
    "tests/observer",
    "tests/test_clip.py",
    "tests/test_file_names.py",
    "tests/test_files.py",
    "tests/test_processes.py",
)


def uv(*words: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    program = uv_program()
    if program is None:
        pytest.skip("uv is not installed")
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(params=["3.12", "3.13", "3.14"])
def interpreter(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The interpreter of a new environment with this version of Python, the package and its tested dependencies."""
    found = uv("python", "find", "--no-python-downloads", "--no-project", "--system", request.param)
    if found.returncode:
        pytest.skip(f"uv finds no Python {request.param} here")
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        made = uv("venv", "--python", found.stdout.strip(), folder, "--clear")
        assert made.returncode == 0, made.stderr
        try:
            install = ("pip", "install", "--python", python, "--constraint", ROOT / "constraints.txt")
            installed = uv(*install, "--editable", f"{ROOT}[flip]", *NEEDED, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"the packages for Python {request.param} were not downloaded in {INSTALL_SECONDS} seconds")
        assert "No solution found" not in installed.stderr, installed.stderr  # a version without a wheel
        if installed.returncode:
            pytest.skip(f"the packages for Python {request.param} cannot be installed: {installed.stderr[-300:]}")
        yield python


def test_the_tests_pass_with_a_newer_python(interpreter: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", tmp_path / "base", *SELECTION],
        cwd=ROOT,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", "SPACEDIFF_FUZZ": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
