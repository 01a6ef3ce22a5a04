from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spacediff.cli.commands import main
from spacediff.clip import read_clip
from spacediff.codec import export_to_video
from spacediff.metrics.contrastive import Contrastive
from spacediff.record import read_record
from spacediff.wording import agreement_text
from support.clips import moving_ball

WHOLE = """
title = "Small"
[prompts.lemon]
text = "a hand squeezes half a lemon over a bowl"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 3, num_frames = 5 }
placement = "cpu"
[variants.guidance-7]
call.guidance_scale = 7.0
[variants.as-hosted]
from = "guidance-7"
[reference]
variant = "guidance-7"
[scale]
seeds = 2
[gate]
variant = "as-hosted"
[semantics]
model = "./clip"
parts = ["hand", "lemon"]
"""


def test_an_audit_measures_what_its_clips_show(
    clip_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(clip_checkpoint, tmp_path / "clip")
    scenario, folder = tmp_path / "small.toml", tmp_path / "audit"
    scenario.write_text(WHOLE)
    assert main(["audit", str(scenario), "--out", str(folder), "--strict"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    record = read_record(folder)
    (found,) = record.semantics
    assert found.measured, found.reason
    assert found.model == ".../clip"
    assert [text.part for text in found.texts] == ["", "hand", "lemon"]
    hand = found.texts[1]
    assert [clip.run for clip in hand.clips] == [
        "guidance-7", "baseline", "as-hosted", "rerun", "seed-43", "seed-44"
    ]  # fmt: skip
    judged = hand.of("as-hosted")
    assert judged
    assert judged.difference == 0
    assert f"agreement with the prompt: {found.texts[0].clips[0].mean:.3f} in the reference" in printed
    assert agreement_text(hand, "as-hosted", record.reference) in printed
    baseline = record.run("lemon", "baseline").clip
    assert baseline
    frames = read_clip(folder / baseline.lossless).frames
    expected = Contrastive.opened(str(clip_checkpoint)).measure(iter(frames), ["a photo of hand"]).scores[:, 0]
    of_baseline = hand.of("baseline")
    assert of_baseline
    np.testing.assert_allclose(of_baseline.frames, expected, atol=2e-6)
    table = pd.read_csv(folder / "comparisons" / "lemon" / "baseline" / "frames.csv")
    np.testing.assert_allclose(table["hand@candidate"], expected, atol=2e-6)
    page = (folder / "report.html").read_text("utf-8")
    assert "What the clips show" in page
    assert f"{of_baseline.mean:.3f}" in page

    kept_before = {path.name: path.stat().st_mtime_ns for path in (folder / "semantics").iterdir()}
    assert main(["audit", str(scenario), "--out", str(folder)]) == 0
    assert read_record(folder).semantics == record.semantics
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "semantics").iterdir()} == kept_before

    capsys.readouterr()
    shutil.rmtree(tmp_path / "clip")
    assert main(["audit", str(scenario), "--out", str(folder), "--strict"]) == 3
    printed = " ".join(capsys.readouterr().out.split())
    assert "not measured: what the clips show (lemon): there is no folder" in printed
    assert "Gate passed (as-hosted)" in printed
    assert "Not measured: " in (folder / "report.html").read_text("utf-8")


def test_two_files_are_compared_by_what_they_show(
    clip_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (tmp_path / f"{name}.mp4" for name in ("one", "other"))
    for path, seed in ((one, 0), (other, 1)):
        export_to_video(moving_ball(6, seed=seed), path, quality=5)
    asked = ["--semantics", str(clip_checkpoint), "--part", "hand", "--part", "lemon"]
    assert main(["compare", str(one), str(other), "--out", str(tmp_path / "out"), *asked]) == 0
    (found,) = read_record(tmp_path / "out").semantics
    assert [text.part for text in found.texts] == ["hand", "lemon"]
    (mine, theirs) = found.texts[0].clips
    assert theirs.difference == pytest.approx(mine.mean - theirs.mean)
    assert agreement_text(found.texts[0], theirs.run, mine.run) in " ".join(capsys.readouterr().out.split())
    assert main(["compare", str(one), str(other), "--out", str(tmp_path / "out"), "--part", "hand"]) == 2
    shown = capsys.readouterr().err
    assert "semantics and parts go together" in shown
    assert "--semantics MODEL --part hand" in shown
