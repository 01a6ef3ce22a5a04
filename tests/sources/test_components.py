"""Components that are loaded separately give the clip of a plain script of diffusers that loads them so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.clip import Clip
from spacediff.errors import CheckpointUnavailable, NotMeasuredError, UnsupportedSetting
from spacediff.settings import Origin, Settings, diff
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.loading.as_loaded import components_as_loaded
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.listeners import RememberingListener
from support.tiny_pipelines import FAMILIES, checkpoint

PROMPT = "A hand squeezes half a lemon"
CALL = {"num_inference_steps": 2, "num_frames": 5}


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


@pytest.fixture(scope="module")
def folder() -> Path:
    return ensure_checkpoint(RANDOM)


@pytest.fixture(scope="module")
def other(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of another transformer, which fits the pipeline."""
    from diffusers import CogVideoXTransformer3DModel

    transformer = CogVideoXTransformer3DModel.from_pretrained(folder, subfolder="transformer")
    with torch.no_grad():
        transformer.proj_out.weight.mul_(0.5)
    place = tmp_path_factory.mktemp("other")
    transformer.save_pretrained(place)
    return place


def generate(source: LocalSource, **tables: Any) -> Produced:
    merged = {"model": {"id": RANDOM.id, "dtype": "bfloat16"}, "call": CALL, "placement": "cpu", **tables}
    declared = Settings.of({k: v for k, v in merged.items() if v is not None}, Origin.DECLARED, "test")
    return source.generate(declared, PROMPT, 42, RememberingListener())


def as_script(load: Callable[[Any], Any], **call: Any) -> Clip:
    """Generate the clip with a plain script."""
    import diffusers

    pipe = load(diffusers)
    pipe.set_progress_bar_config(disable=True)
    asked = {"prompt": PROMPT, "output_type": "pil", **(call or CALL)}
    frames = pipe(generator=torch.Generator().manual_seed(42), **asked).frames[0]
    return Clip(np.stack([np.asarray(image) for image in frames]), fps=8)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_vae_of_its_own_dtype_is_loaded_in_it(source: LocalSource) -> None:
    """As the official script of Wan does: its VAE stays in float32, and is not rounded to bfloat16 before."""
    family, folder = FAMILIES["wan-2.1"], checkpoint("wan-2.1")

    def load(diffusers: Any) -> Any:
        vae = diffusers.AutoencoderKLWan.from_pretrained(folder, subfolder="vae", dtype=torch.float32)
        return diffusers.WanPipeline.from_pretrained(folder, vae=vae, dtype=torch.bfloat16)

    tables = {"model": {"id": str(folder), "dtype": "bfloat16"}, "call": family.call}
    alike, ours = generate(source, **tables), generate(source, **tables, vae={"dtype": "float32"})
    assert ours.clip.digest != alike.clip.digest
    assert [each.path for each in diff(alike.settings, ours.settings)] == ["vae.dtype"]
    assert ours.clip.digest == as_script(load, **family.call).digest
    assert (alike.settings["vae.dtype"].value, ours.settings["vae.dtype"].value) == ("bfloat16", "float32")
    assert "components.transformer.dtype" not in ours.settings


def test_a_component_of_another_checkpoint(source: LocalSource, folder: Path, other: Path) -> None:
    def load(diffusers: Any) -> Any:
        part = diffusers.CogVideoXTransformer3DModel.from_pretrained(other, dtype=torch.bfloat16)
        return diffusers.CogVideoXPipeline.from_pretrained(folder, transformer=part, dtype=torch.bfloat16)

    ours = generate(source, components={"transformer": {"id": str(other)}})
    assert ours.clip.digest == as_script(load).digest
    assert ours.clip.digest != generate(source).clip.digest
    found = {path: each.value for path, each in ours.settings.items() if path.startswith("components.")}
    assert found == {
        "components.transformer.id": str(other),
        "components.transformer.class": "CogVideoXTransformer3DModel",
        "components.transformer.dtype": "bfloat16",
    }


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"components": {"transformer": {"class": "NoSuchModel"}}}, "has a class 'NoSuchModel'"),
        ({"components": {"transformr": {"class": "CogVideoXTransformer3DModel"}}}, "the component transformr from"),
        ({"components": {"transformr": "none"}}, "has no component 'transformr'; did you mean 'transformer'?"),
        ({"components": {"unet": {"dtype": "float32"}}}, "components.unet needs its class"),
        ({"components": {"vae": {"id": "/no/such"}}}, "there is no folder /no/such"),
        ({"load": {"transformer": "./other"}}, "load.transformer: no value here: a component is loaded by"),
        ({"load": {"text_encoder": False}}, "load.text_encoder"),
        ({"load": {"device_map": "balanced"}}, "placement = 'cpu' cannot be used with load.device_map"),
        ({"load": {"device_map": "nonsense"}, "placement": None}, "nonsense not supported. Supported strategies are"),
    ],
)
def test_what_cannot_be_loaded_is_refused_by_name(source: LocalSource, tables: dict[str, Any], message: str) -> None:
    with pytest.raises((UnsupportedSetting, CheckpointUnavailable)) as caught:
        generate(source, **tables)
    assert message in caught.value.message


def test_a_component_that_is_left_out(source: LocalSource) -> None:
    with pytest.raises(NotMeasuredError) as left_out:  # CogVideoX cannot do without it, so its own error comes
        generate(source, components={"text_encoder": "none"})
    with pytest.raises(NotMeasuredError) as passed:
        generate(source, load={"text_encoder": None})
    assert left_out.value.message == passed.value.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="the map names another device there")
def test_a_device_map_places_the_pipeline_while_it_is_loaded(source: LocalSource) -> None:
    mapped = generate(source, placement=None, load={"device_map": "cpu"})
    assert mapped.clip.digest == generate(source).clip.digest
    assert mapped.settings["placement"].value == "device_map"


def loading(**tables: Any) -> Settings:
    return Settings.of({"model": {"id": RANDOM.id, "dtype": "bfloat16"}, **tables}, Origin.DECLARED, "test")


def test_a_component_in_the_dtype_that_its_library_chooses(folder: Path) -> None:
    from transformers import T5EncoderModel

    usual = T5EncoderModel.from_pretrained(folder, subfolder="text_encoder").dtype
    declared = loading(components={"text_encoder": {"dtype": "default"}, "transformer": {"quantization": "none"}})
    checkpoint, _ = Checkpoints().load(declared)
    assert checkpoint.pipeline.text_encoder.dtype == usual
    assert checkpoint.pipeline.transformer.dtype == torch.bfloat16
    found = components_as_loaded(checkpoint.pipeline, declared, "bfloat16")["components"]
    shown = {"class": "T5EncoderModel", "dtype": str(usual).removeprefix("torch.")}
    assert found["text_encoder"] == shown
    changed = declared.changed_by(Settings.of({"components": found}, Origin.DEFAULT, "from_pretrained"))
    assert changed.value("components.text_encoder.dtype") == shown["dtype"], "what was loaded replaces the word"


def test_a_component_of_the_pipelines_own_is_not_loaded_apart() -> None:
    from spacediff.sources.local.loading.components import declared_apart

    names = [each.name for each in declared_apart(loading(components={"transformer": "own", "text_encoder": "none"}))]
    assert names == ["text_encoder"]
    declared = loading(components={"vae": "own"}, vae={"dtype": "float32"})
    assert [(each.name, each.declared) for each in declared_apart(declared)] == [("vae", {"dtype": "float32"})]


def test_the_weights_of_a_component_of_the_same_repository_are_downloaded(
    monkeypatch: pytest.MonkeyPatch, folder: Path, other: Path
) -> None:
    import diffusers
    import huggingface_hub

    left_out: dict[str, Any] = {}
    configurations: list[tuple[Any, ...]] = []

    def download(_: str, **given: Any) -> str:
        left_out.update(given)
        return str(folder)

    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *given, **_: configurations.append(given))
    tables = {"transformer": {"id": str(other)}, "text_encoder": {"dtype": "float32"}, "vae": {"file": "/no/such.gguf"}}
    declared = loading(model={"id": "org/name", "dtype": "bfloat16"}, components=tables)
    with pytest.raises(CheckpointUnavailable, match=r"there is no file /no/such\.gguf"):
        Checkpoints().load(declared)
    assert left_out == {"transformer": None, "vae": None}
    assert configurations == [("org/name", "vae/config.json")]
