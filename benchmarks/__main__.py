"""Measures how fast clips are generated and scored, against what one would take instead: `python -m benchmarks`.

Every side is a whole process, imports included: from MP4 files to numbers, or from a checkpoint to clips. The sides
take turns; times are medians, and
a ratio is the median over the rounds. Nothing is asserted of time; values that differ are an error.
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
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import which
from statistics import median

from benchmarks.processes import Outcome, run
from benchmarks.variants import VARIANTS

_EACH_ALONE = """
import subprocess, sys
for name in sys.argv[2:]:
    command = [sys.executable, "-m", "benchmarks.plain_script", sys.argv[1], name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""
_TOLERANCE = 1e-5
_PIXEL, _ALL = "psnr,ssim", "mae,psnr,ssim,lpips"


@dataclass(frozen=True)
class Contest:
    """Two commands that do the same.

    Attributes:
        what: What they do.
        peer: The peer's name and version.
        ours: Our command.
        theirs: The peer's command.
        rounds: How often each is run.
        aim: What we want of the ratio of the peer's seconds to ours.
    """

    what: str
    peer: str
    ours: Sequence[str]
    theirs: Sequence[str]
    rounds: int
    aim: float


def main() -> int:
    """Run the benchmarks and print their table; 1 when values differ from the peers'."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few frames, one round: shows only that all works")
    quick = parser.parse_args().quick
    frames, variants = (5, 2) if quick else (49, 8)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        _say(f"drawing and encoding {variants + 1} clips of {frames} frames, 480x720")
        run(_part("drawn_clips", folder, str(frames), str(variants)))
        reference, *candidates = [
            str(Path(folder, name)) for name in ("reference.mp4", *(f"variant-{n + 1}.mp4" for n in range(variants)))
        ]
        contests = [*_contests(reference, candidates, quick=quick), *_generations(quick=quick)]
        rows = [_row(contest, _rounds(contest)) for contest in contests]
        _say("observing a generation")
        observing = [_observing(frames, rounds=1 if quick else 10) for frames in ((5,) if quick else (17, 49))]
        _say("comparing the values on the same decoded frames")
        differences = _differences(reference, candidates[0])
        other_clips = _other_clips("2" if quick else "50")
    _print_table([("whole process", "ours s", "peer s", "as fast", "aim", "ours MB", "peer MB", "peer"), *rows])
    print()
    for name, (difference, peer) in differences.items():
        print(f"{name:6} differs from {peer} by at most {difference:.1e} (limit {_TOLERANCE:.0e})")
    print(f"clips that differ from the plain script's: {', '.join(other_clips) or 'none'}")
    print("\n".join(["", *observing, _conditions(load, quick=quick)]))
    return int(bool(other_clips) or not all(difference <= _TOLERANCE for difference, _ in differences.values()))


def _contests(reference: str, candidates: list[str], *, quick: bool) -> list[Contest]:
    loop = f"loop of imageio {version('imageio')}, scikit-image {version('scikit-image')}"
    with_lpips = f"{loop}, lpips {version('lpips')}"
    pair = [reference, candidates[0]]

    def contest(what: str, metrics: str, files: list[str], *, peer: str, rounds: int, aim: float = math.nan) -> Contest:
        ours, theirs = _part("ours", metrics, *files), _part("plain_loop", metrics, *files)
        return Contest(what, peer, ours, theirs, 1 if quick else rounds, aim)

    every = [
        contest("PSNR + SSIM, a pair", _PIXEL, pair, peer=loop, rounds=5, aim=9),
        contest("all four metrics, a pair", _ALL, pair, peer=with_lpips, rounds=2),
        contest(
            f"all four, {len(candidates)} variants", _ALL, [reference, *candidates], peer=with_lpips, rounds=1, aim=3.5
        ),
    ]
    peer = _ffmpeg_quality_metrics(*pair)
    if isinstance(peer, str):
        _say(peer)
    else:
        name, command = peer
        every.insert(1, Contest("PSNR + SSIM, a pair", name, every[0].ours, command, 1 if quick else 5, 0.5))
    return every


def _generations(*, quick: bool) -> list[Contest]:
    """Return what an audit's generating is held against: load, observing and storing included, scoring apart."""
    steps, rounds = ("2", 1) if quick else ("50", 3)
    peer = f"plain script of diffusers {version('diffusers')}"
    once = _part("plain_script", steps)
    anew, reusing = _part("generating", "--no-reuse", steps), _part("generating", steps)
    each = [sys.executable, "-c", _EACH_ALONE, steps, *VARIANTS]
    return [
        Contest(f"{len(VARIANTS)} clips, no reuse", f"{peer}, one load", anew, once, rounds, 1 / 1.03),
        Contest(f"{len(VARIANTS)} clips", f"{peer}, one load", reusing, once, rounds, math.nan),
        Contest(f"{len(VARIANTS)} clips", f"{peer}, a process each", reusing, each, 1, math.nan),
    ]


def _other_clips(steps: str) -> list[str]:
    """Return the clips that are not those of the plain script, but for the one that rounds otherwise on purpose."""
    ours, theirs = (json.loads(run(_part(name, steps)).output) for name in ("generating", "plain_script"))
    asked = [name for name, tables in VARIANTS.items() if "rounding" not in tables.get("output", {})]
    return [name for name in asked if ours[name] != theirs[name]]


def _observing(frames: int, *, rounds: int) -> str:
    """Return a line on what observing a generation costs."""
    seconds = json.loads(run(_part("observing", str(frames), str(rounds))).output)
    plain, observed = seconds["plain"], seconds["observed"]
    return (
        f"observing a clip of {frames} frames, 50 steps of {1000 * plain / 50:.0f} ms: "
        f"{observed:.3f} s against {plain:.3f} s, {observed / plain - 1:+.1%} (aim: below 2 %)"
    )


def _ffmpeg_quality_metrics(reference: str, candidate: str) -> tuple[str, list[str]] | str:
    """Return its name and command, or why it is not measured."""
    try:
        name = f"ffmpeg-quality-metrics {version('ffmpeg-quality-metrics')}"
    except PackageNotFoundError:
        return "ffmpeg-quality-metrics: not measured; `pip install ffmpeg-quality-metrics` adds it"
    ffmpeg = _ffmpeg()
    if ffmpeg is None:
        return "ffmpeg-quality-metrics: not measured; it needs the ffmpeg program"
    said = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - found above
    module = [sys.executable, "-m", "ffmpeg_quality_metrics", candidate, reference]
    return f"{name}, FFmpeg {said.split()[2]} *", [*module, "-m", "psnr", "ssim", "--ffmpeg-path", ffmpeg]


def _ffmpeg() -> str | None:
    """Return the ffmpeg program of imageio-ffmpeg, or else the one on the path."""
    code = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    try:
        return run([sys.executable, "-c", code]).output.strip()
    except RuntimeError:
        return which("ffmpeg")


def _rounds(contest: Contest) -> list[tuple[Outcome, Outcome]]:
    rounds = []
    for number in range(contest.rounds):
        _say(f"{contest.what}, against {contest.peer.split(',')[0]}: round {number + 1} of {contest.rounds}")
        rounds.append((run(contest.ours), run(contest.theirs)))
    return rounds


def _row(contest: Contest, rounds: list[tuple[Outcome, Outcome]]) -> tuple[str, ...]:
    ratio = median(theirs.seconds / ours.seconds for ours, theirs in rounds)
    return (
        contest.what,
        f"{median(ours.seconds for ours, _ in rounds):.2f}",
        f"{median(theirs.seconds for _, theirs in rounds):.2f}",
        f"{ratio:.2f}x",
        "" if math.isnan(contest.aim) else f">= {contest.aim:g}x",
        f"{max(ours.megabytes for ours, _ in rounds):.0f}",
        f"{max(theirs.megabytes for _, theirs in rounds):.0f}",
        contest.peer,
    )


def _differences(reference: str, candidate: str) -> dict[str, tuple[float, str]]:
    """Return, for each metric that has a peer, the greatest difference of any frame's value, and the peer."""
    ours, theirs = (
        json.loads(run(command).output)[Path(candidate).name]
        for command in (
            _part("ours", _ALL, reference, candidate),
            _part("plain_loop", "--our-frames", _ALL, reference, candidate),
        )
    )
    peers = {"mae": "numpy", "psnr": "scikit-image", "ssim": "scikit-image", "lpips": "lpips"}
    return {
        name: (greatest_difference(ours[name], theirs[name]), f"{peer} {version(peer)}") for name, peer in peers.items()
    }


def greatest_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the greatest difference of any frame's value; NaN, which no limit allows, where one is no number."""
    found = [0.0 if a == b else abs(a - b) for a, b in zip(ours, theirs, strict=True)]  # infinities may be equal
    return max(found, key=lambda difference: math.inf if math.isnan(difference) else difference)


def _part(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]


def _say(text: str) -> None:
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
        "as fast: the peer's time in ours. * Its SSIM is another one: 8x8 blocks of the YUV planes, half the values",
        f"{processors} processors, load {load:.1f} at the start, Python {sys.version.split()[0]}, {libraries}",
    ]
    if load > processors / 4:
        lines.append("Other programs were running: these times say little")
    if quick:
        lines.append("A quick run: these times say nothing")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
