"""Groups of drawn clips: what differs is found, what does not is left open, and equal clips are one sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, Frame
from spacediff.comparing.samples import compare_samples
from spacediff.comparing.samples.shown import Shown
from spacediff.metrics.semantic import Agreement
from spacediff.plan import Plan, plan_scenario
from spacediff.progress import SilentListener
from spacediff.record import FactKind, Role, RunRecord, SamplesRecord
from spacediff.scenario.scenario import parse_scenario
from spacediff.wording import samples_text, sentences
from support.kept_runs import kept

COUNT = 6
SCENARIO = """
title = "t"
samples = 6
prompts.p = { text = "a lemon", seed = 1 }
baseline.model.id = "builtin:tiny-cogvideox"
reference.variant = "other"
[variants.other]
call.guidance_scale = 3.0
"""
SIZE = (24, 32)


def drawn(seed: int, *, contrast: float = 1.0, size: tuple[int, int] = SIZE, fps: int = 8, frames: int = 3) -> Clip:
    """A clip of soft noise that moves to the right."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(-60, 60, (size[0] // 4, size[1] // 4, 3)).repeat(4, axis=0).repeat(4, axis=1)
    shown = [np.clip(128 + contrast * np.roll(coarse, n, axis=1), 0, 255) for n in range(frames)]
    return Clip(np.stack(shown).astype(np.uint8), Fraction(fps))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_scenario(parse_scenario(SCENARIO, Path("t.toml")))


def names(plan: Plan, first: str) -> list[str]:
    return [run.name for run in plan.runs if first in {run.name, run.sample_of}]


def compared(plan: Plan, folder: Path, ours: list[Clip], theirs: list[Clip]) -> SamplesRecord:
    """Compare clips as the baseline's with clips as the reference's."""
    runs: list[RunRecord] = []
    for first, clips, role in (("other", theirs, Role.VARIANT), ("baseline", ours, Role.BASELINE)):
        for name, clip in zip(names(plan, first), clips, strict=False):
            runs.append(kept(folder, name, clip, role if name == first else Role.SAMPLE))
    (found,) = compare_samples(plan, runs, folder, SilentListener())
    return found


def group(first: int, *, contrast: float = 1.0) -> list[Clip]:
    return [drawn(first + n, contrast=contrast) for n in range(COUNT)]


@pytest.fixture(scope="module")
def other_seeds(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> SamplesRecord:
    return compared(plan, tmp_path_factory.mktemp("seeds"), group(0), group(100))


@pytest.fixture(scope="module")
def duller(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> SamplesRecord:
    return compared(plan, tmp_path_factory.mktemp("duller"), group(0, contrast=0.5), group(100))


def test_other_seeds_are_no_finding_and_no_proof(other_seeds: SamplesRecord) -> None:
    assert other_seeds.measured
    assert not other_seeds.findings
    assert other_seeds.able
    assert other_seeds.tests == len(other_seeds.measures) == 9
    said = samples_text(other_seeds)
    assert "no difference was found between its 6 clips and the 6 of the reference" in said
    assert "This does not mean that they are the same." in said


def test_half_the_contrast_is_found_and_named_with_its_direction(duller: SamplesRecord) -> None:
    found = {each.info.name: each for each in duller.findings}
    assert {"contrast", "saturation", "diversity"} <= found.keys()
    assert "red-green" not in found
    assert found["contrast"].effect == -1
    assert found["contrast"].adjusted == pytest.approx(9 * found["contrast"].p)
    assert "contrast is lower in 100 of 100 pairs" in samples_text(duller)


def test_every_value_of_a_measure_is_that_of_one_clip(duller: SamplesRecord) -> None:
    for each in duller.measures:
        assert len(each.reference) == len(duller.reference_runs) == COUNT
        assert len(each.candidate) == len(duller.candidate_runs) == COUNT


def test_equal_clips_are_one_sample(plan: Plan, tmp_path: Path) -> None:
    found = compared(plan, tmp_path, [drawn(0)] * COUNT, group(100))
    assert not found.measured
    assert [each.kind for each in found.notes] == [FactKind.SAMPLES_EQUAL, FactKind.SAMPLES_TOO_FEW]
    assert "all are the same, so they count as one" in samples_text(found)


def test_too_few_clips_for_any_finding_are_said(plan: Plan, tmp_path: Path) -> None:
    found = compared(plan, tmp_path, group(0, contrast=0.2)[:4], group(100)[:4])
    assert found.measured
    assert not found.findings
    assert not found.able
    assert "So few clips cannot show any difference in 9 tests, however large. At least 6 a side" in samples_text(found)


def test_sizes_and_rates_that_differ_are_said(plan: Plan, tmp_path: Path) -> None:
    found = compared(plan, tmp_path, group(0), [drawn(100 + n, size=(48, 64), fps=16) for n in range(COUNT)])
    assert [each.kind for each in found.notes] == [FactKind.SAMPLES_SCALED, FactKind.SAMPLES_RATES_DIFFER]
    assert "all were measured at 32x24" in sentences(found.notes)[0]


@pytest.mark.parametrize("one_side", [False, True])
def test_a_single_clip_of_another_kind_is_said_whichever_it_is(plan: Plan, tmp_path: Path, *, one_side: bool) -> None:
    theirs = [*group(100)[:-1], drawn(150, size=(48, 64), fps=16, frames=5)]
    found = compared(plan, tmp_path, group(0) if one_side else [*group(0)[:-1], drawn(50, frames=1)], theirs)
    kinds = [FactKind.SAMPLES_SCALED, FactKind.SAMPLES_RATES_DIFFER, FactKind.SAMPLES_LENGTHS_DIFFER]
    assert [each.kind for each in found.notes] == kinds
    scaled, rates, lengths = found.notes
    assert scaled.values["reference"] == [[32, 24], [64, 48]]
    assert rates.values == {"reference": [8.0, 16.0], "candidate": [8.0]}
    assert lengths.values == {"reference": [3, 5], "candidate": [3] if one_side else [1, 3]}
    assert ("motion was not compared" in sentences(found.notes)[2]) is not one_side
    assert ("motion" in {each.info.name for each in found.measures}) is one_side


def test_clips_that_show_nothing_are_no_samples(plan: Plan, tmp_path: Path) -> None:
    black = Clip(np.zeros((3, *SIZE, 3), np.uint8), Fraction(8))
    runs = [kept(tmp_path, name, drawn(n), Role.SAMPLE) for n, name in enumerate(names(plan, "other"))]
    ours = [kept(tmp_path, name, drawn(50 + n), Role.SAMPLE) for n, name in enumerate(names(plan, "baseline"))]
    empty = kept(tmp_path, ours[-1].name, black, Role.SAMPLE)
    assert empty.clip
    ours[-1] = empty.model_copy(update={"clip": empty.clip.model_copy(update={"colour": [0, 0, 0]})})
    (found,) = compare_samples(plan, [*runs, *ours], tmp_path, SilentListener())
    assert len(found.candidate_runs) == COUNT - 1
    assert found.notes[0].kind is FactKind.SAMPLES_MISSING
    assert found.notes[0].values == {"candidate": True, "missing": 1, "clips": COUNT}


def test_both_sides_have_a_strip(duller: SamplesRecord) -> None:
    assert duller.reference_strip.endswith("samples-reference.png")
    assert duller.candidate_strip.endswith("samples-candidate.png")


def test_a_plan_without_samples_compares_no_groups(tmp_path: Path) -> None:
    alone = plan_scenario(parse_scenario(SCENARIO.replace("samples = 6\n", ""), Path("t.toml")))
    assert compare_samples(alone, [], tmp_path, SilentListener()) == []


class NoNumbers:
    """A model whose values are no numbers, as in half precision that overflows."""

    identity = version = about = "broken"

    def measure(self, frames: Iterable[Frame], texts: Sequence[str], on_frame: object = None) -> Agreement:  # noqa: ARG002 - the protocol's
        return Agreement(np.full((len(list(frames)), len(texts)), np.nan))

    def close(self) -> None:
        """Nothing is open."""


def test_a_model_that_gives_no_numbers_is_a_note_and_no_finding(tmp_path: Path) -> None:
    asked = plan_scenario(parse_scenario(SCENARIO + "[semantics]\nmodel = 'builtin:tiny-detector'", Path("t.toml")))
    run = kept(tmp_path, "baseline", drawn(0), Role.BASELINE)
    assert run.clip
    with Shown(asked, tmp_path, SilentListener(), opened=lambda *_: NoNumbers()) as shown:
        assert shown.of(asked.prompts[0], run.name, tmp_path / run.clip.lossless) == {}
    assert [each.kind for each in shown.notes] == [FactKind.SAMPLES_CONTENTS_UNKNOWN]
    assert "no finite number" in sentences(shown.notes)[0]


def test_a_test_that_fails_is_a_note(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("spacediff.comparing.samples.tests.distances", fails)
    found = compared(plan, tmp_path, group(0), group(100))
    assert not found.measured
    assert "no room" in samples_text(found)
