"""One image model in the fast lane; the others are in test_matrix.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from support.listeners import RememberingListener
from support.pipeline_audits import SEED
from support.plain_script import generate
from support.tiny_pipelines import FAMILIES, checkpoint
from support.tiny_pipelines.families import PROMPT

FAMILY = FAMILIES["sd-3"]


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


def produced(source: LocalSource, **tables: Any) -> Produced:
    call = {**FAMILY.call, **tables.pop("call", {})}
    model = {"id": str(checkpoint(FAMILY.checkpoint)), "dtype": "float32"}
    settings = Settings.of({"model": model, "call": call, "placement": "cpu", **tables}, Origin.DECLARED, "test")
    return source.generate(settings, PROMPT, SEED, RememberingListener())


def of_diffusers(*, truncated: bool = False, **call: Any) -> Any:
    job = {
        "pipeline": FAMILY.pipeline,
        "checkpoint": str(checkpoint(FAMILY.checkpoint)),
        "prompt": PROMPT,
        "seed": SEED,
    }
    return generate({**job, "call": {**FAMILY.call, **call}, "truncated": truncated})


def test_its_pictures_are_those_of_a_plain_script(source: LocalSource) -> None:
    usual, guided, truncated = of_diffusers(), of_diffusers(guidance_scale=9.0), of_diffusers(truncated=True)
    assert not np.array_equal(usual, guided)
    assert np.array_equal(produced(source).clip.frames, usual)
    assert np.array_equal(produced(source, call={"guidance_scale": 9.0}).clip.frames, guided)
    resumed = produced(source, output={"rounding": "truncate"})
    assert resumed.trace
    assert resumed.trace.shared == ["text embeddings", "latents"]
    assert np.array_equal(resumed.clip.frames, truncated)
