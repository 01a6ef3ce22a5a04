"""Known reasons why the same prompt and seed give another clip, as data by topic; `lookup` searches it."""

from __future__ import annotations

from spacediff.catalogue.entries.cause import SIZES, Cause
from spacediff.catalogue.entries.noise import NOISE
from spacediff.catalogue.entries.numerics import NUMERICS
from spacediff.catalogue.entries.outputs import OUTPUTS
from spacediff.catalogue.entries.prompts import PROMPTS
from spacediff.catalogue.entries.sampling import SAMPLING
from spacediff.catalogue.entries.weights import WEIGHTS

__all__ = ["CATALOGUE", "SIZES", "Cause"]

CATALOGUE: tuple[Cause, ...] = (*NOISE, *SAMPLING, *PROMPTS, *WEIGHTS, *NUMERICS, *OUTPUTS)
