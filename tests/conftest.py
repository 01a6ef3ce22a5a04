from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from filelock import FileLock

from spacediff.record import read_record
from spacediff.shipped import shipped
from support.quickstart import Finished

pytest_plugins = ["support.report_pages"]  # the fixtures of the tests that open a report in a browser


if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a core each, for torch here and in the processes that tests start


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests make the tiny checkpoint once per session and leave the user's cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPACEDIFF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_space(own_cache: None) -> Iterator[str]:  # noqa: ARG001 - it must be set before the Space starts
    """The address of a running tiny Space, the same one for the whole session."""
    from spacediff.tiny.checkpoint import RANDOM
    from spacediff.tiny.serving import serve_tiny_space

    with serve_tiny_space(checkpoint=RANDOM.id) as url:
        yield url


@pytest.fixture(scope="session")
def quickstart(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:  # noqa: ARG001 - set first
    """The quickstart scenario, audited by the real command: once, whatever number of processes the tests run on."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, said = shared / "audits" / "quickstart", shared / "quickstart.json"
    with FileLock(shared / "quickstart.lock"):
        if not said.exists():
            done = subprocess.run(
                [sys.executable, "-m", "spacediff", "audit", shipped("scenarios") / "quickstart.toml", "--out", folder],
                capture_output=True,
                text=True,
                check=False,
            )
            said.write_text(json.dumps([done.returncode, done.stdout, done.stderr]), "utf-8")
    code, stdout, stderr = json.loads(said.read_text("utf-8"))
    assert (folder / "audit.json").is_file(), stderr
    return Finished(folder, read_record(folder), code, stdout, stderr)
