"""The tiny checkpoints that the tests of pipelines share."""

from __future__ import annotations

import json

from support.tiny_pipelines import BUILDERS, FAMILIES, checkpoint


def test_a_checkpoint_is_built_once_and_names_its_pipeline() -> None:
    folder = checkpoint("sd-1.5")
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "StableDiffusionPipeline"
    stamp = folder.stat().st_mtime_ns
    assert checkpoint("sd-1.5") == folder
    assert folder.stat().st_mtime_ns == stamp


def test_every_pipeline_has_a_checkpoint() -> None:
    assert {family.checkpoint for family in FAMILIES.values()} <= set(BUILDERS)
