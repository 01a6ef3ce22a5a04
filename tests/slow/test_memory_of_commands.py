"""What `compare` needs in memory for a small file that decodes to a gigabyte, beside what an honest one needs."""

from __future__ import annotations

import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from spacediff.clip import FileFrames, probe, write_frames
from spacediff.record import read_record
from support.fresh_process import FreshProcess

pytestmark = pytest.mark.slow

MOST_BESIDES = 512 * 2**20
LONG = (400, 720, 1280)
"""Frames, height and width of the large file: 1.1 GB decoded."""


def pair(folder: Path, frames: int, height: int, width: int) -> tuple[Path, Path]:
    """Write two files whose first frames differ and whose others are equal, so that comparing them takes seconds."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[: height // 2] = (200, 30, 60)
    files = folder / f"a{frames}.mp4", folder / f"b{frames}.mp4"
    for number, file in enumerate(files):
        first = picture.copy()
        first[: height // 4] = 255 * number
        write_frames([first, *[picture] * (frames - 1)], Fraction(8), file, quality=30, key_frames=10_000)
    return files


def peak_of_comparing(files: tuple[Path, Path], out: Path) -> int:
    """Compare two files in a process of its own, and return the peak of its memory with that of its children, bytes."""
    process = FreshProcess("compare", *files, "--out", out)
    ended, peak = threading.Event(), 0

    def look() -> None:
        nonlocal peak
        while not ended.wait(0.05):
            peak = max(peak, memory_of(process.pid))

    looking = threading.Thread(target=look)
    looking.start()
    done = process.ended(timeout=900)
    ended.set()
    looking.join()
    assert done.returncode == 0, done.stdout + done.stderr
    return peak


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process and its children; 0 if it has ended."""
    total = 0
    try:
        for each in (own := psutil.Process(pid), *own.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:
        return total
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is counted otherwise")
def test_a_small_file_of_a_gigabyte_needs_hardly_more_memory_than_an_honest_one(tmp_path: Path) -> None:
    large = pair(tmp_path, *LONG)
    assert large[0].stat().st_size < 200_000
    assert len(FileFrames(large[0], (*LONG, 3))) == probe(large[0]).frames == 400
    honest = peak_of_comparing(pair(tmp_path, 17, *LONG[1:]), tmp_path / "honest")
    peak = peak_of_comparing(large, tmp_path / "large")
    print(f"honest {honest / 2**20:.0f} MiB, large {peak / 2**20:.0f} MiB")  # noqa: T201 - the measured figures
    assert peak < honest + MOST_BESIDES
    record = read_record(tmp_path / "large")
    assert [run.clip.frames for run in record.runs if run.clip] == [400, 400]
    assert record.comparisons[0].metrics["psnr"].worst_frame == 0
