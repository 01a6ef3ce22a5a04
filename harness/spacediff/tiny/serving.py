"""The tiny Space as a separate process, for the duration of a with-block.

The process has its own session, so that Ctrl-C interrupts the audit and not the Space, and a pipe as stdin; it exits at
end of file. This works at the end of the block, after an exception, and when this process is killed, because the
operating system then closes the pipe.
"""

from __future__ import annotations

import contextlib
import queue
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from spacediff.errors import SpaceBroken
from spacediff.files import remove_folder
from spacediff.processes import APART, child_environment, last_lines, python, queue_lines, stop
from spacediff.tiny.space_app import CHECKPOINT, DEVICE, STEPS, scratch_prefix

STARTUP_DEADLINE = 180.0  # seconds; the first import of torch, diffusers and gradio takes ten on an idle machine
_STOP_TIMEOUT = 5.0  # seconds to wait for the exit before the next, stronger request

_SPACE = ("-m", "spacediff.tiny.space_app")
_READY = re.compile(r"READY (http://127\.0\.0\.1:\d+)")
_LOG_TAIL = 12  # lines of the Space's log in an error message


@contextlib.contextmanager
def serve_tiny_space(
    steps: int = STEPS,
    startup_deadline: float = STARTUP_DEADLINE,
    checkpoint: str = CHECKPOINT,
    device: str = DEVICE,
) -> Iterator[str]:
    """Run the tiny Space; yield its address, such as `http://127.0.0.1:43210`.

    Args:
        steps: Denoising steps of each clip.
        startup_deadline: Seconds until it must answer.
        checkpoint: Id of the tiny checkpoint that it serves.
        device: The torch device that it computes on.

    Raises:
        SpaceBroken: It did not start; the message ends with the end of its log.
    """
    with TinySpace(steps, startup_deadline, checkpoint, device) as space:
        yield space.url


class TinySpace:
    """A process that serves a tiny checkpoint; a context manager.

    Args:
        steps: Denoising steps of each clip.
        startup_deadline: Seconds until it must answer.
        checkpoint: Id of the tiny checkpoint that it serves.
        device: The torch device that it computes on.
        probed: Whether its calls are recorded by a probe.
    """

    url: str
    """The address of the Space."""
    process_id: int

    def __init__(
        self,
        steps: int = STEPS,
        startup_deadline: float = STARTUP_DEADLINE,
        checkpoint: str = CHECKPOINT,
        device: str = DEVICE,
        *,
        probed: bool = False,
    ) -> None:
        self._options = ["--steps", str(steps), "--checkpoint", checkpoint, "--device", device]
        self._options += ["--probed"] if probed else []
        self._startup_deadline = startup_deadline
        self._cleanup = contextlib.ExitStack()
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._log: IO[bytes] | None = None

    def begin(self) -> None:
        """Start the process, and do not wait until it answers.

        Raises:
            SpaceBroken: It cannot be started.
        """
        with contextlib.ExitStack() as cleanup:  # unwound if something fails
            log = cleanup.enter_context(tempfile.TemporaryFile())
            process = self._start(log)
            reader = threading.Thread(target=queue_lines, args=(process.stdout, self._lines), daemon=True)
            reader.start()
            cleanup.callback(reader.join)
            cleanup.callback(_stop, process)
            self.process_id = process.pid
            self._log = log
            self._cleanup = cleanup.pop_all()

    def close(self) -> None:
        """Stop the process."""
        self._cleanup.close()
        self._log = None

    def wait(self) -> str:
        """Wait until the Space answers, after `begin`; return its address.

        Raises:
            SpaceBroken: It does not; it is stopped, and the message ends with the end of its log.
        """
        try:
            self.url = self._wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self.url

    def __enter__(self) -> Self:
        self.begin()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module
                python(*_SPACE, *self._options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=child_environment(),
                **APART,
            )
        except OSError as error:
            raise SpaceBroken(f"the tiny Space could not be started: {error.strerror or error}") from error

    def _wait_until_ready(self) -> str:
        deadline = time.monotonic() + self._startup_deadline
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise SpaceBroken(
                    f"the tiny Space did not answer within {self._startup_deadline:g} seconds{_log_tail(self._log)}",
                    hint="a machine under load may need longer; try again",
                ) from None
            if not line:
                raise SpaceBroken(
                    f"the tiny Space exited before it answered{_log_tail(self._log)}",
                    hint="`python -m spacediff.tiny.space_app` shows why",
                )
            if found := _READY.fullmatch(line.decode(errors="replace").strip()):
                return found[1]


def _log_tail(log: IO[bytes] | None) -> str:
    """Return the end of the log for an error message."""
    if log is None:
        return ""
    log.seek(0)
    lines = last_lines(log.read().decode(errors="replace"), _LOG_TAIL)
    return "\n  ".join(["; its log ends with:", *lines]) if lines else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the Space: by end of file, then by the system's means, together with an encoder that it may run."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_TIMEOUT)
    stop(process, _STOP_TIMEOUT)
    # It removes these itself unless it was killed. Its process id can be reused only after the wait above.
    for scratch in Path(tempfile.gettempdir()).glob(f"{scratch_prefix(process.pid)}*"):
        remove_folder(scratch)
