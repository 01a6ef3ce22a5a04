"""A Gradio app of one's own under the recorder: the calls that come in, what is safe on disk, and the end by Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import Client

from spacediff.recordings import Recording, read_recording
from spacediff.recordings.script import UNFINISHED
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint

APP = """
import os, threading
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
import gradio as gr
import torch
from diffusers import CogVideoXPipeline

pipe = CogVideoXPipeline.from_pretrained({checkpoint!r}, dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)

def generate(prompt, seed):
    generator = torch.Generator().manual_seed(int(seed))
    pipe(prompt, num_inference_steps=1, num_frames=5, generator=generator)
    return threading.current_thread() is threading.main_thread()

gr.Interface(generate, ["text", "number"], "checkbox", api_name="generate").launch(server_port={port})
print("after launch", flush=True)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def started(folder: Path, *command: str) -> subprocess.Popen[str]:
    """Start Python in a folder, in a session of its own, as a terminal would."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GRADIO_ANALYTICS_ENABLED": "False"}
    return subprocess.Popen(
        [sys.executable, "-P", *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(ready: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def launched(process: subprocess.Popen[str]) -> str:
    """Wait for an app to serve, and return what it has printed until then: two lines of Gradio's."""
    assert process.stdout
    return "".join(process.stdout.readline() for _ in range(2))


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Interrupt an app as Ctrl-C in a terminal does, and return what it prints from then on."""
    time.sleep(0.5)  # `launch` has printed its lines and is about to wait
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=60)


@pytest.mark.slow
def test_an_app_is_recorded_until_ctrl_c_and_each_call_is_on_disk_before(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "app.py").write_text(APP.format(checkpoint=str(ensure_checkpoint(RANDOM)), port=port))
    process = started(tmp_path, "-m", "spacediff", "record", "--out", "r.zip", "app.py")
    printed = launched(process)
    address = f"http://127.0.0.1:{port}"
    first, second = Client(address, verbose=False), Client(address, verbose=False)
    assert first.predict("a lemon", 1, api_name="/generate") is False, "it runs in a thread of Gradio's"
    elsewhere = threading.Thread(target=lambda: second.predict("a lime", 2, api_name="/generate"))
    elsewhere.start()
    elsewhere.join()
    first.predict("a lemon", 3, api_name="/generate")
    until(lambda: len(_recorded(tmp_path).calls) == 3)
    assert UNFINISHED in _recorded(tmp_path).notes
    out, err = interrupted(process)
    plain = started(tmp_path, "app.py")
    assert printed == launched(plain)
    assert (out, process.returncode) == (interrupted(plain)[0], plain.returncode)
    assert "Keyboard interruption in main thread... closing server." in out
    assert "after launch" in out
    assert [line for line in err.splitlines() if line.startswith("recording: ")] == ["recording: r.zip"]
    recording = _recorded(tmp_path)
    assert [(call.prompt, call.settings["rng.seed"]) for call in recording.calls] == [
        ("a lemon", 1), ("a lime", 2), ("a lemon", 3),
    ]  # fmt: skip
    assert all(call.finished and call.frames and call.trace for call in recording.calls)
    assert (recording.notes, recording.exit_code) == ((), 0)


def _recorded(folder: Path) -> Recording:
    file = folder / "r.zip"
    return read_recording(file) if file.is_file() else Recording(spacediff="", script="", exit_code=0, calls=())


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGTERM, "ended by SIGTERM"), (signal.SIGINT, "interrupted")])
def test_a_request_to_end_is_the_scripts_and_the_recording_is_written(
    number: signal.Signals, ending: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(WAITING)
    process = started(tmp_path, "-m", "spacediff", "record", "--out", "r.zip", "app.py")
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    if number is signal.SIGTERM:
        process.terminate()  # as a container or CI does: this process alone
    else:
        os.killpg(process.pid, number)
        assert process.stdout.readline() == "ending\n"
        os.killpg(process.pid, number)  # and again, while it ends
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == (f"{ending}\n", 5), err
    assert read_recording(tmp_path / "r.zip").exit_code == 5


WAITING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("ended by SIGTERM"), sys.exit(5)))
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    try:
        print("ending", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted")
        sys.exit(5)
"""
