"""Other interpreters of this machine. They are found and used by a real uv; without another one, tests are skipped."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.environments import pythons as module
from spacediff.environments.building import built
from spacediff.environments.locking import lock_of
from spacediff.environments.pythons import Interpreter, has_python, minor_of, python_named, this_python
from spacediff.environments.shared import installed_here
from spacediff.environments.uv import uv_program
from spacediff.environments.wanted import wanted_of
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings
from support.needs_uv import NEEDS_UV
from support.paths import ROOT
from support.wheel_index import wheel_index

HERE = platform.python_version()


@pytest.fixture(scope="module")
def other() -> Interpreter:
    """An interpreter of another minor version than this one."""
    if uv_program() is None:
        pytest.skip("uv is not installed")
    found = [each for each in ("3.10", "3.12", "3.13", "3.14") if each != minor_of(HERE) and has_python(each)]
    if not found:
        pytest.skip("no other Python is installed here")
    return python_named(found[0])


def settings(**env: str) -> Settings:
    return Settings.of({"env": env}, Origin.DECLARED)


@pytest.mark.parametrize("version", ["", HERE, minor_of(HERE)])
def test_this_python_is_used_where_its_version_is_asked_for(version: str) -> None:
    assert python_named(version) == this_python()


def test_another_python_is_found_with_its_whole_version(other: Interpreter) -> None:
    assert subprocess.check_output([other.path, "-V"], text=True).split() == ["Python", other.version]
    assert python_named(other.version) == other
    assert not other.is_this
    assert not other.shares_torch


@NEEDS_UV
def test_a_python_that_is_not_here_or_too_old_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    with pytest.raises(EnvironmentUnavailable, match=r"no Python 3\.97 on this machine") as raised:
        python_named("3.97")
    assert "`uv python find 3.97`" in raised.value.hint
    with pytest.raises(EnvironmentUnavailable, match=r"cannot be watched in Python 3\.9") as raised:
        python_named("3.9")
    assert "3.10 or newer" in raised.value.hint


def test_nothing_is_downloaded_unless_the_user_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(module, "_looked_up", lambda _: None)
    monkeypatch.setattr(module, "run_uv", lambda words, *_: asked.append(words))
    for allowed in ("", "never"):
        monkeypatch.setenv("UV_PYTHON_DOWNLOADS", allowed)
        assert not has_python("3.97")
    assert asked == []


@pytest.mark.skipif(os.name == "nt", reason="pyenv is another program there")
def test_wrappers_of_pyenv_hide_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("shims", "versions/3.98.1/bin", "usual"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "usual")]))
    assert module._search_path().split(os.pathsep) == [str(tmp_path / "usual"), str(tmp_path / "versions/3.98.1/bin")]


def test_another_python_brings_the_torch_of_this_version_since_a_build_is_for_one(other: Interpreter) -> None:
    wanted = wanted_of(settings(python=other.minor, diffusers="0.36.0"))
    assert wanted is not None
    assert (wanted.python, wanted.has_own_torch) == (other.version, True)
    assert wanted.lines == (f"torch=={installed_here()['torch'].partition('+')[0]}",)
    assert wanted.named == f"diffusers 0.36.0, Python {other.version}"
    same = wanted_of(settings(python=HERE, diffusers="0.36.0"))
    assert same is not None
    assert (same.python, same.has_own_torch) == ("", False)


def test_an_environment_has_the_python_that_is_asked_for(other: Interpreter, tmp_path: Path) -> None:
    with wheel_index(tmp_path):
        wanted = wanted_of(settings(python=other.minor, torch="1.5"))
        assert wanted is not None
        lock = lock_of(wanted, SilentListener())
        assert (lock.python_version, lock.shared, lock.packages["torch"]) == (other.version, "", "1.5")
        python = built(lock, SilentListener())
    code = "import platform, torch; print(platform.python_version(), torch.__version__)"
    assert subprocess.check_output([python, "-I", "-c", code], text=True).split() == [other.version, "1.5"]


def test_what_watches_a_run_is_code_of_the_oldest_python(tmp_path: Path) -> None:
    oldest = ".".join(map(str, module.OLDEST))
    if uv_program() is None or not has_python(oldest):
        pytest.skip(f"no Python {oldest} is installed here")
    folders = [ROOT / "harness" / "spacediff" / name for name in ("observer", "watch")]
    done = subprocess.run(
        [python_named(oldest).path, "-I", "-X", f"pycache_prefix={tmp_path}", "-m", "compileall", "-q", *folders],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert sys.version_info >= module.OLDEST


@pytest.mark.parametrize("version", ["3.x", "three", "3..12"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(EnvironmentUnavailable, match="is no version of Python"):
        python_named(version)
