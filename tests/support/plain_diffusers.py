"""Clips by a plain diffusers script, in one process for all of them, since starting it takes seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCRIPT = Path(__file__).with_name("plain_script.py")


class PlainDiffusers:
    """The running script."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._out = folder / "frames.npy"

    def frames(self, **job: Any) -> NDArray[np.uint8]:
        """Generate a clip, `[T, H, W, 3]`; see `support.plain_script` for what a job has."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({**job, "out": str(self._out)}) + "\n")
        self._process.stdin.flush()
        answer: Mapping[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        frames: NDArray[np.uint8] = np.load(self._out)
        return frames


@contextmanager
def plain_diffusers() -> Iterator[PlainDiffusers]:
    """Start the script; it ends with the block."""
    paths = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not (Path(path) / "spacediff").is_dir()
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "stderr").open("w") as errors,
        subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield PlainDiffusers(process, Path(folder))
        assert process.stdin
        process.stdin.close()
