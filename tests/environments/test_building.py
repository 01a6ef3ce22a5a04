"""Locks and environments, by a real uv from a real index of small wheels on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from spacediff.environments.building import built
from spacediff.environments.locking import Lock, identity_of, lock_of
from spacediff.environments.wanted import Wanted, wanted_of
from spacediff.errors import EnvironmentUnavailable
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings
from support.needs_uv import NEEDS_UV
from support.wheel_index import wheel_index

pytestmark = NEEDS_UV


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    with wheel_index(tmp_path) as server:
        yield server


def settings(version: str) -> Settings:
    return Settings.of({"env": {"diffusers": version}}, Origin.DECLARED)


def locked(version: str) -> Lock:
    wanted = wanted_of(settings(version))
    assert wanted is not None
    return lock_of(wanted, SilentListener())


def test_a_release_is_locked_with_its_contemporaries_and_installed_with_nothing_else(
    index: ThreadingHTTPServer,
) -> None:
    lock = locked("1.5")
    assert lock.packages["diffusers"] == "1.5"
    assert lock.packages["transformers"] == "1.0", "only this one was there before"
    assert lock.packages["pillow"] == "2.0", "diffusers is not built upon it"
    assert "torch" not in lock.packages
    assert lock.shared
    python = built(lock, SilentListener())
    said = "import diffusers, transformers, torch, importlib.util as u; "
    said += "print(diffusers.__version__, transformers.__version__, torch.__name__, u.find_spec('spacediff'))"
    code = f"import sys; sys.modules['torch'] = type(sys)('torch'); {said}"  # it is found, and takes long to import
    assert subprocess.check_output([python, "-I", "-c", code], text=True).split() == ["1.5", "1.0", "torch", "None"]
    assert (Path(python).parents[1] / "here" / "torch").is_symlink()

    index.shutdown()
    index.server_close()
    assert locked("1.5") == lock, "it is kept, and no index is asked again"
    assert built(lock, SilentListener()) == python
    assert identity_of(settings("1.5")) == lock.digest
    with pytest.raises(EnvironmentUnavailable, match="does not list the releases"):
        locked("1.0")


@pytest.mark.usefixtures("index")
def test_a_release_that_does_not_exist_is_named_with_the_newest() -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"no release 9\.9 of diffusers; the newest is 2\.0"):
        locked("9.9")


@pytest.mark.usefixtures("index")
def test_what_does_not_fit_together_says_what_uv_said() -> None:
    with pytest.raises(EnvironmentUnavailable, match=r"no environment with theirs: uv pip failed: .*numpy"):
        lock_of(Wanted(lines=("numpy==7",), named="theirs"), SilentListener())


@pytest.mark.usefixtures("index")
def test_a_wheel_that_is_not_the_locked_one_is_not_installed(tmp_path: Path) -> None:
    lock = locked("2.0")
    changed = Lock(lock.packages, lock.text.replace("sha256:", "sha256:00", 1), lock.shared, lock.python)
    with pytest.raises(EnvironmentUnavailable, match="uv pip failed"):
        built(changed, SilentListener())
    assert not list((tmp_path / "cache" / "environments").glob("locked-*/complete"))
