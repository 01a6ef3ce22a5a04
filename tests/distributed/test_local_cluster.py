"""The command without `RAY_ADDRESS`: it starts a cluster on this machine, and leaves nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from spacediff.files import remove_folder
from spacediff.record import GateStatus, read_record

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

SCENARIO = """
title = "{title}"
prompts.lemon = {{ text = "a blue cone and a green box", seed = 1 }}
baseline.model.id = "builtin:tiny-cogvideox-random"
baseline.call = {{ num_inference_steps = 4, num_frames = 5 }}
baseline.placement = "cpu"
reference.variant = "other"
scale = {{ seeds = 1, rerun = false }}
resources.cpus = 1
variants.other.call.guidance_scale = {guidance}
gate = {{ variant = "baseline" }}
"""


def test_an_interrupted_command_leaves_no_process_and_goes_on_when_it_is_given_again(tmp_path: Path) -> None:
    for name, guidance in (("differs", 9.0), ("equal", 6.0)):
        (tmp_path / f"{name}.toml").write_text(SCENARIO.format(title=name, guidance=guidance))
    own = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    words = ["audit", "differs.toml", "equal.toml", "--executor", "ray"]
    environ = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | {"RAY_TMPDIR": str(own)}
    first = subprocess.Popen(
        [sys.executable, "-m", "spacediff", *words],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert first.stderr
        said = ""
        while "[1/" not in said:
            said = first.stderr.readline()
            assert said, "it ended before its first run"
        first.send_signal(signal.SIGINT)
        rest = first.communicate(timeout=300)
        assert first.returncode == 130, rest
        assert left_of(own) == []
        kept = [path for path in (tmp_path / "audits" / "differs" / "runs").iterdir() if path.name[0] != "."]
        assert kept
        second = subprocess.run(
            [sys.executable, "-m", "spacediff", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 3, second.stderr
        assert "taken from the store" in second.stderr
        assert left_of(own) == []
    finally:
        first.kill()
        remove_folder(own)
    for name, status in (("differs", GateStatus.NOT_MEASURED), ("equal", GateStatus.PASSED)):  # the first has no floor
        record = read_record(tmp_path / "audits" / name)
        assert record.finished
        assert record.gate.status is status
        assert all(run.machine for run in record.runs)
        assert "--executor ray" in record.command


def left_of(folder: Path) -> list[str]:
    """The processes of a cluster that has its files in a folder, some seconds after it was stopped."""
    found: list[str] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if str(folder) in line or process.environ().get("RAY_TMPDIR") == str(folder):
                    found.append(line)
        if not found:
            return []
        time.sleep(0.2)
    return found
