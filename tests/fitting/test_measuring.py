"""The measuring process answers in this process here; `test_activations.py` starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.fitting.measuring import answer
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision

FRAMES, HEIGHT, WIDTH = 9, 32, 48


@pytest.fixture(scope="module")
def folder() -> Path:
    shim_torchvision()
    return ensure_checkpoint(RANDOM)


def ask(folder: Path, *calls: dict[str, Any], dtype: str | None = "bfloat16", **request: Any) -> dict[str, Any]:
    sizes = {"num_frames": FRAMES, "height": HEIGHT, "width": WIDTH}
    listed = [
        {"arguments": sizes | each.get("arguments", {}), "vae": each.get("vae", {}), "fused": each.get("fused", True)}
        for each in calls
    ]
    return answer({"folder": str(folder), "pipeline": None, "dtype": dtype, "device": None, "calls": listed, **request})


def test_every_component_and_the_clip_are_measured(folder: Path) -> None:
    (found,) = ask(folder, {})["calls"]
    assert found["clip"] == [1, 3, FRAMES, HEIGHT, WIDTH]
    assert set(found["peaks"]) == {"text_encoder", "transformer", "vae"}
    assert all(peak > 0 for peak in found["peaks"].values())
    assert found["peaks"]["vae"] > 3 * FRAMES * HEIGHT * WIDTH * 2, "at least the clip itself"
    temporal, spatial = 3, 8
    assert found["latents"] == temporal * 16 * (HEIGHT // spatial) * (WIDTH // spatial)


def test_more_frames_and_wider_types_need_more(folder: Path) -> None:
    few, many = ask(folder, {}, {"arguments": {"num_frames": 17}})["calls"]
    assert all(many["peaks"][name] > few["peaks"][name] for name in ("transformer", "vae"))
    (double,) = ask(folder, {}, dtype="float32")["calls"]
    assert double["peaks"]["vae"] == pytest.approx(2 * few["peaks"]["vae"], rel=0.05)


def test_guidance_doubles_what_the_denoiser_needs(folder: Path) -> None:
    without, guided = ask(folder, {"arguments": {"guidance_scale": 1.0}}, {"arguments": {"guidance_scale": 6.0}})[
        "calls"
    ]
    assert guided["peaks"]["transformer"] == pytest.approx(2 * without["peaks"]["transformer"], rel=0.05)
    assert guided["peaks"]["vae"] == without["peaks"]["vae"]


def test_a_switch_holds_for_its_own_call(folder: Path) -> None:
    large = {"height": 64, "width": 96}
    plain, tiled, again = ask(
        folder, {"arguments": large}, {"arguments": large, "vae": {"tiling": True}}, {"arguments": large}
    )["calls"]
    assert tiled["peaks"]["vae"] < plain["peaks"]["vae"]
    assert again == plain


def test_attention_by_the_plain_formula_needs_more(folder: Path) -> None:
    large = {"height": 128, "width": 192}
    fused, plain = ask(folder, {"arguments": large}, {"arguments": large, "fused": False})["calls"]
    assert plain["peaks"]["transformer"] > fused["peaks"]["transformer"]


def test_weights_that_a_class_keeps_in_float32_are_counted(folder: Path) -> None:
    extra = ask(folder, {}, dtype="float16")["extra"]
    from transformers import T5EncoderModel

    encoder = T5EncoderModel.from_pretrained(folder / "text_encoder", dtype=torch.float16)
    kept = sum(2 * weight.numel() for weight in encoder.parameters() if weight.dtype is torch.float32)
    assert extra["text_encoder"] == kept > 0
    assert ask(folder, {})["extra"] == {}


def test_what_cannot_be_measured_says_why(folder: Path, tmp_path: Path) -> None:
    (unknown,) = ask(folder, {"arguments": {"no_such_argument": 1}})["calls"]
    assert "no_such_argument" in unknown["error"]
    (unknown,) = ask(folder, {"vae": {"no_such_switch": True}})["calls"]
    assert "no_such_switch" in unknown["error"]
    assert "NoSuchPipeline" in ask(folder, {}, pipeline="NoSuchPipeline")["error"]
    assert "os has no" not in ask(tmp_path, {})["error"]


def test_code_of_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text("{}", "utf-8")
    (tmp_path / "unet" / "mine.py").write_text("raise SystemExit('run')", "utf-8")
    (tmp_path / "model_index.json").write_text(
        '{"_class_name": "DiffusionPipeline", "unet": ["mine", "Model"]}', "utf-8"
    )
    assert "code of the checkpoint" in ask(tmp_path, {})["error"]
