"""Optional packages: recorded where a pipeline asks for them, and named where it fails without them."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spacediff.errors import PackageUnavailable
from spacediff.inputs.files import identified
from spacediff.observer.packages import optional_packages
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.packages import refuse_missing_packages
from spacediff.torchvision_shim import shim_torchvision
from support.listeners import RememberingListener
from support.pipeline_audits import plain_job, written_inputs
from support.plain_script import generate as generate_plainly
from support.tiny_pipelines import FAMILIES, checkpoint
from support.tiny_wan import CALL, PROMPT

shim_torchvision()

NEEDING = [
    ("wan.pipeline_wan_i2v", "WanImageToVideoPipeline"),
    ("wan.pipeline_wan_vace", "WanVACEPipeline"),
    ("skyreels_v2.pipeline_skyreels_v2_diffusion_forcing", "SkyReelsV2DiffusionForcingPipeline"),
]
DOING_WITHOUT = [
    ("wan.pipeline_wan", "WanPipeline"),
    ("kandinsky5.pipeline_kandinsky", "Kandinsky5T2VPipeline"),
    ("sana.pipeline_sana", "SanaPipeline"),
]


def pipeline_of(module: str, name: str, monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> Any:
    found = importlib.import_module(f"diffusers.pipelines.{module}")
    monkeypatch.setattr(found, "is_ftfy_available", lambda: installed)
    return object.__new__(getattr(found, name))


@pytest.mark.parametrize(("module", "name"), NEEDING)
def test_a_pipeline_that_fails_without_a_package_names_it(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PackageUnavailable, match=f"{name} cannot run without the package ftfy") as caught:
        refuse_missing_packages(pipeline_of(module, name, monkeypatch, installed=False))
    assert "spacediff[ftfy]" in caught.value.hint
    refuse_missing_packages(pipeline_of(module, name, monkeypatch, installed=True))


@pytest.mark.parametrize(("module", "name"), DOING_WITHOUT)
def test_a_pipeline_that_asks_first_runs_without_it(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = pipeline_of(module, name, monkeypatch, installed=False)
    refuse_missing_packages(pipeline)
    assert optional_packages(pipeline)["ftfy"] is False
    assert optional_packages(pipeline_of(module, name, monkeypatch, installed=True))["ftfy"] is True


def test_a_pipeline_that_never_asks_has_no_such_setting() -> None:
    from diffusers import CogVideoXPipeline

    assert optional_packages(object.__new__(CogVideoXPipeline)) == {}


def test_wan_image_to_video_runs_where_diffusers_alone_runs_it(tmp_path: Path) -> None:
    """Nothing is patched: with the package as a plain script, and without it refused where that has a NameError."""
    family = FAMILIES["wan-2.1-image"]
    family = replace(family, call={**family.call, "num_inference_steps": 1, "num_frames": 1})
    inputs = [identified(name, Path(str(path))) for name, path in written_inputs(family, tmp_path).items()]
    model = {"id": str(checkpoint(family.checkpoint)), "dtype": "float32"}
    settings = Settings.of({"model": model, "placement": "cpu", "call": family.call}, Origin.DECLARED)

    def generated() -> Produced:
        return LocalSource().generate(settings, family.prompt, 42, RememberingListener(), inputs=inputs)

    if importlib.util.find_spec("ftfy") is None:
        with pytest.raises(NameError, match="ftfy"):
            generate_plainly(plain_job(family, tmp_path))
        with pytest.raises(PackageUnavailable, match="WanImageToVideoPipeline cannot run without the package ftfy"):
            generated()
        return
    ours = generated()
    assert np.array_equal(ours.clip.frames, generate_plainly(plain_job(family, tmp_path)))
    assert ours.settings["packages.ftfy"].value is True


def test_what_is_installed_is_a_setting_of_the_run(wan_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline_of(*DOING_WITHOUT[0], monkeypatch, installed=False)
    tables = {"model": {"id": str(wan_checkpoint)}, "placement": "cpu", "call": {**CALL, "num_inference_steps": 1}}
    made = LocalSource().generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, RememberingListener())
    found = made.settings["packages.ftfy"]
    assert (found.value, found.origin) == (False, Origin.OBSERVED)
