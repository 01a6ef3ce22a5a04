"""What clips show: by a small CLIP checkpoint against transformers' own forward pass, and by a detector of colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spacediff.clip import Clip, Frame
from spacediff.comparing.semantics import measure_semantics, write_into_tables
from spacediff.metrics.semantic import Agreement
from spacediff.plan import Plan, Semantics
from spacediff.record import ComparisonRecord, Role, RunRecord, SemanticsRecord, Verdict, quoted
from spacediff.run import Prompt
from spacediff.store.store import Store
from spacediff.wording import agreement_text
from support.kept_runs import kept

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
        return Agreement(np.array(rows), (quoted("the detector knows two colours"),))

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
    assert agreement_text(red, "baseline", "reference") == (
        "red: 0.065 in the reference, 0.022 in baseline (different seeds: 0.023 to 0.042)"
    )
    still = yellow.of("baseline")
    assert still
    assert (still.difference, still.place) == (0, "within")
    assert red.clips[0].run == "reference"
    assert found.notes == [quoted("the detector knows two colours")]


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
    red = seen(tmp_path, runs, ShareOfColour()).texts[1]
    baseline = red.of("baseline")
    assert baseline
    assert (baseline.difference, baseline.place) == (None, "")
    assert agreement_text(red, "baseline", "reference") == "red: 0.022 in baseline (different seeds were not measured)"


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
    Store(tmp_path).discard_all()
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


def test_what_cannot_be_measured_is_reported_for_every_prompt(tmp_path: Path) -> None:
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
    comparison = ComparisonRecord(prompt="p", reference="reference", candidate="baseline",
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
