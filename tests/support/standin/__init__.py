"""A stand-in accelerator for the processes that a test starts: `npu`, in host memory, counted and capped.

It shows what depends on a second memory: which tensors are on the device and when, what is freed after a run or a
failure, what offloading copies, and what happens when the memory is full. It shows nothing about kernels, streams or
speed: its operations are the CPU's. Its results are repeatable, and differ from the CPU's in the last bits.

`device.cpp` is the device, compiled in some seconds. `autoload/` makes torch load it in every process that has it on
its `PYTHONPATH`. A process of the tests never loads it: torch would offer it to all tests of that process.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

_SOURCE = Path(__file__).with_name("device.cpp")
_AUTOLOAD = Path(__file__).with_name("autoload")
_OLDEST_TORCH = (2, 10)
"""The first with `torch.accelerator.get_memory_info`."""


class StandInUnavailable(Exception):
    """The stand-in cannot be compiled here; the text says why."""


@dataclass(frozen=True)
class Use:
    """What one process uses, or used until it ended, however it ended.

    Attributes:
        command: Its command line.
        in_use: Bytes on the device.
        peak: Most bytes on the device.
        host_in_use: Bytes of host memory that torch allocated for tensors. A checkpoint that is mapped instead of read
            is not counted: the system can discard its pages.
        host_peak: Most bytes of this host memory.
    """

    command: Sequence[str]
    in_use: int
    peak: int
    host_in_use: int
    host_peak: int


@dataclass(frozen=True)
class StandIn:
    """The compiled device."""

    library: Path

    def environment(self, *, cap: int | None = None, report: Path | None = None) -> dict[str, str]:
        """Return the environment variables with which a process and its children have the device.

        Args:
            cap: Bytes that tensors may occupy; None for no limit. Each process has a memory of its own.
            report: A folder in which each process reports what it uses.
        """
        paths = [str(_AUTOLOAD), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {"PYTHONPATH": os.pathsep.join(paths), "NPU_STANDIN_LIBRARY": str(self.library)}
        if cap is not None:
            variables["NPU_STANDIN_CAP"] = str(cap)
        if report is not None:
            variables["NPU_STANDIN_REPORT"] = str(report)
        return {**os.environ, **variables}


def reported(report: Path) -> list[Use]:
    """Read what the processes reported."""
    return [
        Use(file.with_suffix(".command").read_text("utf-8").split("\0"), *struct.unpack("=4q", file.read_bytes()))
        for file in report.glob("*.memory")
    ]


def build(folder: Path) -> StandIn:
    """Compile the device, unless the folder has it.

    Args:
        folder: Where libraries are kept, by a hash of the source and of torch's version.

    Raises:
        StandInUnavailable: There is no compiler, or torch is too old.
    """
    import torch

    if tuple(int(number) for number in re.findall(r"\d+", torch.__version__)[:2]) < _OLDEST_TORCH:
        raise StandInUnavailable(f"the stand-in accelerator needs torch {'.'.join(map(str, _OLDEST_TORCH))} or newer")
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise StandInUnavailable("the stand-in accelerator needs a C++ compiler: c++, g++ or clang++, or CXX")
    identity = hashlib.sha256(f"{torch.__version__} {compiler}".encode() + _SOURCE.read_bytes()).hexdigest()[:16]
    library = folder / f"npu_standin-{identity}.so"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(library.with_suffix(".lock")):
        if not library.exists():
            _compile(compiler, Path(torch.__file__).parent, library)
    return StandIn(library)


def _compile(compiler: str, torch: Path, library: Path) -> None:
    unfinished = library.with_suffix(".part")
    headers = [f"-isystem{torch / path}" for path in ("include", "include/torch/csrc/api/include")]
    libraries = [f"-L{torch / 'lib'}", "-ltorch_cpu", "-lc10"]
    command = [
        compiler,
        "-std=c++20",
        "-O1",
        "-fPIC",
        "-shared",
        *headers,
        str(_SOURCE),
        "-o",
        str(unfinished),
        *libraries,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the stand-in accelerator did not compile:\n{done.stderr[:4000]}")
    unfinished.replace(library)
