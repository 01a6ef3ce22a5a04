"""Conversations are ended by the clock, by memory and with the process that holds them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from spacediff import conversations
from spacediff.conversations import EndedError, OverdueError, OvergrownError, converse
from support.space_requests import RememberingListener, eventually

MODULE = """
import os, sys, time
from spacediff.conversing import serve

def answered(asked, channel):
    channel.on_status("at work")
    channel.on_step(1, 2)
    match asked["do"]:
        case "sleep":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "grow":
            channel.on_cancel = lambda: open(asked["file"], "w").close()
            kept = []
            while True:
                kept.append(bytearray(2**22))
                time.sleep(0.005)
        case "exit":
            os._exit(7)
        case "cancel":
            channel.on_cancel = lambda: open(asked["file"], "w").close()
            time.sleep(600)
        case "write":
            open(asked["file"], "wb").write(bytes(2**21))
    print("noise of a library")
    return {"kind": "answered", "pid": os.getpid()}

serve(answered, 2**20)
"""


@pytest.fixture(scope="module", autouse=True)
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "talking.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}:{':'.join(filter(None, sys.path))}")
        yield
    conversations.close()


def soon() -> float:
    return time.monotonic() + 60


def test_what_the_environment_imports_at_the_start_is_no_growth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("kept = b'1' * 2**29")
    conversations.close()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    assert converse("talking", {"do": ""}, soon())["kind"] == "answered"
    with pytest.raises(OvergrownError):
        converse("talking", {"do": "grow", "file": str(tmp_path / "cancelled")}, soon())


def test_a_process_is_kept_for_the_next_conversation_and_its_progress_is_heard() -> None:
    listener = RememberingListener()
    first = converse("talking", {"do": ""}, soon(), listener)
    assert converse("talking", {"do": ""}, soon()) == first
    assert listener.texts == ["at work"]
    assert listener.steps == [(1, 2)]
    conversations.close()
    assert not psutil.pid_exists(first["pid"])


@pytest.mark.parametrize("do", ["sleep", "spin"])
def test_the_deadline_ends_a_process_whatever_it_does(do: str) -> None:
    pid = converse("talking", {"do": ""}, soon())["pid"]
    began = time.monotonic()
    with pytest.raises(OverdueError, match="at work"):
        converse("talking", {"do": do}, began + 2)
    assert time.monotonic() - began < 30
    assert not psutil.pid_exists(pid)


def test_a_process_that_grows_is_ended_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cancelled"
    with pytest.raises(OvergrownError, match="at work"):
        converse("talking", {"do": "grow", "file": str(file)}, soon())
    assert not file.exists(), "it would grow as long as it cancels"


def test_a_process_that_ends_by_itself_is_reported_and_replaced() -> None:
    with pytest.raises(EndedError, match="ended with exit code 7"):
        converse("talking", {"do": "exit"}, soon())
    assert converse("talking", {"do": ""}, soon())["kind"] == "answered"


def test_a_process_may_cancel_before_it_is_ended(tmp_path: Path) -> None:
    converse("talking", {"do": ""}, soon())  # so that the deadline does not include its start
    file = tmp_path / "cancelled"
    with pytest.raises(OverdueError):
        converse("talking", {"do": "cancel", "file": str(file)}, time.monotonic() + 3)
    assert file.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit for files")
def test_a_file_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with pytest.raises(EndedError, match="exit code 1"):
        converse("talking", {"do": "write", "file": str(file)}, soon())
    assert file.stat().st_size <= 2**20


def test_a_changed_variable_of_a_library_makes_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    first = converse("talking", {"do": ""}, soon())["pid"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert converse("talking", {"do": ""}, soon())["pid"] != first


def test_the_process_ends_with_the_one_that_was_killed() -> None:
    asking = textwrap.dedent("""
        import time
        from spacediff.conversations import converse
        class Heard:
            def on_status(self, text):
                import psutil
                print(*(each.pid for each in psutil.Process().children()), flush=True)
            def on_step(self, done, total):
                pass
        converse("talking", {"do": "sleep"}, time.monotonic() + 600, Heard())
    """)
    with subprocess.Popen([sys.executable, "-c", asking], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    assert eventually(lambda: not psutil.pid_exists(pid))
