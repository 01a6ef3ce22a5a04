"""Measure the report: `python -m benchmarks.page` draws eight variants of 49 frames at 480x720 and opens their page.

Prints the size of the page, the time to write it, how its previews were shrunk, and the time from the navigation to the
first picture and to the last curve: medians over ten loads in headless Chromium, in turns with the same page without
the library that draws the curves. There are no limits. With `FOLDER FRAMES VARIANTS [WIDTH HEIGHT]` it only writes such
an audit.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from benchmarks.drawn_clips import HEIGHT, WIDTH, clips
from spacediff.clip import Clip
from spacediff.metrics.pixel import PSNR, prepare_psnr
from spacediff.metrics.ssim_map import prepare_tile, write_tiles
from spacediff.progress import SilentListener
from spacediff.record import (
    AuditRecord,
    ComparisonRecord,
    EnvironmentRecord,
    GateRecord,
    GateStatus,
    MapRecord,
    MetricRecord,
    PromptRecord,
    Role,
    RunRecord,
    Verdict,
    with_derived,
)
from spacediff.record.file import write_record
from spacediff.reporting.html import write_report
from spacediff.run import Prompt, Run
from spacediff.settings import Settings
from spacediff.sources import Produced
from spacediff.worker.files import write_run

_FRAMES, _VARIANTS, _LOADS = 49, 8, 10
_FIRST_PICTURE = """new Promise((resolve) => {
    const look = () => ("position" in document.querySelector("#player").dataset ? resolve(performance.now()) : setTimeout(look, 2));
    look();
})"""  # noqa: E501 - JavaScript
_CURVES = """new Promise((resolve) => {
    const drawn = (ground) => !ground.clientWidth || ground.querySelector(".mark-line path");
    const look = () => ([...document.querySelectorAll(".ground")].every(drawn) ? resolve(performance.now()) : setTimeout(look, 2));
    look();
})"""  # noqa: E501 - JavaScript
_LIBRARY = re.compile(r'<script type="application/json" id="report-charting">.*?</script>')


def main() -> None:
    """Write an audit where a folder is given; else write a page, open it, and print the figures."""
    if sys.argv[1:]:
        folder = Path(sys.argv[1])
        frames, variants, *size = map(int, sys.argv[2:])
        write_record(audit(folder, frames, variants, size or [WIDTH, HEIGHT]), folder)
    else:
        _measure()


def _measure() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = audit(folder, _FRAMES, _VARIANTS)
        began = time.perf_counter()
        page = write_report(record, folder)
        seconds = time.perf_counter() - began
        previews = sum(path.stat().st_size for path in folder.glob("runs/*/preview.mp4"))
        maps = sum(path.stat().st_size for path in folder.glob("*.png"))
        print(f"{_VARIANTS} variants of {_FRAMES} frames, {HEIGHT}x{WIDTH}")
        print(f"previews {previews / 1e6:.1f} MB, maps {maps / 1e6:.2f} MB, page {page.stat().st_size / 1e6:.2f} MB")
        print(f"written in {seconds:.1f} s; {_note(page)}")
        bare = folder / "bare.html"
        bare.write_text(_LIBRARY.sub("", page.read_text("utf-8")), "utf-8")
        print(f"library for the curves: {(page.stat().st_size - bare.stat().st_size) / 1e6:.2f} MB of the page")
        loads = list(_loads(page.as_uri(), bare.as_uri()))
        for n, event in enumerate(("first picture", "first picture without curves", "curves") if loads else ()):
            times = [load[n] for load in loads]
            print(f"{event} after {median(times):.0f} ms (median of {len(times)}, worst {max(times):.0f} ms)")


def _note(page: Path) -> str:
    text = page.read_text("utf-8")
    found = text.partition('class="label shrunk">')[2].partition("</p>")[0]
    return found or "previews not shrunk"


def _loads(url: str, bare: str) -> Iterator[tuple[float, float, float]]:
    """Yield milliseconds to the first picture, to that of the bare page, and to the last curve."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if path is None:
        print("no browser: the time to the first picture was not measured", file=sys.stderr)
        return
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(_LOADS):
            page = browser.new_page()
            first, curves = _times(page, url, _FIRST_PICTURE, _CURVES)
            (without,) = _times(page, bare, _FIRST_PICTURE)
            page.close()
            yield first, without, curves
        browser.close()


def _times(page: Any, url: str, *events: str) -> list[float]:
    page.goto("about:blank")
    page.goto(f"{url}#frame=0", wait_until="commit")
    page.wait_for_selector("#player")
    return [float(page.evaluate(event)) for event in events]


def audit(folder: Path, frames: int, variants: int, size: Sequence[int] = (WIDTH, HEIGHT)) -> AuditRecord:
    """Write the files of an audit of so many variants, as runs leave them, and return its record.

    Args:
        folder: The audit folder.
        frames: Frames of each clip.
        variants: How many clips there are besides the reference.
        size: Width and height of the frames, in pixels.
    """
    runs: list[RunRecord] = []
    comparisons: list[ComparisonRecord] = []
    reference: Clip | None = None
    for number, pictures in enumerate(clips(frames, variants)):
        scaled = [cv2.resize(picture, (size[0], size[1]), interpolation=cv2.INTER_AREA) for picture in pictures]
        clip = Clip(np.asarray(scaled, np.uint8), Fraction(8))
        name = f"variant-{number}" if number else "reference"
        runs.append(_run(name, clip, folder))
        if reference is None:
            reference = clip
        else:
            comparisons.append(_comparison(name, reference, clip, folder))
    record = AuditRecord(
        spacediff_version="benchmark",
        title=f"{variants} variants",
        question="",
        scenario="",
        scenario_name="benchmark",
        command="python -m benchmarks.page",
        created="",
        finished=True,
        seconds=0.0,
        prompts=[PromptRecord(name="landscape", text="A landscape", seed=0)],
        reference="reference",
        runs=runs,
        comparisons=comparisons,
        metrics=[PSNR.info],
        gate=GateRecord(status=GateStatus.NONE),
        environment=EnvironmentRecord(local={}, hosted={}),
    )
    return with_derived(record)


def _run(name: str, clip: Clip, folder: Path) -> RunRecord:
    place = folder / "runs" / name
    place.mkdir(parents=True)
    role = Role.REFERENCE if name == "reference" else Role.VARIANT
    run = Run(name, role, Prompt("landscape", "A landscape", 0), "video")
    return write_run(
        run, name, Produced(clip, Settings(), "drawn", 0.0, original=Path("drawn.mp4")), place, SilentListener()
    )


def _comparison(name: str, reference: Clip, clip: Clip, folder: Path) -> ComparisonRecord:
    values = [prepare_psnr(ours)(theirs) for ours, theirs in zip(reference.frames, clip.frames, strict=True)]
    tiles = [prepare_tile(ours)(theirs)[1] for ours, theirs in zip(reference.frames, clip.frames, strict=True)]
    rows, columns, across = write_tiles(tiles, folder / f"{name}.png")
    worst = int(np.argmin(values))
    return ComparisonRecord(
        prompt="landscape",
        reference="reference",
        candidate=name,
        frame_map=[(n, n) for n in range(len(clip.frames))],
        per_frame={"psnr": values},
        metrics={"psnr": MetricRecord(pooled=float(np.mean(values)), worst=values[worst], worst_frame=worst)},
        map=MapRecord(file=f"{name}.png", columns=columns, rows=rows, across=across),
        verdict=Verdict.DIFFERS,
    )


if __name__ == "__main__":
    main()
