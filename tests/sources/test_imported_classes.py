"""The classes that a checkpoint names are imported at once, and nothing else is by its names."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import pytest

from spacediff.sources.local.loading import whole


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The libraries that are imported, each with whether garbage was collected meanwhile."""
    seen: list[tuple[str, bool]] = []

    def imported(name: str) -> object:
        seen.append((name, gc.isenabled()))
        return sys

    monkeypatch.setattr(whole, "import_module", imported)
    return seen


def write_index(folder: Path, **components: object) -> Path:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "CogVideoXPipeline", **components}))
    return folder


def test_classes_of_two_libraries_are_imported_while_no_garbage_is_collected(
    tmp_path: Path, asked: list[tuple[str, bool]]
) -> None:
    folder = write_index(tmp_path, vae=["diffusers", "AutoencoderKL"], text_encoder=["transformers", "T5EncoderModel"])
    whole._import_classes(folder)
    assert asked == [("diffusers", False), ("transformers", False)]
    assert gc.isenabled()


def test_an_index_imports_nothing_else(tmp_path: Path, asked: list[tuple[str, bool]]) -> None:
    components = {
        "a": ["os", "system"],
        "b": ["diffusers", 1],
        "c": [["diffusers"], "x"],
        "d": None,
        "e": ["diffusers"],
    }
    whole._import_classes(write_index(tmp_path, **components))
    assert asked == []
