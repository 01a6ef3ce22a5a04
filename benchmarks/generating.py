"""Generate clips with spacediff, including loading, observing and storing: `benchmarks.generating [--no-reuse] STEPS`.

With `--large FRAMES` before the steps, only the large clip with so many frames. Prints the digest of each clip's frames
as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.variants import LARGE, PROMPT, SEED, VARIANTS, large
from spacediff.executor import executor_for
from spacediff.progress import SilentListener
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.store.store import Store
from spacediff.tiny.checkpoint import RANDOM


def main() -> None:
    """Execute the runs as an audit does."""
    reuse, steps = "--no-reuse" not in sys.argv, int(sys.argv[-1])
    clips = {LARGE: large(int(sys.argv[-2]))} if "--large" in sys.argv else VARIANTS
    runs = [
        Run(name, Role.VARIANT, Prompt("p", PROMPT, SEED), "diffusers", _settings(tables, steps))
        for name, tables in clips.items()
    ]
    with tempfile.TemporaryDirectory() as folder, executor_for(runs, Path(folder), reuse=reuse) as executor:
        records = list(executor.execute(runs, Store(Path(folder)), SilentListener()))
    if not all(record.measured for record in records):
        raise SystemExit(next(record.reason for record in records if not record.measured))
    print(json.dumps({record.name: record.clip.digest for record in records if record.clip}))


def _settings(tables: dict[str, dict[str, object]], steps: int) -> Settings:
    base = {"model": {"id": RANDOM.id}, "call": {"num_inference_steps": steps}, "placement": "cpu"}
    changes = Settings.of(tables, Origin.DECLARED)
    return Settings.of(base, Origin.DECLARED).changed_by(changes)


if __name__ == "__main__":
    main()
