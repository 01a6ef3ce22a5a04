"""Adapters of Stable Diffusion 1.5 and Wan 2.2, compared with plain scripts of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spacediff.clip import Clip
from spacediff.errors import InputUnusable, UnsupportedSetting
from spacediff.inputs.files import identified
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from support.adapter_files import PROMPT, USUAL_NAME, write_lora
from support.listeners import RememberingListener
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:Already found:UserWarning")
SMALL = {"num_inference_steps": 2, "height": 32, "width": 32}
CALLS: dict[str, dict[str, Any]] = {
    "sd-1.5": SMALL,
    "sd-1.5-vision": SMALL,
    "wan-2.2": {**SMALL, "num_inference_steps": 4, "num_frames": 5},
}
SOURCE = LocalSource()


def ours(name: str, picture: Path | None = None, **tables: Any) -> Produced:
    usual = {"model": {"id": str(checkpoint(name))}, "call": CALLS[name], "placement": "cpu"}
    inputs = [identified("ip_adapter_image", picture)] if picture else []
    settings = Settings.of({**usual, **tables}, Origin.DECLARED)
    return SOURCE.generate(settings, PROMPT, 42, RememberingListener(), inputs=inputs)


def theirs(name: str, prepare: Callable[[Any], object] = lambda _: None, **call: Any) -> str:
    """Generate with a plain script; return the digest of the clip."""
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(checkpoint(name))
    pipe.set_progress_bar_config(disable=True)
    prepare(pipe)
    generator = torch.Generator().manual_seed(42)
    output = pipe(prompt=PROMPT, generator=generator, output_type="np", **CALLS[name], **call)
    frames = output.frames[0] if hasattr(output, "frames") else output.images
    return Clip.from_floats(np.asarray(frames), 8).digest  # type: ignore[arg-type]


def test_a_scale_by_block_acts_as_in_a_script() -> None:
    scale = {"unet": {"down": 0.3, "up": 0.9}}

    def script(pipe: Any) -> None:
        pipe.load_lora_weights(checkpoint("sd-1.5-lora"), adapter_name="style")
        pipe.set_adapters(["style"], [scale])

    run = ours("sd-1.5", lora={"a": {"id": str(checkpoint("sd-1.5-lora")), "scale": scale}})
    assert run.clip.digest == theirs("sd-1.5", script)
    assert {0.3, 0.9} <= set(run.settings.value("lora.a.active.unet"))
    assert not run.ignored


def test_a_textual_inversion_acts_as_in_a_script_and_the_next_run_has_none() -> None:
    token = PROMPT.split()[1]
    place = checkpoint("sd-1.5-embedding")
    before = ours("sd-1.5").clip.digest
    run = ours("sd-1.5", textual_inversion={"cat": {"id": str(place), "token": token}})
    assert run.clip.digest == theirs("sd-1.5", lambda pipe: pipe.load_textual_inversion(place, token=token))
    assert run.clip.digest != before
    assert run.settings.value("textual_inversion.cat.vectors") == 1
    assert ours("sd-1.5", rng={"seed": 42}).clip.digest == before


@pytest.mark.slow
def test_an_ip_adapter_reads_its_picture_as_in_a_script(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture)
    place = checkpoint("sd-1.5-ip-adapter")

    def script(pipe: Any) -> None:
        pipe.load_ip_adapter(place, subfolder="", weight_name="ip-adapter.safetensors")
        pipe.set_ip_adapter_scale(0.6)

    table = {"id": str(place), "scale": 0.6}
    run = ours("sd-1.5-vision", picture, ip_adapter=table)
    assert run.clip.digest == theirs("sd-1.5-vision", script, ip_adapter_image=Image.fromarray(pixels))
    assert run.clip.digest != ours("sd-1.5-vision", picture, ip_adapter={**table, "scale": 0.2}).clip.digest
    assert ours("sd-1.5-vision").clip.digest == theirs("sd-1.5-vision")
    with pytest.raises(InputUnusable, match="needs the input 'ip_adapter_image'"):
        ours("sd-1.5-vision", ip_adapter=table)
    with pytest.raises(UnsupportedSetting, match=r"refuses ip_adapter\.scale"):
        ours("sd-1.5-vision", picture, ip_adapter={**table, "scale": {"sideways": 1.0}})


@pytest.mark.slow
def test_loras_of_both_transformers_of_wan_are_fused_as_in_a_script(tmp_path: Path) -> None:
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel.from_pretrained(checkpoint("wan-2.2"), subfolder="transformer")
    high, low = (write_lora(model, "transformer", tmp_path / f"{n}" / USUAL_NAME, n).parent for n in range(2))

    def script(pipe: Any) -> None:
        pipe.load_lora_weights(high, adapter_name="high")
        pipe.load_lora_weights(low, adapter_name="low", load_into_transformer_2=True)
        pipe.set_adapters(["high", "low"], [1.0, 1.0])
        pipe.fuse_lora(adapter_names=["high"], lora_scale=3.0, components=["transformer"])
        pipe.fuse_lora(adapter_names=["low"], lora_scale=1.0, components=["transformer_2"])
        pipe.unload_lora_weights()

    before = ours("wan-2.2").clip.digest
    fused = {"fused": True, "unloaded": True}
    loras = {
        "high": {"id": str(high), "lora_scale": 3.0, **fused},
        "low": {"id": str(low), "component": "transformer_2", **fused},
    }
    run = ours("wan-2.2", lora=loras)
    assert run.clip.digest == theirs("wan-2.2", script)
    assert run.settings.value("lora.high.active") is None
    assert run.settings.table("lora")["high"]["active"] == {"transformer": 3.0}
    assert run.settings.table("lora")["low"]["active"] == {"transformer_2": 1.0}
    only_high = ours("wan-2.2", lora={"high": loras["high"]})
    assert len({run.clip.digest, before, only_high.clip.digest}) == 3
    assert ours("wan-2.2", rng={"seed": 42}).clip.digest == before
