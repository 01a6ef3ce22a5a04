"""Score videos with spacediff: `benchmarks.ours METRIC,... REFERENCE CANDIDATE...` prints the values as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spacediff.clip import read_frames
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import measure


def main() -> None:
    """Score the files named on the command line."""
    names, reference, candidates = sys.argv[1].split(","), Path(sys.argv[2]), [Path(path) for path in sys.argv[3:]]
    measured = measure(
        read_frames(reference),
        {path.name: read_frames(path) for path in candidates},
        tuple(metric for metric in METRICS if metric.name in names),
    )
    print(json.dumps({file: {name: v.tolist() for name, v in values.items()} for file, values in measured.items()}))


if __name__ == "__main__":
    main()
