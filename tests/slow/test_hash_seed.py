from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_checkpoint_made_of_code_does_not_depend_on_the_order_of_sets(tmp_path: Path) -> None:
    code = "from spacediff.tiny.checkpoint import *; print(fingerprint(ensure_checkpoint(RANDOM)))"
    made = {
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            env=os.environ | {"SPACEDIFF_CACHE": str(tmp_path / seed), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
    assert made != {""}
