"""Measure how fast clips are generated and scored, compared with other programs: `python -m benchmarks`.

Each side is a whole process including imports: from MP4 files to numbers, or from a checkpoint to clips. The sides run
in turns; times are medians, and a ratio is the median over the rounds. There are no limits for times; values that
differ are an error.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from statistics import median

from benchmarks import search_cost
from benchmarks.processes import Outcome, run
from benchmarks.variants import VARIANTS

_EACH_ALONE = """
import subprocess, sys
for name in sys.argv[2:]:
    command = [sys.executable, "-m", "benchmarks.plain_script", sys.argv[1], name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""
_TOLERANCE = 1e-5
_FRAMES, _SMALL_FRAMES = 49, 17
_SMALL_SIZE = 96, 64
_PIXEL, _ALL = "psnr,ssim", "mae,psnr,ssim,lpips"


@dataclass(frozen=True)
class Benchmark:
    """Two commands that do the same.

    Attributes:
        what: What they do.
        peer: Name and version of the other program.
        ours: Our command.
        theirs: The command of the other program.
        rounds: How often each is run.
        aim: Target for the ratio of the other program's seconds to ours.
    """

    what: str
    peer: str
    ours: Sequence[str]
    theirs: Sequence[str]
    rounds: int
    aim: float


def main() -> int:
    """Run the benchmarks and print their table; return 1 if values differ from those of the other programs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few frames, one round: only a check that all work")
    quick = parser.parse_args().quick
    frames, variants = (5, 2) if quick else (_FRAMES, 8)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        _print_status(f"drawing and encoding {variants + 1} clips of {frames} frames, 480x720")
        run(_script("drawn_clips", folder, str(frames), str(variants)))
        reference, *candidates = [
            str(Path(folder, name)) for name in ("reference.mp4", *(f"variant-{n + 1}.mp4" for n in range(variants)))
        ]
        reports = _reports(Path(folder), frames, 2 if quick else 6)
        benchmarks = [*_scoring(reference, candidates, quick=quick), *_generations(quick=quick), *reports]
        rows = [_row(benchmark, _rounds(benchmark)) for benchmark in benchmarks]
        _print_status("observing a generation")
        importing = _importing(rounds=3 if quick else 15)
        observing = [_observing(frames, rounds=1 if quick else 10) for frames in ((5,) if quick else (17, 49))]
        observing.append(_observing_a_step("2" if quick else "50"))
        _print_status("comparing the values on the same decoded frames")
        differences = _differences(reference, candidates[0])
        different_clips = _different_clips("2" if quick else "50")
    _print_table([("whole process", "ours s", "peer s", "speedup", "aim", "ours MB", "peer MB", "peer"), *rows])
    print()
    for name, (difference, peer) in differences.items():
        print(f"{name:6} differs from {peer} by at most {difference:.1e} (limit {_TOLERANCE:.0e})")
    print(f"clips that differ from the plain script's: {', '.join(different_clips) or 'none'}")
    print("\n".join(["", importing, *observing, "", *search_cost.lines(), "", _conditions(load, quick=quick)]))
    return int(bool(different_clips) or not all(difference <= _TOLERANCE for difference, _ in differences.values()))


def _scoring(reference: str, candidates: list[str], *, quick: bool) -> list[Benchmark]:
    loop = f"loop of imageio {version('imageio')}, scikit-image {version('scikit-image')}"
    with_lpips = f"{loop}, lpips {version('lpips')}"
    pair = [reference, candidates[0]]

    def benchmark(
        what: str, metrics: str, files: list[str], *, peer: str, rounds: int, aim: float = math.nan
    ) -> Benchmark:
        ours, theirs = _script("ours", metrics, *files), _script("plain_loop", metrics, *files)
        return Benchmark(what, peer, ours, theirs, 1 if quick else rounds, aim)

    every = [
        benchmark("PSNR + SSIM, a pair", _PIXEL, pair, peer=loop, rounds=5, aim=9),
        benchmark("all four metrics, a pair", _ALL, pair, peer=with_lpips, rounds=2),
        benchmark(
            f"all four, {len(candidates)} variants", _ALL, [reference, *candidates], peer=with_lpips, rounds=1, aim=3.5
        ),
    ]
    every.append(replace(every[1], what="compare, page included", ours=_script("comparing", *pair)))
    peer = _ffmpeg_quality_metrics(*pair)
    if isinstance(peer, str):
        _print_status(peer)
    else:
        name, command = peer
        every.insert(1, Benchmark("PSNR + SSIM, a pair", name, every[0].ours, command, 1 if quick else 5, 1 / 1.5))
    return every


def _generations(*, quick: bool) -> list[Benchmark]:
    """List the benchmarks of generating: with loading, observing and storing, without scoring."""
    steps, rounds = ("2", 1) if quick else ("50", 3)
    peer = f"plain script of diffusers {version('diffusers')}"
    once = _script("plain_script", steps)
    without_reuse, reusing = _script("generating", "--no-reuse", steps), _script("generating", steps)
    each = [sys.executable, "-c", _EACH_ALONE, steps, *VARIANTS]
    frames = "5" if quick else str(_FRAMES)
    large, alone = _script("generating", "--large", frames, "1"), _script("plain_script", "1", "--large", frames)
    return [
        Benchmark(f"{len(VARIANTS)} clips, no reuse", f"{peer}, one load", without_reuse, once, rounds, 1 / 1.03),
        Benchmark(f"{len(VARIANTS)} clips", f"{peer}, one load", reusing, once, rounds, math.nan),
        Benchmark(f"{len(VARIANTS)} clips", f"{peer}, a process each", reusing, each, 1, math.nan),
        Benchmark(f"a clip of {frames} frames, 480x720, 1 step", peer, large, alone, 1, math.nan),
    ]


def _reports(folder: Path, frames: int, variants: int) -> list[Benchmark]:
    """List the benchmarks of drawing a report, a page with all clips and curves, against a page with one curve.

    The second one has as many clips as the quickstart, of the same size.
    """
    peer = f"Altair {version('altair')}, one chart as a page by itself"
    chart = _script("inline_chart", str(folder / "chart.html"))
    benchmarks = []
    for number, (clip, count, small) in enumerate(((frames, variants, ()), (_SMALL_FRAMES, 12, _SMALL_SIZE))):
        audit = folder / f"audit-{number}"
        audit.mkdir()
        run(_script("page", str(audit), str(clip), str(count), *map(str, small)))
        command = [sys.executable, "-m", "spacediff", "report", str(audit)]
        size = f"{small[1]}x{small[0]}" if small else "480x720"
        what = f"report of {count + 1} clips, {size}"
        benchmarks.append(Benchmark(what, peer, command, chart, 1 if frames < _FRAMES else 5, 1))
    return benchmarks


def _different_clips(steps: str) -> list[str]:
    """List the clips that differ from those of the plain script, except the one that rounds differently on purpose."""
    ours, theirs = (json.loads(run(_script(name, steps)).output) for name in ("generating", "plain_script"))
    compared = [name for name, tables in VARIANTS.items() if "rounding" not in tables.get("output", {})]
    return [name for name in compared if ours[name] != theirs[name]]


def _observing(frames: int, *, rounds: int) -> str:
    """Measure the cost of observing a generation; return it as a line."""
    seconds = json.loads(run(_script("observing", str(frames), str(rounds))).output)
    plain, observed = seconds["plain"], seconds["observed"]
    return (
        f"observing a clip of {frames} frames, 50 steps of {1000 * plain / 50:.0f} ms: "
        f"{observed:.3f} s, without observing {plain:.3f} s, {observed / plain - 1:+.1%} (aim: below 2 %)"
    )


def _observing_a_step(steps: str) -> str:
    """Measure what observing and recording add to a step with the latents of CogVideoX-5b; return it as a line."""
    seconds = json.loads(run(_script("observing_step", steps)).output)
    observed, recorded = (1000 * (seconds[side] - seconds["plain"]) for side in ("observed", "recorded"))
    return (
        f"a step with latents of 13x16x60x90: {observed:.1f} ms more where an audit observes it, "
        f"{recorded:.1f} ms more under `spacediff record` (aim: below 20, 2 % of a second)"
    )


def _importing(*, rounds: int) -> str:
    """Measure what `import spacediff` adds to a command or a test; return it as a line."""
    commands = [[sys.executable, "-c", f"import {name}"] for name in ("spacediff", "json")]
    seconds = [[run(command).seconds for command in commands] for _ in range(rounds)]
    ours, theirs = (median(column) for column in zip(*seconds, strict=True))
    ratio = median(one / other for one, other in seconds)
    return (
        f"import spacediff, whole process: {ours:.3f} s, import json {theirs:.3f} s, {ratio:.1f} times "
        "(aim: less than 0.1 s more)"
    )


def _ffmpeg_quality_metrics(reference: str, candidate: str) -> tuple[str, list[str]] | str:
    """Return the name and the command of ffmpeg-quality-metrics, or why it is not measured."""
    try:
        name = f"ffmpeg-quality-metrics {version('ffmpeg-quality-metrics')}"
    except PackageNotFoundError:
        return "ffmpeg-quality-metrics: not measured; `pip install ffmpeg-quality-metrics` adds it"
    ffmpeg = _ffmpeg()
    if ffmpeg is None:
        return "ffmpeg-quality-metrics: not measured; it needs the ffmpeg program"
    about = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - found above
    module = [sys.executable, "-m", "ffmpeg_quality_metrics", candidate, reference]
    return f"{name}, FFmpeg {about.split()[2]} *", [*module, "-m", "psnr", "ssim", "--ffmpeg-path", ffmpeg]


def _ffmpeg() -> str | None:
    """Return the ffmpeg program of imageio-ffmpeg, or the one on the path."""
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    try:
        return run([sys.executable, "-c", code]).output.strip()
    except RuntimeError:
        return which("ffmpeg")


def _rounds(benchmark: Benchmark) -> list[tuple[Outcome, Outcome]]:
    rounds = []
    for number in range(benchmark.rounds):
        peer = benchmark.peer.split(",")[0]
        _print_status(f"{benchmark.what}, compared with {peer}: round {number + 1} of {benchmark.rounds}")
        rounds.append((run(benchmark.ours), run(benchmark.theirs)))
    return rounds


def _row(benchmark: Benchmark, rounds: list[tuple[Outcome, Outcome]]) -> tuple[str, ...]:
    ratio = median(theirs.seconds / ours.seconds for ours, theirs in rounds)
    return (
        benchmark.what,
        f"{median(ours.seconds for ours, _ in rounds):.2f}",
        f"{median(theirs.seconds for _, theirs in rounds):.2f}",
        f"{ratio:.2f}x",
        "" if math.isnan(benchmark.aim) else f">= {benchmark.aim:g}x",
        f"{max(ours.megabytes for ours, _ in rounds):.0f}",
        f"{max(theirs.megabytes for _, theirs in rounds):.0f}",
        benchmark.peer,
    )


def _differences(reference: str, candidate: str) -> dict[str, tuple[float, str]]:
    """Return for each metric the largest difference of any frame's value, and the program it is compared with."""
    ours, theirs = (
        json.loads(run(command).output)[Path(candidate).name]
        for command in (
            _script("ours", _ALL, reference, candidate),
            _script("plain_loop", "--our-frames", _ALL, reference, candidate),
        )
    )
    peers = {"mae": "numpy", "psnr": "scikit-image", "ssim": "scikit-image", "lpips": "lpips"}
    return {
        name: (largest_difference(ours[name], theirs[name]), f"{peer} {version(peer)}") for name, peer in peers.items()
    }


def largest_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the largest difference of any frame's value; NaN, which is never below a limit, if a value is NaN."""
    found = [0.0 if a == b else abs(a - b) for a, b in zip(ours, theirs, strict=True)]  # infinities may be equal
    return max(found, key=lambda difference: math.inf if math.isnan(difference) else difference)


def _script(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]


def _print_status(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = range(1, len(widths) - 1)
    for row in rows:
        cells = [
            text.rjust(width) if column in numbers else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _conditions(load: float, *, quick: bool) -> str:
    processors = os.cpu_count() or 1
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "opencv-python-headless", "av", "torch"))
    lines = [
        "speedup: the peer's time / ours. * Its SSIM is a different one: 8x8 blocks of the YUV planes, half the values",
        f"{processors} processors, load {load:.1f} at the start, Python {sys.version.split()[0]}, {libraries}",
    ]
    if load > processors / 4:
        lines.append("Other programs were running: these times are unreliable")
    if quick:
        lines.append("A quick run: these times are meaningless")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
