"""What commands need in memory for hostile input, beside what they need for an honest one of the same kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.processes import resident
from spacediff.clip import probe
from spacediff.record import read_record, write_record
from support import soak
from support.faults import FAULTS, Fault, show
from support.faults_table import space_that_fails
from support.synthetic_audit import synthetic_audit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="resident memory is counted otherwise"),
]

MOST_BESIDES = 512
"""MiB."""
HONEST = (17, 720, 1280)
"""Frames, height and width."""
LONG = (400, 720, 1280)
"""1.1 GB decoded, from a file of less than 200 kB."""
LARGE = (3, 2160, 3840)
MANY_RUNS = 36_000
STARS = "a = [1] * 100\n" + "a = [*a, *a, *a]\n" * 14
"""A source that made a list of 480 million items when it was followed."""
SCRIPT = """
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b")
video = pipe(prompt="a lemon", num_inference_steps=50)
"""


@dataclass(frozen=True)
class Peak:
    """The most memory that a command had with its children, in MiB, and what it printed."""

    megabytes: float
    printed: str


def compare_peaks(command: str, honest: Peak, hostile: Mapping[str, Peak]) -> None:
    """Print the rows of the table, and fail where hostile input needs too much more."""
    for what, peak in hostile.items():
        row = printed_row(command, honest, what, peak)
        assert peak.megabytes < honest.megabytes + MOST_BESIDES, row


def printed_row(command: str, honest: Peak, what: str, peak: Peak) -> str:
    row = f"| `{command}` | {what} | {honest.megabytes:.0f} MiB | {peak.megabytes:.0f} MiB |"
    print(row)  # noqa: T201 - the measured figures
    return row


def peak_of(*arguments: object, codes: frozenset[int] = frozenset({0})) -> Peak:
    """Run a command, and return the peak of its memory with that of its children."""
    peak = 0.0
    with subprocess.Popen(
        [sys.executable, "-m", "spacediff", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid) / 2**20)
            time.sleep(0.05)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode in codes, printed
    return Peak(peak, printed)


def pair(folder: Path, frames: int, height: int, width: int) -> tuple[Path, Path]:
    """Write two files whose first frames differ and whose others are equal, so that comparing them takes seconds."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[: height // 2] = (200, 30, 60)
    files = folder / f"a{frames}.mp4", folder / f"b{frames}.mp4"
    for number, file in enumerate(files):
        first = picture.copy()
        first[: height // 4] = 255 * number
        with av.open(file, "w") as container:
            stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast", "crf": "30", "g": "10000"})
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            for frame in (first, *[picture] * (frames - 1)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
    return files


def audit_folder(folder: Path, further_runs: int) -> Path:
    """Write a record with many runs of which one has a text that cannot be seen, so that it is not shown as it is."""
    record = synthetic_audit(folder)
    write_record(record, folder)
    data = json.loads((folder / "audit.json").read_text())
    failed = next(run for run in data["runs"] if not run["measured"])
    data["runs"] += [failed | {"name": f"v{number}", "reason": "\x1b[31m"} for number in range(further_runs)]
    (folder / "audit.json").write_text(json.dumps(data))
    return folder


def test_long_and_large_videos_need_hardly_more_memory_than_a_short_one(tmp_path: Path) -> None:
    long, large = pair(tmp_path, *LONG), pair(tmp_path, *LARGE)
    assert long[0].stat().st_size < 200_000
    assert probe(long[0]).frames == LONG[0]
    honest = peak_of("compare", *pair(tmp_path, *HONEST), "--out", tmp_path / "honest")
    of_long = peak_of("compare", *long, "--out", tmp_path / "long")
    of_large = peak_of("compare", *large, "--out", tmp_path / "large")
    record = read_record(tmp_path / "long")
    assert [run.clip.frames for run in record.runs if run.clip] == [LONG[0], LONG[0]]
    assert record.comparisons[0].metrics["psnr"].worst_frame == 0
    assert read_record(tmp_path / "large").comparisons[0].metrics["lpips"].worst_frame == 0
    compare_peaks("compare", honest, {"400 frames of 1280x720": of_long, "frames of 3840x2160": of_large})


def test_a_source_that_grows_needs_hardly_more_memory_than_a_plain_one(tmp_path: Path) -> None:
    (tmp_path / "honest.py").write_text(SCRIPT)
    (tmp_path / "stars.py").write_text(STARS + SCRIPT)
    hostile = peak_of("read", tmp_path / "stars.py")
    assert "too much work" in hostile.printed
    compare_peaks(
        "read", peak_of("read", tmp_path / "honest.py"), {"a list that grows threefold in each line": hostile}
    )


def test_a_record_with_many_runs_needs_hardly_more_memory_than_one_with_few(tmp_path: Path) -> None:
    many = peak_of("report", audit_folder(tmp_path / "many", MANY_RUNS))
    honest = peak_of("report", audit_folder(tmp_path / "audit", 0))
    compare_peaks("report", honest, {f"a record with {MANY_RUNS:,} runs": many})


def test_endless_answers_of_a_space_need_hardly_more_memory_than_honest_ones(tmp_path: Path) -> None:
    hostile = [
        each for each in FAULTS if each.name in {"`/config` has no end", "`/config` unpacks to gigabytes (gzip)"}
    ]
    assert len(hostile) == 2
    (space_folder := tmp_path / "space").mkdir()
    with space_that_fails(space_folder) as space:

        def peak(fault: Fault) -> Peak:
            show(fault, space)
            scenario = tmp_path / "soak.toml"
            scenario.write_text(soak.SCENARIO.format(space=space.url, deadline=60.0))
            options = ("--out", tmp_path / "audited", "--fresh", "--stop-without-reference")
            found = peak_of("audit", scenario, *options, codes=frozenset({0, 3}))
            assert read_record(tmp_path / "audited").run("p", "reference").code == fault.code, found.printed
            return found

        compare_peaks("audit", peak(soak.HONEST), {each.name: peak(each) for each in hostile})
