"""Backends of diffusers' attention dispatcher: the effect of a plain script's, refusals, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.errors import UnsupportedSetting
from spacediff.observer.attention_names import attention_for, backend_of, one_spelling
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.tiny.checkpoint import RANDOM
from support.listeners import RememberingListener
from support.tiny_wan import CALL, PROMPT, frames_of, load_wan


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    from diffusers.models.attention_dispatch import _AttentionBackendRegistry

    before = _AttentionBackendRegistry.get_active_backend()
    yield
    after = _AttentionBackendRegistry.get_active_backend()
    _AttentionBackendRegistry.set_active_backend(before[0])
    assert after == before


def generate(source: LocalSource, model: str | Path, attention: str | None = None) -> Produced:
    numerics = {} if attention is None else {"numerics": {"attention": attention}}
    call = CALL if isinstance(model, Path) else {"num_inference_steps": 2, "num_frames": 5}
    tables = {"model": {"id": str(model)}, "placement": "cpu", "call": call, **numerics}
    return source.generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, RememberingListener())


def by_script(folder: Path, backend: str) -> np.ndarray[Any, Any]:
    """Generate as a plain script does; what it leaves in the process is put back."""
    from diffusers.models.attention_dispatch import _AttentionBackendRegistry

    before, _ = _AttentionBackendRegistry.get_active_backend()
    pipeline = load_wan(folder)
    pipeline.transformer.set_attention_backend(backend)
    frames = frames_of(pipeline)
    _AttentionBackendRegistry.set_active_backend(before)
    return frames


def test_a_backend_acts_as_in_a_plain_script(source: LocalSource, wan_checkpoint: Path) -> None:
    default = generate(source, wan_checkpoint)
    assert np.array_equal(default.clip.frames, frames_of(load_wan(wan_checkpoint)))
    ours = generate(source, wan_checkpoint, "_native_math")
    assert np.array_equal(ours.clip.frames, by_script(wan_checkpoint, "_native_math"))
    assert ours.trace is not None
    assert default.trace is not None
    assert ours.trace.steps[0].digest != default.trace.steps[0].digest, "else this proves nothing"
    assert not ours.warnings
    again = generate(source, wan_checkpoint).trace
    assert again is not None
    assert again.steps == default.trace.steps


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        ("sage", "Please install `sageattention"),
        ("diffusers:flash", "Please install `flash-attn"),
        ("xformers", "Please install `xformers"),
        ("flash_hub", "the `kernels` package isn't available"),
        ("_native_maths", "has no attention backend '_native_maths'; did you mean '_native_math'?"),
        ("diffusers:newer", "has no attention backend 'newer'"),
        ("_native_cudnn", "cannot be used by transformer.blocks.0.attn1 (WanAttention): torch has no such kernel"),
        ("_native_npu", "Please install `torch_npu`"),
    ],
)
def test_a_backend_that_cannot_be_used_is_refused(
    source: LocalSource, wan_checkpoint: Path, attention: str, message: str
) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        generate(source, wan_checkpoint, attention)
    assert message in caught.value.message


def test_a_pipeline_that_does_not_ask_the_dispatcher_refuses_its_backends(source: LocalSource) -> None:
    with pytest.raises(UnsupportedSetting, match="no model of CogVideoXPipeline asks diffusers' attention dispatcher"):
        generate(source, RANDOM.id, "_native_math")
    generate(source, RANDOM.id, "math")


def test_flash_of_torch_and_of_the_dispatcher_are_distinguished() -> None:
    assert [backend_of(each) for each in ("flash", "math", "diffusers:flash", "_native_math")] == [
        None,
        None,
        "flash",
        "_native_math",
    ]
    assert [attention_for(each) for each in ("flash", "sage", "newer")] == [
        "diffusers:flash",
        "sage",
        "diffusers:newer",
    ]
    assert [one_spelling(each) for each in ("diffusers:sage", "diffusers:flash", "flash")] == [
        "sage",
        "diffusers:flash",
        "flash",
    ]
