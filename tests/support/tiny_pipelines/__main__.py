"""Build checkpoints into a folder, to try something by hand: `python -m support.tiny_pipelines FOLDER [NAME…]`."""

from __future__ import annotations

import sys
from pathlib import Path

from support.tiny_pipelines.folders import BUILDERS, build

folder, *names = sys.argv[1:]
for name in names or BUILDERS:
    build(name, Path(folder) / name)
