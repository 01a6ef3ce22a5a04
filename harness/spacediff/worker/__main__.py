"""`python -m spacediff.worker`: see `spacediff.worker.child`."""

from __future__ import annotations

import os
import sys

from spacediff.worker.child import serve


def main() -> None:
    """Serve on stdin and stdout; what the libraries print goes to stderr."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout = sys.stderr
    serve(requests, answers)


if __name__ == "__main__":
    main()
