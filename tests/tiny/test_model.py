"""The trained tiny model: how well it follows prompts, and the errors for missing or damaged weights."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from spacediff.errors import NotMeasuredError
from spacediff.tiny.detector import colours_shown, motion_shown
from spacediff.tiny.trained import WEIGHTS, build_trained, build_untrained
from spacediff.tiny.world import DIRECTIONS, Scene, unseen_scenes
from spacediff.torchvision_shim import shim_torchvision
from spacediff.training import choose, curve, evaluate, sheet, train
from spacediff.training.choose import Candidate
from spacediff.training.evaluate import as_hosted, generated

shim_torchvision()

DIRECTED = [scene for scene in unseen_scenes(11, 20) if scene.motion in DIRECTIONS][:6]


STEPS = 20
"""Fewer than the demo's: the model follows captions with these too."""


def shown(pipe: Any, some: list[Scene]) -> tuple[int, int]:
    clips = [generated(pipe, scene.caption, seed, num_inference_steps=STEPS) for seed, scene in enumerate(some)]
    return sum(map(colours_shown, clips, some)), sum(map(motion_shown, clips, some))


@pytest.mark.slow
def test_the_model_follows_held_out_captions() -> None:
    colours, motions = shown(as_hosted(build_trained()), DIRECTED)
    assert colours >= 5
    assert motions >= 4


@pytest.mark.slow
def test_the_untrained_model_follows_no_caption() -> None:
    assert shown(as_hosted(build_untrained(0)), DIRECTED[:2]) == (0, 0)


@pytest.mark.slow
def test_the_evaluation_command_prints_figures_and_writes_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["evaluate", "--clips", "2", "--threads", "1", "--pictures", str(tmp_path / "clips.png")]
    )
    monkeypatch.setattr(evaluate, "generated", partial(generated, num_inference_steps=STEPS))
    threads = torch.get_num_threads()
    try:
        evaluate.main()
    finally:
        torch.set_num_threads(threads)
    found = json.loads(capsys.readouterr().out)
    assert found["captions"] == 2
    assert found["autoencoder, dB"] > 28
    assert found["colours shown"] >= 0.5, "the trained model shows what most captions name"
    assert cv2.imread(str(tmp_path / "clips.png")) is not None


@pytest.mark.parametrize(
    ("hosted", "usual", "loses"),
    [
        ((True, True), (True, True), ""),
        ((True, True), (False, False), "object"),
        ((True, True), (True, False), "motion"),
        ((True, False), (False, False), ""),
        ((False, False), (True, True), ""),
    ],
)
def test_a_candidate_names_what_the_usual_settings_lose(
    hosted: tuple[bool, bool], usual: tuple[bool, bool], loses: str
) -> None:
    assert Candidate("a red ball rises over a grey floor", hosted, usual).loses == loses


# ---- errors


def test_missing_weights_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotMeasuredError, match="missing or damaged") as caught:
        build_trained(tmp_path)
    assert "builtin:tiny-cogvideox-random" in caught.value.hint


@pytest.mark.parametrize("damage", ["cut", "pointer", "empty", "others"])
def test_damaged_weights_are_an_error(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    file = folder / "transformer.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "pointer":
        file.write_text("version https://git-lfs.github.com/spec/v1\n")
    elif damage == "empty":
        (folder / "about.json").write_text("{}")
    else:
        shutil.copy(folder / "vae.safetensors", file)
    with pytest.raises(NotMeasuredError, match="missing or damaged"):
        build_trained(folder)


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (evaluate, ["--weights", "nowhere"], "there is no text_encoder.safetensors in 'nowhere'"),
        (evaluate, ["--clips", "0"], "found '0'; expected a whole number of at least 1"),
        (evaluate, ["--pictures", "nowhere/x.png"], "expected a file in a folder that exists"),
        (choose, ["--candidates", "-1"], "expected a whole number of at least 1"),
        (sheet, ["nowhere/x.png"], "expected a file in a folder that exists"),
        (train, ["--work", "/dev/null/x"], "the folder '/dev/null/x' cannot be created: Not a directory"),
        (curve, ["--work", ".", "x.png"], "there is no loss curve in '.'"),
    ],
)
def test_invalid_arguments_are_errors(  # noqa: PLR0917
    command: Any,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["command", *arguments])
    with pytest.raises(SystemExit) as exited:
        command.main()
    assert exited.value.code == 2
    assert message in capsys.readouterr().err


def test_loss_curves_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{step},{1 / step},0\n" for step in range(50, 1001, 50))
    (tmp_path / "denoiser-short.csv").write_text(f"step,loss,time\n{rows}")
    monkeypatch.setattr("sys.argv", ["curve", "--work", str(tmp_path), str(tmp_path / "loss.png")])
    curve.main()
    picture = cv2.imread(str(tmp_path / "loss.png"))
    assert picture is not None
    assert len({tuple(pixel) for pixel in picture.reshape(-1, 3)}) > 10, "a line, and words"
