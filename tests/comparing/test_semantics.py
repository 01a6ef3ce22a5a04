"""What clips show: by a small CLIP checkpoint against transformers' own forward pass, and by a detector of colour."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spacediff.cli.commands import main
from spacediff.clip import Clip, Frame, read_clip
from spacediff.codec import export_to_video
from spacediff.comparing.semantics import measure_semantics, write_into_tables
from spacediff.errors import NotMeasuredError, ScenarioError
from spacediff.metrics.contrastive import Contrastive
from spacediff.metrics.semantic import Agreement
from spacediff.plan import Plan, Prompt, Semantics, plan_scenario
from spacediff.record import (
    AgreementRecord,
    ComparisonRecord,
    Role,
    RunRecord,
    SemanticsRecord,
    TextRecord,
    Verdict,
    read_record,
)
from spacediff.reporting.html import render_html
from spacediff.reporting.semantics import semantics_view
from spacediff.scenario.scenario import parse_scenario
from spacediff.store.runs import Store
from support.clips import moving_ball, resized
from support.hub_stand_in import Model, hub_stand_in
from support.kept_runs import kept
from support.small_clip import TOKENS, save_clip_model
from support.synthetic_audit import synthetic_audit

TEXTS = ["a photo of hand", "a photo of lemon", "a hand squeezes a lemon"]
CLIP = moving_ball(20)  # more frames than one batch


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip_model(tmp_path_factory.mktemp("models") / "small-clip")


@pytest.fixture(scope="module")
def scores(checkpoint: Path) -> np.ndarray:
    return Contrastive.opened(str(checkpoint)).measure(iter(CLIP.frames), TEXTS).scores


# ---- CLIP


def test_scores_are_what_transformers_own_forward_pass_gives(checkpoint: Path, scores: np.ndarray) -> None:
    import torch
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(checkpoint).eval(), CLIPProcessor.from_pretrained(checkpoint)
    inputs = processor(text=TEXTS, images=list(CLIP.frames), return_tensors="pt", padding=True)
    with torch.no_grad():
        expected = model(**inputs).logits_per_image / model.logit_scale.exp()
    np.testing.assert_allclose(scores, expected.numpy(), atol=2e-6)
    assert np.ptp(scores, axis=0).min() > 0.01  # else any mistake of order would pass


def test_other_orders_of_frames_and_texts_are_other_orders_of_scores(checkpoint: Path, scores: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(CLIP.frames))
    measure = Contrastive.opened(str(checkpoint))
    told: list[int] = []
    again = measure.measure(iter(CLIP.frames[order]), TEXTS[::-1], told.append).scores
    np.testing.assert_allclose(again, scores[order][:, ::-1], atol=2e-6)
    assert told[-1] == len(CLIP.frames)
    assert told == sorted(told)
    assert not np.allclose(scores[:, 0], scores[:, 1], atol=0.01)
    measure.close()
    np.testing.assert_array_equal(measure.measure(iter(CLIP.frames[order]), TEXTS[::-1]).scores, again)


def test_a_text_that_is_too_long_is_cut_and_that_is_told(checkpoint: Path) -> None:
    measure = Contrastive.opened(str(checkpoint))
    fits, long = "hand " * (TOKENS - 2), "hand " * (TOKENS - 1)
    found = measure.measure(iter(CLIP.frames[:2]), [fits, long, f"{long} lemon"])
    np.testing.assert_allclose(found.scores, found.scores[:, :1].repeat(3, axis=1), atol=2e-6)
    cut = [remark for remark in found.remarks if "the end was truncated" in remark]
    assert len(cut) == 2
    assert f"has {TOKENS + 1} tokens including start and end; the model accepts {TOKENS}" in cut[0]


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [(96, 64, "middle 67% of the width"), (48, 96, "middle 50% of the height"), (64, 64, "")],
)
def test_what_the_processor_crops_away_is_told(checkpoint: Path, width: int, height: int, seen: str) -> None:
    frames = resized(CLIP.frames[:1], width, height)
    measure = Contrastive.opened(str(checkpoint))
    found = measure.measure(iter(frames), ["hand"])
    assert [seen in remark for remark in found.remarks] == [True] * bool(seen)
    if seen:
        frames = frames.copy()
        frames[:, : height // 6 if height > width else None, : width // 7 if width > height else None] = 0
        np.testing.assert_array_equal(measure.measure(iter(frames), ["hand"]).scores, found.scores)


def copied(checkpoint: Path, folder: Path, change: Callable[[Path], None]) -> str:
    place = Path(shutil.copytree(checkpoint, folder / "changed"))
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
    checkpoint: Path, tmp_path: Path, change: Callable[[Path], None], reason: str
) -> None:
    with pytest.raises(NotMeasuredError, match=reason):
        Contrastive.opened(copied(checkpoint, tmp_path, change)).measure(iter(CLIP.frames[:1]), ["hand"])


FETCHED = """
import sys
from spacediff.metrics.contrastive import Contrastive
from support.clips import moving_ball
measure = Contrastive.opened("org/clip", None)
print(measure.version, measure.measure(iter(moving_ball(1).frames), ["a photo of hand"]).scores[0, 0])
"""
"""A process of its own, because huggingface_hub reads HF_ENDPOINT when it is imported."""


def test_of_the_hub_only_what_is_needed_and_safe_is_fetched(
    checkpoint: Path, scores: np.ndarray, tmp_path: Path
) -> None:
    files = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
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
    assert float(score) == pytest.approx(scores_of_first(checkpoint), abs=2e-6)
    assert scores.shape == (20, 3)
    asked = {path.rsplit("/", 1)[-1] for path, _ in hub.asked if "/resolve/" in path}
    assert "model.safetensors" in asked
    assert not any(name in path for path, _ in hub.asked for name in unsafe)


def scores_of_first(checkpoint: Path) -> float:
    return float(
        Contrastive.opened(str(checkpoint)).measure(iter(moving_ball(1).frames), ["a photo of hand"]).scores[0, 0]
    )


# ---- the meaning, by a detector of colour in place of CLIP

COLOURS = {"red": (230, 20, 20), "yellow": (230, 220, 20)}
HEIGHT, WIDTH = 32, 48


class ShareOfColour:
    """The share of a frame's pixels that have a named colour."""

    identity, version, about = "share of colour 1", "1", "Share of pixels of a named colour."

    def __init__(self) -> None:
        self.measured = 0
        self.closed = False

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        self.measured += 1
        rows = [[self._share(frame, text) for text in texts] for frame in frames]
        on_frame(len(rows))
        return Agreement(np.array(rows), ("the detector knows two colours",))

    def close(self) -> None:
        self.closed = True

    def _share(self, frame: Frame, text: str) -> float:
        wanted = [colour for name, colour in COLOURS.items() if name in text]
        return float(np.mean([(np.abs(frame.astype(int) - colour).max(-1) < 40).mean() for colour in wanted]))


def world(red: Sequence[int], yellow: int = 8) -> Clip:
    """A yellow square in every frame, and a red one whose side is given for each."""
    frames = np.full((len(red), HEIGHT, WIDTH, 3), 40, np.uint8)
    for frame, side in zip(frames, red, strict=True):
        frame[4 : 4 + yellow, 4 : 4 + yellow] = COLOURS["yellow"]
        frame[4 : 4 + side, 24 : 24 + side] = COLOURS["red"]
    return Clip(frames, Fraction(8))


def share(side: int) -> float:
    return side * side / (HEIGHT * WIDTH)


class SilentListener:
    def on_status(self, text: str) -> None:
        pass

    def on_step(self, done: int, total: int) -> None:
        pass


PLAN = Plan(
    title="t", question="q", command="c", prompts=(Prompt("p", "a red and a yellow square", 1),), runs=(),
    reference="reference", semantics=Semantics("a-detector", {"p": ("red", "yellow")}, template="{part}"),
)  # fmt: skip


def runs_in(folder: Path, *, seeds: Sequence[int] = (6, 8), reference: Sequence[int] = (10, 10, 10)) -> list[RunRecord]:
    clips = {"reference": world(reference), "baseline": world([10, 0, 0]), "as-hosted": world(reference)}
    roles = {"reference": Role.REFERENCE, "baseline": Role.BASELINE}
    runs = [kept(folder, name, clip, roles.get(name, Role.VARIANT)) for name, clip in clips.items()]
    runs.append(kept(folder, "rerun", clips["baseline"], Role.RERUN))
    return [*runs, *(kept(folder, f"seed-{n}", world([side] * 3), Role.SEED) for n, side in enumerate(seeds))]


def seen(folder: Path, runs: list[RunRecord], measure: ShareOfColour, plan: Plan = PLAN) -> SemanticsRecord:
    files = {("p", run.name): folder / run.clip.lossless for run in runs if run.clip}
    (found,) = measure_semantics(plan, runs, files, folder, SilentListener(), opened=lambda _model, _revision: measure)
    return found


def test_a_thing_that_is_missing_is_a_number_and_a_curve(tmp_path: Path) -> None:
    measure = ShareOfColour()
    found = seen(tmp_path, runs_in(tmp_path), measure)
    assert found.measured
    assert measure.closed
    assert [(text.part, text.asked) for text in found.texts] == [
        ("", "a red and a yellow square"), ("red", "red"), ("yellow", "yellow")
    ]  # fmt: skip
    red, yellow = found.texts[1:]
    baseline, matched = red.of("baseline"), red.of("as-hosted")
    assert baseline
    assert matched
    assert baseline.frames == [share(10), 0, 0]
    assert baseline.mean == pytest.approx(share(10) / 3)
    assert baseline.difference == pytest.approx(share(10) * 2 / 3)
    assert (baseline.place, matched.place, matched.difference) == ("below", "above", 0)
    assert red.seeds == pytest.approx((share(6), share(8)))
    assert red.rerun == 0
    assert baseline.sentence == "red: 0.065 in the reference, 0.022 in baseline (other seeds 0.023 to 0.042)"
    still = yellow.of("baseline")
    assert still
    assert (still.difference, still.place) == (0, "within")
    assert red.clips[0].run == "reference"
    assert found.notes == ["the detector knows two colours"]


def test_of_a_private_prompt_the_numbers_are_kept_and_no_words(tmp_path: Path) -> None:
    hidden = replace(PLAN, prompts=(replace(PLAN.prompts[0], private=True),))
    shown, private = (seen(tmp_path, runs_in(tmp_path), ShareOfColour(), plan) for plan in (PLAN, hidden))
    assert [(text.part, text.asked) for text in private.texts] == [("", ""), ("part 1", ""), ("part 2", "")]
    assert [text.clips[0].frames for text in private.texts] == [text.clips[0].frames for text in shown.texts]
    words = private.model_copy(update={"notes": []}).model_dump_json()
    assert not any(word in words for word in ("red:", "yellow", "square"))
    assert "yellow" in shown.model_dump_json()


def test_without_reference_or_seeds_there_is_still_a_curve_and_no_scale(tmp_path: Path) -> None:
    runs = [run for run in runs_in(tmp_path, seeds=()) if run.name != "reference"]
    baseline = seen(tmp_path, runs, ShareOfColour()).texts[1].of("baseline")
    assert baseline
    assert (baseline.difference, baseline.place) == (None, "")
    assert baseline.sentence == "red: 0.022 in baseline (no other seed was measured)"


def test_no_clip_is_measured_twice(tmp_path: Path) -> None:
    runs, measure = runs_in(tmp_path), ShareOfColour()
    first = seen(tmp_path, runs, measure)
    assert measure.measured == 4  # the twin of the reference and the re-run are files of the same bytes
    assert seen(tmp_path, runs, measure) == first
    assert measure.measured == 4
    next((tmp_path / "semantics").iterdir()).write_text('{"scores": [[0.5')
    assert seen(tmp_path, runs, measure) == first
    assert measure.measured == 5
    other = Plan(**{**vars(PLAN), "semantics": Semantics("a-detector", {"p": ("yellow",)}, template="{part}")})
    assert [text.part for text in seen(tmp_path, runs, measure, other).texts] == ["", "yellow"]
    assert measure.measured == 9
    Store(tmp_path).forget_all()
    assert not list((tmp_path / "semantics").iterdir())


class Interrupted(ShareOfColour):
    """Ctrl-C while the third clip is measured."""

    def measure(
        self, frames: Iterable[Frame], texts: Sequence[str], on_frame: Callable[[int], None] = lambda _: None
    ) -> Agreement:
        if self.measured == 2:
            raise KeyboardInterrupt
        return super().measure(frames, texts, on_frame)


def test_what_was_measured_before_an_interrupt_is_not_measured_again(tmp_path: Path) -> None:
    runs, interrupted, goes_on = runs_in(tmp_path), Interrupted(), ShareOfColour()
    with pytest.raises(KeyboardInterrupt):
        seen(tmp_path, runs, interrupted)
    assert interrupted.closed
    assert seen(tmp_path, runs, goes_on).measured
    assert goes_on.measured == 2


def test_what_cannot_be_measured_is_told_for_every_prompt(tmp_path: Path) -> None:
    runs = runs_in(tmp_path)
    (found,) = measure_semantics(
        Plan(**{**vars(PLAN), "semantics": Semantics(str(tmp_path / "nowhere"), {"p": ("red",)})}),
        runs, {}, tmp_path, SilentListener(),
    )  # fmt: skip
    assert not found.measured
    assert "there is no folder" in found.reason
    assert found.hint
    (tmp_path / "reference.mkv").write_bytes(b"torn")
    assert "cannot be opened as a video" in seen(tmp_path, runs, ShareOfColour()).reason
    assert seen(tmp_path, [], ShareOfColour()).reason == "there is no clip to look at"
    assert not list(measure_semantics(Plan(**{**vars(PLAN), "semantics": None}), runs, {}, tmp_path, SilentListener()))


def test_the_tables_hold_each_compared_pair(tmp_path: Path) -> None:
    found = seen(tmp_path, runs_in(tmp_path), ShareOfColour())
    pairs = [(0, 1), (2, 0)]
    index = pd.MultiIndex.from_tuples(pairs, names=["reference_frame", "candidate_frame"])
    before = pd.DataFrame({"psnr": [float("inf"), 0.1 + 0.2]}, index=index)
    before.to_csv(tmp_path / "frames.csv")
    comparison = ComparisonRecord(prompt="p", reference="reference", candidate="baseline", path="",
                                  frame_map=pairs, frames_csv="frames.csv", verdict=Verdict.DIFFERS)  # fmt: skip
    write_into_tables(found, [comparison], tmp_path)
    table = pd.read_csv(tmp_path / "frames.csv", index_col=[0, 1])
    assert table[["psnr"]].equals(before)
    assert table["red@reference"].tolist() == [share(10), share(10)]
    assert table["red@candidate"].tolist() == [0, share(10)]
    assert list(table) == [
        "psnr",
        *(f"{part}@{side}" for part in ("prompt", "red", "yellow") for side in ("reference", "candidate")),
    ]


# ---- the page

HOSTILE = "</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}"


def test_the_page_draws_a_curve_over_the_references_frames_for_each_text(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=4)
    curves = {"reference": [0.25, 0.5], "baseline": [0.1, 0.2, 0.3], "as-hosted": [0.25, 0.5], "seed 43": [0.4, 0.4]}
    text = TextRecord(
        part=HOSTILE, asked=f"a photo of {HOSTILE}", seeds=(0.4, 0.4),
        clips=[AgreementRecord(run=run, mean=frames[0], frames=frames, sentence="s", place="below",
                               difference=None if run == "reference" else 0.25 - frames[0])
               for run, frames in curves.items()],
    )  # fmt: skip
    found = SemanticsRecord(
        prompt="lemon", model="org/clip", version="2e", about="Cosine.", texts=[text], notes=[HOSTILE]
    )
    maps = {"baseline": [(0, 0), (1, 2)], "as-hosted": [(0, 0), (1, 1)], "seed 43": [(0, 0), (1, 1)]}
    comparisons = [
        each.model_copy(
            update={
                "frame_map": maps[each.candidate],
                "per_frame": {name: values[:2] for name, values in each.per_frame.items()},
            }
        )
        if each.candidate in maps
        else each
        for each in record.comparisons
    ]
    record = record.model_copy(update={"semantics": [found], "comparisons": comparisons})
    shown = semantics_view(record, record.prompts[0])
    assert shown
    assert [name for name, _ in shown.rows] == ["reference", "baseline", "as-hosted"]
    (cell,) = shown.rows[1][1]
    assert cell
    assert (cell.mean, cell.difference, cell.place) == (
        "0.100",
        "0.150 less than the reference",
        "below every other seed",
    )
    assert shown.asked[0].seeds == "0.400"
    drawn = shown.asked[0].plot
    assert drawn
    assert [(curve.names, curve.shown) for curve in drawn.curves] == [
        (["reference", "as-hosted"], ["0.250", "0.500"]),
        (["baseline"], ["0.100", "0.300"]),
        (["seed 43"], ["0.400", "0.400"]),
    ]
    assert drawn.controls == ["seed 43"]
    page = render_html(record, tmp_path)
    assert "What the clips show" in page
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page
    assert semantics_view(synthetic_audit(tmp_path, frames=1), record.prompts[0]) is None


# ---- the scenario

HERE = Path("/somewhere/audit.toml")
SCENARIO = """
title = "Small"
[prompts.lemon]
text = "a hand squeezes a lemon"
seed = 42
[prompts.cat]
text = "a cat"
seed = 42
parts = ["cat"]
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
[reference]
variant = "baseline"
[semantics]
model = "./clip"
parts = ["hand", "half a lemon"]
"""


def test_a_prompt_may_have_parts_of_its_own() -> None:
    plan = plan_scenario(parse_scenario(SCENARIO, HERE))
    assert plan.semantics
    assert plan.semantics.model == "/somewhere/clip"
    lemon, cat = (plan.semantics.texts(prompt) for prompt in plan.prompts)
    assert lemon == {
        "": "a hand squeezes a lemon", "hand": "a photo of hand", "half a lemon": "a photo of half a lemon"
    }  # fmt: skip
    assert cat == {"": "a cat", "cat": "a photo of cat"}
    without = SCENARIO.partition("[semantics]")[0].replace('parts = ["cat"]', "")
    assert plan_scenario(parse_scenario(without, HERE)).semantics is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"half a lemon"', '"hand"', "semantics.parts.1: found 'hand'; expected each part once"),
        (
            '["cat"]',
            '["prompt"]',
            "prompts.cat.parts.0: found 'prompt'; expected each part once, and none named prompt",
        ),
        ("[semantics]", "[semantic]", "prompts.cat.parts: found parts without [semantics]"),
        ('"./clip"', '"clip"', "semantics.model: found 'clip'; expected a CLIP checkpoint"),
        (
            '"./clip"',
            '"./clip"\ntemplate = "a photo"',
            "semantics.template: found 'a photo'; expected a text of up to 200",
        ),
        ('"./clip"', '"./clip"\ntrust_remote_code = true', "semantics.trust_remote_code: found the unknown key"),
        ('["cat"]', '"cat"', "prompts.cat.parts: found 'cat'; expected a list"),
    ],
)
def test_mistakes_are_told_with_their_place(old: str, new: str, told: str) -> None:
    assert SCENARIO.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(SCENARIO.replace(old, new), HERE)
    assert told in caught.value.message


# ---- whole audits

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


def test_an_audit_says_what_its_clips_show(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoint, tmp_path / "clip")
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
    assert f"shows the prompt: {found.texts[0].clips[0].mean:.3f} in the reference" in printed
    assert judged.sentence in printed
    baseline = record.run("lemon", "baseline").clip
    assert baseline
    frames = read_clip(folder / baseline.lossless).frames
    expected = Contrastive.opened(str(checkpoint)).measure(iter(frames), ["a photo of hand"]).scores[:, 0]
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
    assert "gate on as-hosted: holds" in printed
    assert "Not measured: " in (folder / "report.html").read_text("utf-8")


def test_two_files_are_held_against_each_other_by_what_they_show(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (tmp_path / f"{name}.mp4" for name in ("one", "other"))
    for path, seed in ((one, 0), (other, 1)):
        export_to_video(moving_ball(6, seed=seed), path, quality=5)
    asked = ["--semantics", str(checkpoint), "--part", "hand", "--part", "lemon"]
    assert main(["compare", str(one), str(other), "--out", str(tmp_path / "out"), *asked]) == 0
    (found,) = read_record(tmp_path / "out").semantics
    assert [text.part for text in found.texts] == ["hand", "lemon"]
    (mine, theirs) = found.texts[0].clips
    assert theirs.difference == pytest.approx(mine.mean - theirs.mean)
    assert theirs.sentence in " ".join(capsys.readouterr().out.split())
    assert main(["compare", str(one), str(other), "--out", str(tmp_path / "out"), "--part", "hand"]) == 2
    assert "--semantics and --part go together" in capsys.readouterr().err
