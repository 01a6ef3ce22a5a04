"""What traces say where not everything was observed, where schedulers scale differently, and where only bits differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from spacediff.comparing.traces import compare_traces
from spacediff.observer.latents_file import write_latents
from spacediff.record import (
    ClipRecord,
    NoiseRecord,
    Role,
    RunRecord,
    Stage,
    StepRecord,
    TraceComparisonRecord,
    TraceRecord,
)
from spacediff.wording import trace_text

SIZES = {"frames": 1, "width": 8, "height": 8, "fps": 8.0, "lossless": "clip.mkv", "preview": "clip.mp4"}
NOISE = NoiseRecord(digest="n", mean=0, std=1, low=-3, high=3, shape=[1], dtype="float32", device="cpu")


def step(digest: str, **changed: Any) -> StepRecord:
    plain = {"timestep": 1.0, "guidance": None, "mean": 0.0, "std": 1.0, "norm": 1.0, "nonfinite": 0}
    return StepRecord.model_validate(plain | {"digest": digest} | changed)


def run(name: str, pictures: str = "same", **trace: Any) -> RunRecord:
    whole = {"embeddings": ["e"], "noise": NOISE, "steps": [step("s")], "decoded": "d"} | trace
    return RunRecord(
        key=name,
        name=name,
        role=Role.VARIANT,
        prompt="p",
        source="diffusers",
        measured=True,
        clip=ClipRecord(digest=pictures, **SIZES),
        trace=TraceRecord(**whole),
    )


def compared(
    reference: RunRecord, candidate: RunRecord, folder: Path = Path(), *, equal_once_encoded: bool = False
) -> TraceComparisonRecord:
    found = compare_traces(reference, candidate, folder, equal_once_encoded=equal_once_encoded)
    assert found
    return found


def test_steps_that_were_not_seen_are_never_called_identical() -> None:
    blind: dict[str, Any] = {"steps": [], "unobserved": ["steps"]}
    found = compared(run("a", **blind), run("b", "other", decoded="x", **blind))
    assert (found.stage, found.unobserved) == (Stage.UNOBSERVED, ["steps"])
    assert trace_text(found).startswith("The steps were not observed")
    alike = compared(run("a", **blind), run("b", **blind))
    assert alike.stage is Stage.NOWHERE
    assert trace_text(alike) == "Identical in every stage that was observed; not observed: the steps."
    assert compared(run("a"), run("b", "other", **blind)).stage is Stage.UNOBSERVED, "one side is enough"


def test_a_decoding_that_was_not_seen_is_not_blamed() -> None:
    blind: dict[str, Any] = {"decoded": "", "unobserved": ["decoding"]}
    found = compared(run("a", **blind), run("b", "other", **blind))
    assert found.stage is Stage.UNOBSERVED
    assert trace_text(found) == "Identical through all 1 steps; the decoding was not observed, and the pictures differ."
    assert compared(run("a"), run("b", "other", decoded="x")).stage is Stage.DECODING


def test_a_decoding_that_differs_below_a_level_does_not_diverge() -> None:
    found = compared(run("a"), run("b", decoded="x"))
    assert found.stage is Stage.NOWHERE
    assert trace_text(found) == (
        "Identical in every stage but one. "
        "The VAE's output differs, but by too little to change a level of the pictures."
    )


def test_what_only_an_encoded_file_shows_is_not_called_below_a_level() -> None:
    once = "Identical in every stage but one. The VAE's output differs; once encoded, the pictures are the same."
    file = run("a").model_copy(update={"clip": ClipRecord(digest="same", original="a.mp4", **SIZES)})
    assert trace_text(compared(file, run("b", decoded="x"))) == once
    assert trace_text(compared(run("a"), run("b", "other", decoded="x"), equal_once_encoded=True)) == once
    assert compared(file, run("b", decoded="")).differing == [], "one that is unknown is not another one"
    partly = compared(run("a"), run("b", decoded="x", steps=[], unobserved=["steps"]))
    assert trace_text(partly).startswith("Identical in every stage but one that was observed; not observed: the steps.")


def test_steps_that_were_not_seen_are_not_called_identical_without_frames() -> None:
    reference = run("a", steps=[], unobserved=["steps"]).model_copy(update={"clip": None, "measured": False})
    found = compared(reference, run("b", decoded="x", steps=[]))
    assert (found.stage, found.unobserved) == (Stage.UNOBSERVED, ["steps", "frames"])
    assert trace_text(found).startswith("The steps were not observed")
    alike = compared(reference, run("b", steps=[]))
    assert trace_text(alike) == "Identical in every stage that was observed; not observed: the steps, the frames."
    unmeasured = run("a").model_copy(update={"clip": None, "measured": False})
    assert compared(unmeasured, run("b", decoded="x")).stage is Stage.DECODING


def test_input_pictures_that_are_encoded_differently_are_named() -> None:
    found = compared(run("a", inputs=["i"]), run("b", "other", inputs=["j"], steps=[step("t")]))
    assert found.stage is Stage.INPUT
    assert trace_text(found) == "The encoding of the input pictures differs."


def test_the_guidance_given_to_the_model_is_a_condition_of_its_own() -> None:
    ours, theirs = (run(name, steps=[step(name, embedded_guidance=scale)]) for name, scale in (("a", 3.5), ("b", 7.0)))
    assert "The guidance scale given to the model is 7 instead of 3.5." in trace_text(compared(ours, theirs))


def test_the_scales_of_the_frames_are_a_condition_of_their_own() -> None:
    ours, theirs = (run(str(high), steps=[step(str(high), guidance_range=(1.0, high))]) for high in (3.0, 9.0))
    assert "scale over the frames is 1 to 9 instead of 1 to 3." in trace_text(compared(ours, theirs))
    assert "instead of none" in trace_text(compared(run("a"), theirs))


@pytest.mark.parametrize(
    ("kind", "signals", "distance"),
    [
        ("variance exploding", (1.0, 1.0), 0.0),
        ("variance exploding", (1.0, 0.5), 1.0),
        ("flow matching", (1.0, 1.0), None),
        ("", (1.0, 1.0), None),
    ],
)
def test_latents_are_compared_in_one_scaling_or_not_at_all(
    kind: str, signals: tuple[float, float], distance: float | None, tmp_path: Path
) -> None:
    clean = torch.arange(1.0, 9.0)
    preserving = (0.25, 0.5)  # the factor of the clean sample before each step
    write_latents([clean * 0.25, clean * 0.5, clean], tmp_path / "a")
    write_latents([clean, clean, clean], tmp_path / "b")
    reference = run(
        "a",
        latents="a",
        scaling="variance preserving",
        steps=[step(f"a{signal}", signal=signal) for signal in preserving],
    )
    candidate = run("b", latents="b", scaling=kind, steps=[step(f"b{n}", signal=s) for n, s in enumerate(signals)])
    found = compared(reference, candidate, tmp_path)
    assert found.scalings == ("variance preserving", kind or "unknown")
    if distance is None:
        assert found.distances == []
        assert "cannot be compared" in trace_text(found)
    else:
        assert found.distances[1] == pytest.approx(distance)
        assert "each divided by its share of the clean sample" in trace_text(found)


def test_another_number_of_encoded_inputs_is_another_input() -> None:
    reference = run("a", inputs=["x", "y"])
    found = compared(reference, run("b", inputs=["x"]))
    assert found.stage is Stage.INPUT
    assert "The number of encoded inputs is 1 instead of 2." in trace_text(found)
    other = compared(reference, run("b", inputs=["x", "z"]))
    assert (other.stage, other.differing) == (Stage.INPUT, [])
    assert compared(reference, run("b", inputs=["x", "y"])).stage is Stage.NOWHERE
