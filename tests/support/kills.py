"""Audits that are killed again and again, and then give the record of one that was not disturbed.

`python -m support.kills --kills 200`, run in tests/, kills `spacediff audit` by five signals, at chosen moments and at
random ones, up to four times in each audit folder; the next audit in the folder continues. The last one is left in
peace, and its record is compared with that of an undisturbed audit, but for where and how long runs were made
(`spacediff.distributed.executor.WHERE_AND_HOW_LONG`). It prints a table, and fails if a record differs, or a process
or a draft folder is left.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from spacediff.distributed.executor import WHERE_AND_HOW_LONG
from spacediff.record import read_record
from support.fresh_process import FreshProcess

SCENARIO = """
title = "Killed"
[prompts.p]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 3, num_frames = 5, guidance_scale = 6.0 }
placement = "cpu"
[variants.guided]
call.guidance_scale = 2.0
[reference]
variant = "guided"
[scale]
seeds = 1
"""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_MOST_IN_A_FOLDER = 4
_ENDS_WITHIN = 60.0
"""Seconds in which a process has to be gone after its signal, on a busy machine too."""

Moment = Callable[[Path, float], bool]
"""Whether the moment has come: from the audit folder, and the seconds since the audit began."""

MOMENTS: dict[str, Moment | None] = {
    "a run is being written": lambda out, _: any(out.glob("runs/.*/clip.mkv")),
    "a run was finished": lambda out, _: any(out.glob("runs/[!.]*/files.json")),
    "the clips are compared": lambda out, _: any(out.glob("comparisons/*/*")),
    "the record was written": lambda out, _: (out / "audit.json").exists(),
    "at random": None,
}


@dataclass(frozen=True)
class Kill:
    """A kill.

    Attributes:
        sign: The signal.
        moment: When it was sent.
        seconds: How long the process lived on.
        left: Whether a child of the process outlived it by `_ENDS_WITHIN`.
    """

    sign: signal.Signals
    moment: str
    seconds: float
    left: bool


@dataclass(frozen=True)
class Disturbed:
    """What came of an audit that was killed.

    Attributes:
        kills: How it was killed.
        equal: Whether its record is that of the undisturbed one.
        drafts: Draft folders that are left.
    """

    kills: tuple[Kill, ...]
    equal: bool
    drafts: int


def undisturbed(folder: Path) -> tuple[dict[str, Any], float]:
    """Audit in peace; return what is compared of the record, and the seconds that it took."""
    began = time.monotonic()
    return _finished(_audit(folder), folder), time.monotonic() - began


def disturbed(folder: Path, expected: dict[str, Any], seconds: float, chosen: random.Random) -> Disturbed:
    """Kill an audit some times, let it finish, and compare its record.

    Args:
        folder: For its scenario and its audit folder.
        expected: What is compared of an undisturbed record.
        seconds: What an undisturbed audit takes.
        chosen: Chooses signals and moments.
    """
    kills: list[Kill] = []
    for _ in range(chosen.randint(1, _MOST_IN_A_FOLDER)):
        moment = chosen.choice([*MOMENTS])
        killed = _killed(folder, chosen.choice(SIGNALS), moment, chosen.uniform(0, seconds))
        if killed is None:  # it was finished first
            break
        kills.append(killed)
    found = _finished(_audit(folder), folder)
    return Disturbed(tuple(kills), found == expected, len(list((folder / "out" / "runs").glob(".*"))))


def _audit(folder: Path) -> FreshProcess:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "killed.toml").write_text(SCENARIO)
    return FreshProcess("audit", "killed.toml", "--out", "out", cwd=folder)


def _finished(process: FreshProcess, folder: Path) -> dict[str, Any]:
    done = process.ended()
    if done.returncode:
        raise SystemExit(f"the audit ended with exit code {done.returncode}: {done.stdout}{done.stderr}")
    return read_record(folder / "out").model_dump(exclude=WHERE_AND_HOW_LONG)


def _killed(folder: Path, sign: signal.Signals, moment: str, at: float) -> Kill | None:
    """Start an audit and kill it; return None if it ended before the moment came."""
    come = MOMENTS[moment]
    before = _seen(folder, moment)
    process, began = _audit(folder), time.monotonic()
    while True:
        now = time.monotonic() - began
        if now >= at if come is None or before else come(folder / "out", now):
            break  # what has come in an audit before comes at a random moment of this one
        if process.returncode is not None:
            process.ended()
            return None
        time.sleep(0.005)
    children = _children(process.pid)
    sent = time.monotonic()
    try:
        process.send_signal(sign)
    except ProcessLookupError:
        process.ended()
        return None
    process.ended(_ENDS_WITHIN)
    took = time.monotonic() - sent
    _, alive = psutil.wait_procs(children, _ENDS_WITHIN)
    return Kill(sign, moment, took, bool(alive))


def _seen(folder: Path, moment: str) -> bool:
    come = MOMENTS[moment]
    return come is not None and come(folder / "out", 0.0)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def table(found: list[Disturbed]) -> str:
    """Write how many kills there were of each kind, the longest life after one, and what came of the records."""
    kills = [kill for each in found for kill in each.kills]
    count = Counter((kill.moment, kill.sign.name) for kill in kills)
    names = [sign.name for sign in SIGNALS]
    lines = [f"| moment | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    lines += [f"| {moment} | {' | '.join(str(count[moment, name]) for name in names)} |" for moment in MOMENTS]
    longest = max((kill.seconds for kill in kills), default=0.0)
    equal, left = sum(each.equal for each in found), sum(kill.left for kill in kills)
    said = (
        f"{len(kills)} kills of {len(found)} audits: {equal} records equal the undisturbed one, {left} processes and "
    )
    said += f"{sum(each.drafts for each in found)} draft folders left; a process lived on for {longest:.1f} s at most"
    return "\n".join([said, "", *lines])


def failed(found: list[Disturbed]) -> bool:
    """Whether a record differs, or something is left."""
    return any(not each.equal or each.drafts or any(kill.left for kill in each.kills) for each in found)


def kills(count: int, folder: Path, seed: int = 0, most_seconds: float = float("inf")) -> list[Disturbed]:
    """Disturb audits until there were so many kills, or so many seconds have passed."""
    chosen, began = random.Random(seed), time.monotonic()  # noqa: S311 - a choice of kills
    found: list[Disturbed] = []
    expected, seconds = undisturbed(folder / "undisturbed")
    while sum(len(each.kills) for each in found) < count and time.monotonic() - began < most_seconds:
        found.append(disturbed(folder / str(len(found)), expected, seconds, chosen))
    return found


def main() -> int:
    """Kill, and print the table; return 1 if a record differs or something is left."""
    parser = argparse.ArgumentParser(prog="python -m support.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="disturb no further audit after so many")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of signals and moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        found = kills(options.kills, Path(folder), options.seed, 60 * options.minutes)
    sys.stdout.write(table(found) + "\n")
    return 1 if failed(found) else 0


if __name__ == "__main__":
    sys.exit(main())
