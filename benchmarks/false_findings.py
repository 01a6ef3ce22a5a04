"""Measure how often groups of clips differ: `python -m benchmarks.false_findings` compares samples of the tiny model.

Clips of two guidance scales are generated once, each with a seed of its own. A trial draws eight clips a side from them
and compares the groups as an audit does. Between groups of one scale every finding is false; between the scales it is
true. Trials share the clips but not how they are divided, and it is by the division that a permutation test is right or
wrong; so the trials of one scale are independent.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from spacediff.comparing.samples.group import Sample
from spacediff.comparing.samples.tests import corrected, tested
from spacediff.metrics.clip_features import GROUP_MEASURES, features_of
from spacediff.record import SamplesRecord

_PROMPT = "a blue cone and a green box meet over a brown floor"
_INFOS = [measure.info for measure in GROUP_MEASURES]
_BATCH = 8
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)


def main() -> int:
    """Generate the clips, compare groups of them, and print how many trials had a finding, with 95 % intervals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.false_findings", description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="trials of each kind (default: 200)")
    parser.add_argument("--clips", type=int, default=64, help="clips of each guidance scale (default: 64)")
    parser.add_argument("--samples", type=int, default=8, help="clips a side (default: 8)")
    parser.add_argument("--steps", type=int, default=10, help="denoising steps of a clip (default: 10)")
    options = parser.parse_args()
    generate = _generator(options.steps)
    one = [*generate(3.0, range(options.clips))]
    other = [*generate(7.0, range(options.clips, 2 * options.clips))]
    rng = np.random.default_rng(0)

    def same() -> bool:
        drawn = rng.choice(options.clips, 2 * options.samples, replace=False)
        return _differ([one[n] for n in drawn[: options.samples]], [one[n] for n in drawn[options.samples :]])

    def different() -> bool:
        drawn = [rng.choice(options.clips, options.samples, replace=False) for _ in range(2)]
        return _differ([one[n] for n in drawn[0]], [other[n] for n in drawn[1]])

    _report("guidance 3, other seeds", same, options.trials)
    _report("guidance 3 and 7", different, options.trials)
    return 0


def _report(what: str, trial: Callable[[], bool], trials: int) -> None:
    from scipy.stats import binomtest

    found = sum(trial() for _ in range(trials))
    low, high = binomtest(found, trials).proportion_ci(method="exact")
    sys.stdout.write(f"{what}: a finding in {found} of {trials} trials ({low:.1%} to {high:.1%})\n")
    sys.stdout.flush()


def _differ(reference: list[Sample], candidate: list[Sample]) -> bool:
    """Compare two groups as an audit does, and return whether anything was found."""
    names = {"reference_runs": ["-"] * len(reference), "candidate_runs": ["-"] * len(candidate)}
    record = SamplesRecord(prompt="p", reference="reference", candidate="candidate", **names)
    (found,) = corrected([tested(record, reference, candidate, _INFOS)], None)
    return bool(found.findings)


def _generator(steps: int) -> Callable[[float, range], Iterator[Sample]]:
    """Load the tiny CogVideoX in float32; the result measures a clip for each seed, a few generated at once."""
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    import torch
    from diffusers import CogVideoXPipeline

    from spacediff.tiny.checkpoint import BUILTIN, ensure_checkpoint

    folder = ensure_checkpoint(BUILTIN["builtin:tiny-cogvideox"])
    pipe: Any = CogVideoXPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)

    def generate(guidance: float, seeds: range) -> Iterator[Sample]:
        for start in range(seeds.start, seeds.stop, _BATCH):
            generators = [torch.Generator().manual_seed(seed) for seed in range(start, min(start + _BATCH, seeds.stop))]
            clips = pipe(
                prompt=[_PROMPT] * len(generators),
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=generators,
                output_type="np",
            ).frames
            for clip in clips:
                frames = (np.asarray(clip) * 255).round().astype(np.uint8)
                yield Sample(features_of(frames), {}, _NO_PICTURE)

    return generate


if __name__ == "__main__":
    sys.exit(main())
