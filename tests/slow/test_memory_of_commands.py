"""What commands need in memory for hostile input, beside what they need for an honest one of the same kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from spacediff.clip import probe, write_frames
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


@dataclass
class Table:
    """What was measured; it is printed, and compared at the end.

    Attributes:
        honest: Command to MiB.
        hostile: Command and what is hostile, to MiB.
    """

    honest: dict[str, float] = field(default_factory=dict)
    hostile: dict[tuple[str, str], float] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = ["| command | hostile input | honest MiB | hostile MiB |", "|---|---|---|---|"]
        lines += [
            f"| `{command}` | {what} | {self.honest[command]:.0f} | {peak:.0f} |"
            for (command, what), peak in self.hostile.items()
        ]
        return "\n".join(lines)

    @property
    def too_much(self) -> list[str]:
        return [
            f"{command}, {what}: {peak:.0f} MiB"
            for (command, what), peak in self.hostile.items()
            if peak > self.honest[command] + MOST_BESIDES
        ]


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
            peak = max(peak, memory_of(process.pid))
            time.sleep(0.02)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode in codes, printed
    return Peak(peak, printed)


def memory_of(pid: int) -> float:
    """Return the resident MiB of a process and its children; 0 if it has ended."""
    total = 0
    with suppress(psutil.Error):
        own = psutil.Process(pid)
        command, total = own.cmdline(), own.memory_info().rss
        for each in own.children(recursive=True):
            with suppress(psutil.Error):
                if each.cmdline() != command:  # else it is about to start a program, and its memory is its parent's
                    total += each.memory_info().rss
    return total / 2**20


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


def audit_folder(folder: Path, further_runs: int) -> Path:
    """Write a record with many runs of which one has a text that cannot be seen, so that it is not shown as it is."""
    record = synthetic_audit(folder)
    write_record(record, folder)
    data = json.loads((folder / "audit.json").read_text())
    failed = next(run for run in data["runs"] if not run["measured"])
    data["runs"] += [failed | {"name": f"v{number}", "reason": "\x1b[31m"} for number in range(further_runs)]
    (folder / "audit.json").write_text(json.dumps(data))
    return folder


def test_hostile_input_needs_hardly_more_memory_than_an_honest_one(tmp_path: Path) -> None:
    table = Table()
    _compare(table, tmp_path)
    _read(table, tmp_path)
    _report(table, tmp_path)
    _audit(table, tmp_path)
    print(table)  # noqa: T201 - the measured figures
    assert table.too_much == [], str(table)


def _compare(table: Table, folder: Path) -> None:
    long = pair(folder, *LONG)
    assert long[0].stat().st_size < 200_000
    assert probe(long[0]).frames == LONG[0]
    table.honest["compare"] = peak_of("compare", *pair(folder, *HONEST), "--out", folder / "honest").megabytes
    table.hostile["compare", "400 frames of 1280x720"] = peak_of("compare", *long, "--out", folder / "long").megabytes
    record = read_record(folder / "long")
    assert [run.clip.frames for run in record.runs if run.clip] == [LONG[0], LONG[0]]
    assert record.comparisons[0].metrics["psnr"].worst_frame == 0
    large = pair(folder, *LARGE)
    table.hostile["compare", "frames of 3840x2160"] = peak_of("compare", *large, "--out", folder / "large").megabytes
    assert read_record(folder / "large").comparisons[0].metrics["lpips"].worst_frame == 0


def _read(table: Table, folder: Path) -> None:
    (folder / "honest.py").write_text(SCRIPT)
    (folder / "stars.py").write_text(STARS + SCRIPT)
    table.honest["read"] = peak_of("read", folder / "honest.py").megabytes
    hostile = peak_of("read", folder / "stars.py")
    assert "too much work" in hostile.printed
    table.hostile["read", "a list that grows threefold in each line"] = hostile.megabytes


def _report(table: Table, folder: Path) -> None:
    table.honest["report"] = peak_of("report", audit_folder(folder / "audit", 0)).megabytes
    many = audit_folder(folder / "many", MANY_RUNS)
    table.hostile["report", f"{MANY_RUNS:,} runs"] = peak_of("report", many).megabytes


def _audit(table: Table, folder: Path) -> None:
    hostile = [
        each for each in FAULTS if each.name in {"`/config` has no end", "`/config` unpacks to gigabytes (gzip)"}
    ]
    assert len(hostile) == 2
    (space_folder := folder / "space").mkdir()
    with space_that_fails(space_folder) as space:

        def peak(fault: Fault) -> Peak:
            show(fault, space)
            scenario = folder / "soak.toml"
            scenario.write_text(soak.SCENARIO.format(space=space.url, deadline=30.0))
            options = ("--out", folder / "audited", "--fresh", "--stop-without-reference")
            return peak_of("audit", scenario, *options, codes=frozenset({0, 3}))

        table.honest["audit"] = peak(soak.HONEST).megabytes
        for each in hostile:
            found = peak(each)
            assert each.code == read_record(folder / "audited").run("p", "reference").code, found.printed
            table.hostile["audit", each.name] = found.megabytes
