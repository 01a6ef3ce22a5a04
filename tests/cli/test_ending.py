"""How a command ends when it is asked to: by one signal, by several at once, and when its terminal is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle

import pytest

from spacediff.errors import Exit
from support.faults_table import space_that_fails
from support.faulty_space import FaultySpace, silent

pty = pytest.importorskip("pty")

PROGRAM = (sys.executable, "-P", "-m", "spacediff")
IN_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySpace]:
    """A Space that is asked for its page and never answers."""
    with space_that_fails(tmp_path_factory.mktemp("space")) as running:
        yield running


def wait_until_asked(space: FaultySpace) -> None:
    ends = time.monotonic() + 60
    while not space.asked["config"] and time.monotonic() < ends:
        time.sleep(0.02)
    assert space.asked["config"]


def test_whatever_comes_while_a_command_ends_it_ends_as_by_an_interrupt(space: FaultySpace) -> None:
    space.fails("config", silent)
    process = subprocess.Popen([*PROGRAM, "check", space.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_until_asked(space)
    for sign in cycle((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)):
        if process.poll() is not None:
            break
        process.send_signal(sign)
        time.sleep(0.01)
    printed = process.communicate()[0]
    assert process.returncode == Exit.INTERRUPTED, printed
    assert b"Traceback" not in printed


def test_a_terminal_that_is_closed_interrupts_the_command(space: FaultySpace) -> None:
    space.fails("config", silent)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_A_TERMINAL, *PROGRAM, "check", space.url]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    wait_until_asked(space)
    os.close(ours)
    assert process.wait(30) == Exit.INTERRUPTED
