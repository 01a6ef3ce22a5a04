"""A child process is stopped together with its own children, without the signals that Windows lacks."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from spacediff import processes

FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
"""A process that ignores the request to end, and its child."""


def test_a_process_and_its_child_are_stopped_without_the_signals_of_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP")
    monkeypatch.delattr("os.killpg")
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, **processes.APART)
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.stdout.close()
    processes.stop(process, patience=0.2)
    assert process.returncode != 0
    child.wait(10)
    assert not child.is_running()


def test_a_process_that_has_ended_is_only_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    processes.stop(process, patience=0)
    assert process.returncode == 0
