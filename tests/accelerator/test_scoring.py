"""What clips show is scored on the accelerator, and on the CPU from the moment when its memory is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.standin import StandIn

pytestmark = pytest.mark.slow

CODE = """
import sys

import numpy as np
import torch
from spacediff.metrics.contrastive import Contrastive

frames = np.random.default_rng(0).integers(0, 256, (40, 32, 48, 3), dtype=np.uint8)


def scored(cap):
    torch.npu.set_cap(cap)
    torch.npu.reset_peak_memory_stats()
    measure = Contrastive.opened(sys.argv[1])
    scores = measure.measure(iter(frames), ["a lemon", "a hand"]).scores
    measure.close()
    assert torch.npu.memory_allocated() == 0
    return scores, torch.npu.max_memory_allocated()


plenty, peak = scored(2**30)
full, none = scored(0)
later, most = scored(peak - 1)
assert peak > most > 0
assert none == 0
assert np.allclose(full, plenty, atol=1e-6)
assert np.allclose(later, plenty, atol=1e-6)
"""


def test_scores_are_the_same_when_the_device_is_full_from_the_start_or_later(
    standin: StandIn, clip_checkpoint: Path
) -> None:
    subprocess.run([sys.executable, "-P", "-c", CODE, str(clip_checkpoint)], env=standin.environment(), check=True)
