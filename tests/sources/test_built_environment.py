"""The environment of a program, built by a real uv without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spacediff.errors import InvalidArgument, ProgramNotStarted
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.sources.command import programs_to_run, run_command
from spacediff.wording import sentence
from support.input_files import picture
from support.needs_uv import NEEDS_UV
from support.programs import reference_of, scenario_text
from support.scenarios import mistakes_in

SOURCE = "import shutil, sys; print(sys.prefix); shutil.copyfile('given.png', sys.argv[-1])"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPACEDIFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    picture(1).save(tmp_path / "given.png")
    (tmp_path / "kept").mkdir()
    (tmp_path / "own.py").write_text(SOURCE)
    return tmp_path


def run_of(folder: Path, requirements: str) -> Run:
    (folder / "requirements.txt").write_text(requirements)
    text = scenario_text(["python", "own.py", "{seed}", "{out}"], requirements="requirements.txt", suffix=".png")
    return reference_of(text, folder)


@NEEDS_UV
def test_an_environment_is_built_once_and_the_program_runs_in_it(folder: Path) -> None:
    run = run_of(folder, "# nothing\n")
    shown = [sentence(each) for each in programs_to_run([run], folder / "audit")]
    assert ["uv venv" in shown[0], "uv pip install" in shown[1], "own.py" in shown[2]] == [True] * 3
    found = run_command(run, folder / "kept", folder / "audit", SilentListener())
    place = (folder / "audit" / "programs" / "p-reference.log").read_text().strip()
    assert Path(place).parent == folder / "cache" / "environments"
    assert found.hosted == {"python": ".".join(map(str, sys.version_info[:3]))}
    again = run_of(folder, "# nothing\n")
    assert again.key({}) == run.key({}), "that it is built now changes nothing"
    assert len(list(programs_to_run([again], folder / "audit"))) == 1
    assert run_of(folder, "# another\n").request["python"] != run.request["python"]


@NEEDS_UV
def test_an_environment_that_uv_does_not_build_says_what_uv_said(folder: Path) -> None:
    run = run_of(folder, "no-such-package-of-spacediff==1.0\n")
    for _ in range(2):
        with pytest.raises(ProgramNotStarted, match=r"uv did not build the environment of requirements\.txt") as caught:
            run_command(run, folder / "kept", folder / "audit", SilentListener())
        assert "no-such-package-of-spacediff" in caught.value.hint


def test_without_uv_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(folder))
    with pytest.raises(ProgramNotStarted, match="needs uv"):
        run_command(run_of(folder, ""), folder / "kept", folder / "audit", SilentListener())


@pytest.mark.parametrize(
    "line",
    [
        *("-r other.txt", "--editable .", "-e.", "./package", "-c limits.txt", "mypkg @ file:///own", "pkg.whl", "."),
        *(
            "sub/pkg.whl",
            "~/pkg",
            "git+file:///x",
            "numpy @ https://example.org/numpy.whl",
            "pkg.tar.gz",
            "--find-links ./wheels",
            "-i file:///x",
            "sub\\pkg",
        ),
        *("--requirement=other.txt", "pkg-1.0-py3-none-any.whl[extra]", "mypkg @ \\\n file:///own", "pkg@file:///own"),
    ],
)
def test_requirements_that_name_no_package_are_refused(line: str, folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="names no package"):
        run_of(folder, f"numpy==2.0\n{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        *(
            "torch",
            "torch==2.12.0+cu126 # as on the Space",
            "a.b_c[d,e] >= 1, <2",
            "numpy~=2.0 ; python_version < '3.13'",
        ),
        *("", "  # https://example.org/x.whl", "--extra-index-url https://download.pytorch.org/whl/cu126", "x==1.*"),
        *("torch==2.0 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd", "numpy ; sys_platform == 'linux'", "x (>=1)"),
        "numpy==2.0 ; sys_platform == 'linux' --hash=sha256:ab",
    ],
)
def test_requirements_of_packages_are_taken(line: str, folder: Path) -> None:
    assert run_of(folder, f"{line}\n").request["interpreter"]["requirements"]


def test_requirements_that_are_not_there_are_named(folder: Path) -> None:
    text = scenario_text(["python", "own.py", "{out}"], requirements="none.txt")
    with pytest.raises(InvalidArgument, match=r"none\.txt of reference\.command\.requirements cannot be read"):
        reference_of(text, folder)


def test_an_interpreter_and_requirements_exclude_each_other() -> None:
    (mistake,) = mistakes_in(scenario_text(["python", "{out}"], python="p", requirements="r.txt"))
    assert mistake.key == "reference.command.requirements"
