"""Components from single files, GGUF among them, compared with plain scripts of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.clip import Clip
from spacediff.errors import NotMeasuredError, UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.tiny.checkpoint import RANDOM
from support.listeners import RememberingListener
from support.tiny_pipelines import FAMILIES, checkpoint

PROMPT = "a red cone"
WAN = "wan-2.1"
OLDER_NAMES = pytest.mark.filterwarnings("ignore:::")


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the weights of Wan's transformer as safetensors and as GGUF, in 8 bits where they fit."""
    import gguf
    from diffusers import WanTransformer3DModel
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("files")
    weights = WanTransformer3DModel.from_pretrained(checkpoint(WAN), subfolder="transformer").state_dict()
    save_file({name: weight.contiguous() * 0.9 for name, weight in weights.items()}, folder / "w.safetensors")
    writer = gguf.GGUFWriter(folder / "w.gguf", "wan")
    for name, weight in weights.items():
        array = weight.float().numpy()
        fits = array.ndim == 2 and array.shape[-1] % 32 == 0
        kind = gguf.GGMLQuantizationType.Q8_0 if fits else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def generate(source: LocalSource, **tables: Any) -> Produced:
    model = {"id": str(checkpoint(WAN)), "dtype": "bfloat16"}
    merged = {"model": model, "call": FAMILIES[WAN].call, "placement": "cpu", **tables}
    return source.generate(Settings.of(merged, Origin.DECLARED, "test"), PROMPT, 42, RememberingListener())


def as_script(load: Callable[[Any], Any]) -> Clip:
    """Generate the clip with a plain script that loads the transformer so."""
    import diffusers

    folder = checkpoint(WAN)
    pipe = diffusers.WanPipeline.from_pretrained(folder, transformer=load(diffusers), dtype=torch.bfloat16)
    pipe.set_progress_bar_config(disable=True)
    asked = {"prompt": PROMPT, "output_type": "pil", **FAMILIES[WAN].call}
    frames = pipe(generator=torch.Generator().manual_seed(42), **asked).frames[0]
    return Clip(np.stack([np.asarray(image) for image in frames]), fps=8)  # type: ignore[arg-type]


@pytest.mark.slow
@OLDER_NAMES
def test_a_component_from_one_file(source: LocalSource, files: Path) -> None:
    file = str(files / "w.safetensors")

    def load(diffusers: Any) -> Any:
        return diffusers.WanTransformer3DModel.from_single_file(
            file, config=str(checkpoint(WAN)), subfolder="transformer", dtype=torch.bfloat16
        )

    ours = generate(source, components={"transformer": {"file": file}})
    assert ours.clip.digest == as_script(load).digest
    assert ours.clip.digest != generate(source).clip.digest


@pytest.mark.slow
@OLDER_NAMES
def test_a_component_from_a_gguf_file(source: LocalSource, files: Path) -> None:
    file = str(files / "w.gguf")

    def load(diffusers: Any) -> Any:
        return diffusers.WanTransformer3DModel.from_single_file(
            file,
            config=str(checkpoint(WAN)),
            subfolder="transformer",
            quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=torch.bfloat16),
            dtype=torch.bfloat16,
        )

    asked = {"components": {"transformer": {"file": file}}}
    first, again = (
        generate(source, **asked),
        generate(source, **asked, call={**FAMILIES[WAN].call, "guidance_scale": 2.0}),
    )
    assert first.clip.digest == as_script(load).digest
    assert first.clip.digest not in {generate(source).clip.digest, again.clip.digest}
    assert generate(LocalSource(), **asked, placement="model_cpu_offload").clip.digest == first.clip.digest


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"components": {"vae": {"file": "/no/such.gguf", "class": "AutoencoderKL"}}},
            "there is no file /no/such.gguf",
        ),
        ({"components": {"vae": {"file": "w.gguf", "class": "AutoencoderKL"}}}, "w.gguf is no path"),
        ({"components": {"tokenizer": {"file": "/no/such.gguf"}}}, "has no from_single_file"),
        ({"components": {"transformer": {"quantization": {"backend": "quanto"}}}}, "needs the package optimum.quanto"),
        ({"components": {"transformer": {"quantization": {"backend": "quanta"}}}}, "no backend 'quanta'; did you mean"),
        ({"model": {"id": "/no/such.safetensors"}}, "DiffusionPipeline has no from_single_file"),
        (
            {"model": {"id": "/no/such.safetensors", "pipeline": "StableDiffusionPipeline"}},
            "there is no file /no/such.safetensors",
        ),
    ],
)
@OLDER_NAMES
def test_what_cannot_be_read_is_refused_by_name(source: LocalSource, tables: dict[str, Any], message: str) -> None:
    with pytest.raises(NotMeasuredError) as caught:
        generate(source, **{"model": {"id": RANDOM.id}, **tables})
    assert message in caught.value.message


@pytest.mark.slow
@OLDER_NAMES
def test_a_class_that_drops_a_given_component_is_refused(source: LocalSource, files: Path) -> None:
    """`DiffusionPipeline` drops a component that is optional in the class that it loads, such as Wan's transformer."""
    model = {"id": str(checkpoint(WAN)), "pipeline": "DiffusionPipeline"}
    with pytest.raises(UnsupportedSetting, match="DiffusionPipeline ignores the component transformer") as caught:
        generate(source, model=model, components={"transformer": {"file": str(files / "w.safetensors")}})
    assert 'model.pipeline = "WanPipeline"' in caught.value.hint
