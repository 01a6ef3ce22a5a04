from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from support import quickstart as quickstart_audit
from support.forked_worker import start_forked
from support.fuzzing import examples
from support.paths import shared_folder
from support.quickstart import Finished
from support.tiny_space import SPACE_STEPS

pytest_plugins = ["support.report_pages"]  # the fixtures of the tests that open a report in a browser

# nohup and a shell's background ignore these, and what tests start would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("SIGTERM", "SIGHUP", "SIGQUIT"):
    if hasattr(signal, _name):
        signal.signal(getattr(signal, _name), signal.SIG_DFL)

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a core each, for torch here and in the processes that tests start

settings.register_profile("ours", deadline=None, max_examples=examples(100))
settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what hypothesis drives, which the slow lane repeats with many more examples, and put the tests in order.

    The longest come first, so that no process ends with one alone. What waits for the quickstart comes last.
    """
    for item in items:
        if hasattr(getattr(item, "function", None), "hypothesis"):
            item.add_marker("fuzz")
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, "quickstart" in _fixtures(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, by name, what no time is left for: CI ends a run after so long that nothing of it would be known."""
    ends = float(os.environ.get("SPACEDIFF_TESTS_UNTIL", "inf"))
    if time.time() > ends and (item.get_closest_marker("slow") or item.get_closest_marker("fuzz")):
        pytest.skip("not run: the time of this run is over (SPACEDIFF_TESTS_UNTIL)")


def _fixtures(item: pytest.Item) -> Sequence[str]:
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


_A_LIBRARY = 200
"""So many modules are imported only with a library such as torch."""


@pytest.fixture(scope="module", autouse=True)
def little_to_collect() -> Iterator[None]:
    """Leave libraries out of each collection of garbage once they are imported: that took a fifth of the time."""
    before = len(sys.modules)
    yield
    if len(sys.modules) - before > _A_LIBRARY:
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests make the tiny checkpoint once per session and leave the user's cache alone."""
    cache = shared_folder(tmp_path_factory) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPACEDIFF_CACHE", str(cache))
        yield cache


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Audits in the process of a test start their worker processes without the seconds of importing torch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spacediff.worker.process.start_worker", start_forked)
        yield


@pytest.fixture(scope="session", autouse=True)
def quickstart_begun(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, own_cache: Path
) -> Iterator[None]:
    """Begin the quickstart where a test of this process will ask for it: it takes a minute that others can use."""
    if any("quickstart" in _fixtures(item) for item in request.session.items):
        quickstart_audit.begin(shared_folder(tmp_path_factory), own_cache)
    yield
    if "PYTEST_XDIST_WORKER" not in os.environ:  # there another process may still wait for it
        quickstart_audit.stop()


@pytest.fixture(scope="session")
def tiny_space(own_cache: Path) -> Iterator[str]:  # noqa: ARG001 - it must be set before the Space starts
    """The address of a running tiny Space, the same one for the whole session."""
    from spacediff.tiny.checkpoint import RANDOM
    from spacediff.tiny.serving import serve_tiny_space

    with serve_tiny_space(steps=SPACE_STEPS, checkpoint=RANDOM.id) as url:
        yield url


@pytest.fixture(scope="session")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP checkpoint of a few kilobytes with random weights."""
    from support.small_clip import save_clip_model

    return save_clip_model(tmp_path_factory.mktemp("models") / "small-clip")


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory, quickstart_begun: None) -> Finished:  # noqa: ARG001 - begun first
    """The quickstart scenario, audited by the real command: once, whatever number of processes the tests run on."""
    return quickstart_audit.ended(shared_folder(tmp_path_factory))
