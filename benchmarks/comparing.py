"""Compare two videos as `spacediff compare` does, page included: `benchmarks.comparing REFERENCE CANDIDATE`.

Prints the values of the metrics over all frames as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile

from spacediff import compare_videos


def main() -> None:
    """Compare the files named on the command line, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        record = compare_videos(*sys.argv[1:3], out=folder).record
    (comparison,) = record.comparisons
    print(json.dumps({name: metric.pooled for name, metric in comparison.metrics.items()}))


if __name__ == "__main__":
    main()
