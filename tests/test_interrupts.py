from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import spacediff
from spacediff.interrupts import clear, install, raise_if_interrupted, until_interrupted


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)}
    yield
    clear()
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_lost_interrupt_is_raised_at_the_next_check(sign: signal.Signals) -> None:
    install()
    raise_if_interrupted()
    with suppress(KeyboardInterrupt):  # as a finaliser does
        os.kill(os.getpid(), sign)
    with pytest.raises(KeyboardInterrupt):
        raise_if_interrupted()
    clear()
    raise_if_interrupted()


def test_the_first_interrupt_is_answered_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    install("ending")
    for _ in range(2):
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert capfd.readouterr().err == "ending\n"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGQUIT])
def test_requests_right_after_another_are_the_same_one(sign: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    install()
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(5):
        os.kill(os.getpid(), sign)
    monkeypatch.setattr("spacediff.interrupts.SAME_REQUEST", 0.0)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), sign)


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    install()
    os.kill(os.getpid(), signal.SIGINT)
    raise_if_interrupted()


def test_only_the_command_line_installs_handlers() -> None:
    """A library leaves the signals of the program that uses it alone."""
    root = Path(spacediff.__file__).parent
    texts = {file.relative_to(root): file.read_text("utf-8") for file in root.rglob("*.py")}
    setting = {path for path, text in texts.items() if "signal.signal(" in text}
    installing = {path for path, text in texts.items() if re.search(r"interrupts import .*\binstall\b", text)}
    assert setting == {Path("interrupts.py"), Path("tiny/space_app.py"), Path("worker/child.py")}, (
        "two are processes of their own"
    )
    assert {path.parts[0] for path in installing} == {"cli"}


def test_what_was_finished_before_an_interruption_is_kept() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyboardInterrupt

    assert until_interrupted(items()) == ((1, 2), True)
    assert until_interrupted(iter([1, 2])) == ((1, 2), False)


def test_a_lost_interrupt_ends_a_stage_as_soon_as_it_is_finished() -> None:
    install()

    def items() -> Iterator[int]:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        yield 1

    assert until_interrupted(items()) == ((1,), True)


def test_once_the_exit_code_is_known_a_request_ends_the_program_with_it() -> None:
    text = (
        "import time; from spacediff.interrupts import *; install(); end_with(7); print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 7
