"""What share of a run its files take, at 480x720 and 49 frames with the tiny model: `benchmarks.writing_share STEPS`.

Prints seconds of processor time and of the clock: of a whole run with its loading, and of its files, written once more.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.variants import PROMPT, SEED, large
from spacediff.clip import read_clip
from spacediff.progress import SilentListener
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.tiny.checkpoint import TRAINED
from spacediff.worker.files import write_run
from spacediff.worker.local import LocalWorker

_FRAMES = 49


def main() -> None:
    """Generate a clip as an audit does, and write its files again."""
    tables = large(_FRAMES)
    base = {"model": {"id": TRAINED.id}, "placement": "cpu", **tables}
    base["call"] = {**tables["call"], "num_inference_steps": int(sys.argv[1])}
    settings = Settings.of(base, Origin.DECLARED)
    run = Run("baseline", Role.BASELINE, Prompt("p", PROMPT, SEED), "diffusers", settings)
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name, "first"), Path(name, "second")
        first.mkdir()
        second.mkdir()
        worker = LocalWorker(ends=Path(name, "ends"))
        whole = _seconds(lambda: worker.produce(run, "key", first, SilentListener()))
        worker.close()
        produced = Produced(read_clip(first / "clip.mkv"), settings, "as generated", 0.0)
        files = _seconds(lambda: write_run(run, "key", produced, second, SilentListener()))
    print(json.dumps({"run": whole, "files": files}))


def _seconds(act: Callable[[], object]) -> dict[str, float]:
    before, began = _used(), time.monotonic()
    act()
    return {"processor": round(_used() - before, 2), "clock": round(time.monotonic() - began, 2)}


def _used() -> float:
    """Return the processor time of this process and of those that it has started and seen end."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
