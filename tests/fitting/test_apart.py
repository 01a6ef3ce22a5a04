"""What components weigh that are loaded separately from their checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from spacediff.fitting.apart import with_apart
from spacediff.fitting.headers import Stored
from spacediff.fitting.weights import Component
from spacediff.settings import Origin, Settings

OWN = (
    Component("vae", "diffusers", Stored({"F32": 400})),
    Component("transformer", "diffusers", Stored({"F32": 4000})),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "transformer").mkdir()
    save_file({"w": np.zeros(10, np.float32)}, tmp_path / "transformer" / "diffusion_pytorch_model.safetensors")
    (tmp_path / "q.gguf").write_bytes(b"q" * 123)
    return tmp_path


def weights(**tables: Any) -> dict[str, int] | None:
    """Return the bytes of each component of a pipeline in bfloat16."""
    found = with_apart(OWN, Settings.of(tables, Origin.DECLARED) if tables else Settings(), ask_hub=False)
    return None if found is None else {each.name: each.loaded("bfloat16") for each in found}


def test_dtypes_of_their_own_and_components_that_are_left_out() -> None:
    assert weights() == {"vae": 200, "transformer": 2000}
    assert weights(vae={"dtype": "float32"}) == {"vae": 400, "transformer": 2000}
    assert weights(components={"transformer": {"dtype": "float32"}}) == {"vae": 200, "transformer": 4000}
    assert weights(components={"vae": "none"}, vae={"dtype": "float32"}) == {"transformer": 2000}


def test_other_folders_and_files(folder: Path) -> None:
    place = {"id": str(folder), "subfolder": "transformer"}
    assert weights(components={"transformer": place}) == {"vae": 200, "transformer": 20}
    assert weights(components={"controlnet": place}) == {"vae": 200, "transformer": 2000, "controlnet": 20}
    quantised = {"file": str(folder / "q.gguf")}
    assert weights(components={"transformer": quantised}) == {"vae": 200, "transformer": 123}


def test_the_word_for_the_checkpoint_s_own_and_the_dtype_of_a_library() -> None:
    assert weights(components={"transformer": "own"}, vae={"dtype": "float32"}) == {"vae": 400, "transformer": 2000}
    assert weights(components={"vae": "own"}, vae={"dtype": "float32"}) == {"vae": 400, "transformer": 2000}
    assert weights(components={"transformer": {"dtype": "default"}}) == {"vae": 200, "transformer": 4000}


def test_what_is_quantised_is_unknown_until_it_runs(folder: Path) -> None:
    quantised = {"backend": "bitsandbytes_4bit"}
    place = {"id": str(folder), "subfolder": "transformer"}
    assert weights(components={"transformer": {"quantization": quantised}}) is None
    assert weights(components={"transformer": place | {"quantization": quantised}}) is None
    assert weights(components={"transformer": {"quantization": "none"}}) == {"vae": 200, "transformer": 2000}


def test_a_tokenizer_has_no_weights() -> None:
    repository = {"id": "org/name"}
    assert weights(components={"tokenizer_2": repository}) == {"vae": 200, "transformer": 2000}
    assert weights(components={"own": repository | {"class": "CLIPImageProcessor"}}) == {
        "vae": 200,
        "transformer": 2000,
    }


@pytest.mark.parametrize("table", [{"id": "org/name"}, {"file": "/no/such.gguf"}, {"id": "org/name", "file": "q.gguf"}])
def test_what_is_not_here_is_unknown(table: dict[str, str]) -> None:
    assert weights(components={"transformer": table}) is None
