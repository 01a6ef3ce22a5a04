"""Caches of the denoiser: the same bytes as a plain script's, and what does nothing is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.listeners import RememberingListener
from support.tiny_wan import CALL, PROMPT, frames_of, load_wan

BROADCAST = {
    "class": "PyramidAttentionBroadcastConfig",
    "spatial_attention_block_skip_range": 2,
    "spatial_attention_timestep_skip_range": [-1, 1001],
}
SMALL = {"num_inference_steps": 3, "num_frames": 5}


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


def generate(source: LocalSource, model: Path | str, call: dict[str, Any], **cache: Any) -> Produced:
    tables = {"model": {"id": str(model)}, "placement": "cpu", "call": call, **({"cache": cache} if cache else {})}
    return source.generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, RememberingListener())


def test_a_cache_acts_as_in_a_plain_script(source: LocalSource, wan_checkpoint: Path) -> None:
    from diffusers import FirstBlockCacheConfig

    by_script = load_wan(wan_checkpoint)
    by_script.transformer.enable_cache(FirstBlockCacheConfig(threshold=10.0))
    ours = generate(source, wan_checkpoint, CALL, **{"class": "FirstBlockCacheConfig", "threshold": 10.0})
    assert np.array_equal(ours.clip.frames, frames_of(by_script))
    default = generate(source, wan_checkpoint, CALL)
    assert not np.array_equal(ours.clip.frames, default.clip.frames)
    assert np.array_equal(default.clip.frames, frames_of(load_wan(wan_checkpoint))), "nothing leaks into the next run"


def test_a_cache_gets_the_current_timestep(source: LocalSource) -> None:
    import torch
    from diffusers import CogVideoXPipeline, PyramidAttentionBroadcastConfig

    pipe = CogVideoXPipeline.from_pretrained(ensure_checkpoint(RANDOM), dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    options = {**BROADCAST, "spatial_attention_timestep_skip_range": (-1, 1001)}
    del options["class"]
    config = PyramidAttentionBroadcastConfig(**options, current_timestep_callback=lambda: pipe.current_timestep)
    pipe.transformer.enable_cache(config)
    images = pipe(prompt=PROMPT, generator=torch.Generator().manual_seed(42), **SMALL).frames[0]
    ours = generate(source, RANDOM.id, SMALL, **BROADCAST)
    assert np.array_equal(ours.clip.frames, np.stack([np.asarray(image) for image in images]))
    assert not np.array_equal(ours.clip.frames, generate(source, RANDOM.id, SMALL).clip.frames)
    shown = ours.settings["cache.cross_attention_timestep_skip_range"]
    assert (shown.value, shown.origin) == ([100, 800], Origin.DEFAULT)


@pytest.mark.parametrize(
    ("cache", "message"),
    [
        (
            {"class": "FirstBlockCashConfig"},
            "has no cache 'FirstBlockCashConfig'; did you mean 'FirstBlockCacheConfig'?",
        ),
        ({"class": "LayerSkipConfig"}, "has no cache 'LayerSkipConfig'"),
        ({"threshold": 0.1}, "cache has options but no class"),
        ({"class": "FirstBlockCacheConfig", "treshold": 1}, "has no option 'treshold'; did you mean 'threshold'?"),
        ({**BROADCAST, "current_timestep_callback": "x"}, "has no option 'current_timestep_callback'"),
        ({"class": "MagCacheConfig"}, "cache.class = 'MagCacheConfig' cannot be used by CogVideoXTransformer3DModel: "),
        ({"class": "TextKVCacheConfig"}, "cache.class = 'TextKVCacheConfig' has no effect: it finds nothing to skip"),
        ({**BROADCAST, "spatial_attention_block_identifiers": ["nothing"]}, "has no effect: it finds nothing to skip"),
    ],
)
def test_a_cache_that_does_nothing_is_refused(source: LocalSource, cache: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        generate(source, RANDOM.id, SMALL, **cache)
    assert message in caught.value.message
