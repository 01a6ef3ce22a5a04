from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.fitting.checkpoint import find
from spacediff.fitting.weights import chosen_files, components_of
from spacediff.settings import Origin, Settings
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.weight_files import checkpoint

GIB = 2**30


def settings(model: str, **more: str) -> Settings:
    return Settings.of({"model": {"id": model, **more}}, Origin.DECLARED)


def test_weights_are_counted_in_the_data_type_that_is_asked_for(tmp_path: Path) -> None:
    folder = checkpoint(
        tmp_path / "c",
        text_encoder=("transformers", "T5EncoderModel", "F32", 8 * GIB),
        transformer=("diffusers", "CogVideoXTransformer3DModel", "BF16", 10 * GIB),
    )
    found = find(settings(str(folder)))
    assert found is not None
    sizes = {each.name: each for each in found.components}
    assert sizes["text_encoder"].loaded("bfloat16") == 4 * GIB
    assert sizes["transformer"].loaded("float32") == 20 * GIB
    assert sizes["transformer"].loaded(None) == 20 * GIB, "diffusers loads in float32 by default"
    assert sizes["text_encoder"].loaded(None) == 8 * GIB, "transformers loads as stored"
    assert found.loaded("float16") == 14 * GIB


@pytest.mark.parametrize(
    ("names", "variant", "chosen"),
    [
        (["model.safetensors", "pytorch_model.bin", "config.json"], None, ["model.safetensors"]),
        (["model.safetensors", "model.fp16.safetensors"], "fp16", ["model.fp16.safetensors"]),
        (["model.safetensors", "model.fp16.safetensors"], None, ["model.safetensors"]),
        (["model.safetensors"], "fp16", ["model.safetensors"]),
        (["model.fp16.safetensors"], None, []),
        (["pytorch_model.bin"], None, ["pytorch_model.bin"]),
        (
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
            None,
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (
            [
                "model.fp16-00001-of-00002.safetensors",
                "model.fp16-00002-of-00002.safetensors",
                "model-00001-of-00001.safetensors",
            ],
            "fp16",
            ["model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors"],
        ),
        (["model-00001-of-00001.fp16.safetensors"], "fp16", ["model-00001-of-00001.fp16.safetensors"]),
        (["model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"], None, []),
        (["model-00001-of-00002.safetensors", "ema-00001-of-00002.safetensors"], None, []),
        (["model-00001-of-00002.fp16.safetensors"], "fp16", []),
        (["open_clip_model.safetensors", "sdxl_vae.safetensors"], None, []),
        (
            ["diffusion_pytorch_model.safetensors", "sdxl_vae.safetensors"],
            None,
            ["diffusion_pytorch_model.safetensors"],
        ),
        (["diffusion_pytorch_model.safetensors", "model.safetensors"], None, ["diffusion_pytorch_model.safetensors"]),
    ],
)
def test_one_set_of_files_is_counted(names: list[str], variant: str | None, chosen: list[str]) -> None:
    assert chosen_files(names, variant) == chosen


def test_a_saved_checkpoint_weighs_what_its_files_do() -> None:
    folder = ensure_checkpoint(RANDOM)
    found = components_of(folder, None)
    assert found is not None
    assert {each.name for each in found} == {"text_encoder", "transformer", "vae"}
    files = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    assert 0.9 * files < sum(each.loaded("float32") for each in found) < files


@pytest.mark.parametrize(
    "index",
    [
        "",
        "[]",
        '{"vae": ["diffusers"]}',
        '{"../vae": ["diffusers", "AutoencoderKL"]}',
        '{"vae": ["diffusers", "AutoencoderKL"]}',
    ],
)
def test_an_incomplete_or_hostile_checkpoint_is_unknown(tmp_path: Path, index: str) -> None:
    (tmp_path / "model_index.json").write_text(index, "utf-8")
    assert components_of(tmp_path, None) is None


def test_a_component_without_its_weights_makes_the_checkpoint_unknown(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "c", vae=("diffusers", "AutoencoderKL", "F32", 64))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert find(settings(str(folder))) is None


def test_the_tiny_checkpoints_and_missing_folders_are_not_looked_up(tmp_path: Path) -> None:
    assert find(settings("builtin:tiny-cogvideox")) is None
    assert find(settings(str(tmp_path / "missing"))) is None


def test_a_snapshot_in_the_hubs_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository, commit = tmp_path / "models--org--model", "0" * 40
    checkpoint(repository / "snapshots" / commit, vae=("diffusers", "AutoencoderKL", "F32", 4 * GIB))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, "utf-8")
    found = find(settings("org/model"), ask_hub=False)
    assert found is not None
    assert found.loaded("float16") == 2 * GIB
    assert json.loads((found.folder / "model_index.json").read_text("utf-8"))["vae"][0] == "diffusers"
    assert find(settings("org/other"), ask_hub=False) is None
