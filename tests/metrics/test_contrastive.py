"""CLIP scores, by a small checkpoint against transformers' own forward pass."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spacediff.errors import NotMeasuredError
from spacediff.metrics.contrastive import Contrastive
from spacediff.record import FactKind
from spacediff.wording import sentence
from support.clips import moving_ball, resized
from support.hub_stand_in import Model, hub_stand_in
from support.small_clip import TOKENS

TEXTS = ["a photo of hand", "a photo of lemon", "a hand squeezes a lemon"]


CLIP = moving_ball(20)  # more frames than one batch


@pytest.fixture(scope="module")
def scores(clip_checkpoint: Path) -> np.ndarray:
    return Contrastive.opened(str(clip_checkpoint)).measure(iter(CLIP.frames), TEXTS).scores


def test_scores_are_what_transformers_own_forward_pass_gives(clip_checkpoint: Path, scores: np.ndarray) -> None:
    import torch
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(clip_checkpoint).eval(), CLIPProcessor.from_pretrained(clip_checkpoint)
    inputs = processor(text=TEXTS, images=list(CLIP.frames), return_tensors="pt", padding=True)
    with torch.no_grad():
        expected = model(**inputs).logits_per_image / model.logit_scale.exp()
    np.testing.assert_allclose(scores, expected.numpy(), atol=2e-6)
    assert np.ptp(scores, axis=0).min() > 0.01  # otherwise a wrong order would pass


def test_scores_follow_the_order_of_frames_and_texts(clip_checkpoint: Path, scores: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(CLIP.frames))
    measure = Contrastive.opened(str(clip_checkpoint))
    done: list[int] = []
    again = measure.measure(iter(CLIP.frames[order]), TEXTS[::-1], done.append).scores
    np.testing.assert_allclose(again, scores[order][:, ::-1], atol=2e-6)
    assert done[-1] == len(CLIP.frames)
    assert done == sorted(done)
    assert not np.allclose(scores[:, 0], scores[:, 1], atol=0.01)
    measure.close()
    np.testing.assert_array_equal(measure.measure(iter(CLIP.frames[order]), TEXTS[::-1]).scores, again)


def test_a_text_that_is_too_long_is_cut_and_that_is_reported(clip_checkpoint: Path) -> None:
    measure = Contrastive.opened(str(clip_checkpoint))
    fits, long = "hand " * (TOKENS - 2), "hand " * (TOKENS - 1)
    found = measure.measure(iter(CLIP.frames[:2]), [fits, long, f"{long} lemon"])
    np.testing.assert_allclose(found.scores, found.scores[:, :1].repeat(3, axis=1), atol=2e-6)
    cut = [remark.values for remark in found.remarks if remark.kind is FactKind.TEXT_CUT]
    assert [(values["tokens"], values["limit"]) for values in cut] == [(TOKENS + 1, TOKENS), (TOKENS + 2, TOKENS)]


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [(96, 64, "middle 67% of the width"), (48, 96, "middle 50% of the height"), (64, 64, "")],
)
def test_what_the_processor_crops_away_is_reported(clip_checkpoint: Path, width: int, height: int, seen: str) -> None:
    frames = resized(CLIP.frames[:1], width, height)
    measure = Contrastive.opened(str(clip_checkpoint))
    found = measure.measure(iter(frames), ["hand"])
    assert [seen in sentence(remark) for remark in found.remarks] == [True] * bool(seen)
    if seen:
        frames = frames.copy()
        frames[:, : height // 6 if height > width else None, : width // 7 if width > height else None] = 0
        np.testing.assert_array_equal(measure.measure(iter(frames), ["hand"]).scores, found.scores)


def copied(clip_checkpoint: Path, folder: Path, change: Callable[[Path], None]) -> str:
    place = Path(shutil.copytree(clip_checkpoint, folder / "changed"))
    change(place)
    return str(place)


def only_pickled(place: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(place / "model.safetensors"), place / "pytorch_model.bin")
    (place / "model.safetensors").unlink()


def without_a_weight(place: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(place / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, place / "model.safetensors", {"format": "pt"})


def of_another_kind(place: Path) -> None:
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "model_type": "siglip"}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (only_pickled, "has no safetensors: pickled weights can execute code, so they are not read"),
        (without_a_weight, "has no values for 1 weights, for example text_projection.weight"),
        (of_another_kind, "is a siglip model, not a CLIP model"),
        (lambda place: (place / "config.json").unlink(), "its config.json cannot be read"),
        (lambda place: (place / "model.safetensors").write_bytes(b"torn"), "could not be loaded"),
        (shutil.rmtree, "there is no folder"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_says_why(
    clip_checkpoint: Path, tmp_path: Path, change: Callable[[Path], None], reason: str
) -> None:
    with pytest.raises(NotMeasuredError, match=reason):
        Contrastive.opened(copied(clip_checkpoint, tmp_path, change)).measure(iter(CLIP.frames[:1]), ["hand"])


FETCHED = """
import sys
from spacediff.metrics.contrastive import Contrastive
from support.clips import moving_ball
measure = Contrastive.opened("org/clip", None)
print(measure.version, measure.measure(iter(moving_ball(1).frames), ["a photo of hand"]).scores[0, 0])
"""
"""A process of its own, because huggingface_hub reads HF_ENDPOINT when it is imported."""


def test_of_the_hub_only_what_is_needed_and_safe_is_fetched(
    clip_checkpoint: Path, scores: np.ndarray, tmp_path: Path
) -> None:
    files = {path.name: path.read_bytes() for path in clip_checkpoint.iterdir()}
    unsafe = {"pytorch_model.bin": b"pickle", "modeling_own.py": b"code", "onnx/model.safetensors": b"other"}
    with hub_stand_in({}, models={"org/clip": Model({**files, **unsafe})}) as hub:
        home = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path),
            "HF_TOKEN": "",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run([sys.executable, "-c", FETCHED], env={**os.environ, **home},
                              capture_output=True, text=True, check=False, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    version, score = done.stdout.split()
    assert version == "2e" * 20
    assert float(score) == pytest.approx(scores_of_first(clip_checkpoint), abs=2e-6)
    assert scores.shape == (20, 3)
    asked = {path.rsplit("/", 1)[-1] for path, _ in hub.asked if "/resolve/" in path}
    assert "model.safetensors" in asked
    assert not any(name in path for path, _ in hub.asked for name in unsafe)


def scores_of_first(clip_checkpoint: Path) -> float:
    return float(
        Contrastive.opened(str(clip_checkpoint)).measure(iter(moving_ball(1).frames), ["a photo of hand"]).scores[0, 0]
    )
