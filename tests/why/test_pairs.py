"""Pairs of a script and a Space in different styles: the innocent ones are acquitted, each guilty one is found."""

from __future__ import annotations

import pytest

from spacediff.reading import read_source
from spacediff.reading.machine_look_up import hosted_on
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.headline import headline
from support.paths import ROOT

PAIRS = ROOT / "tests" / "data" / "pairs"
INNOCENT = sorted(folder.name for folder in PAIRS.glob("decoy-*"))
GUILTY = {
    "guilty-flow-shift": "scheduler.flow_shift",
    "guilty-lora-scale": "lora.style.scale",
    "guilty-negative-prompt": "call.negative_prompt",
    "guilty-option-on": "upscaling",
    "guilty-quantised-encoder": "load.quantization_config",
    "guilty-random-seed": "random seed",
    "guilty-scheduler-argument": "scheduler.timestep_spacing",
    "guilty-second-guidance": "call.guidance_scale_2",
    "guilty-seed-device": "rng.device",
    "guilty-vae-dtype": "load.vae",
}
"""Folder of a pair to the one thing that differs."""


def compared(pair: str) -> ComparedSettings:
    script = read_source(PAIRS / pair / "script.py")
    like = str(script.settings.value("model.pipeline"))
    return compare_sources(script, read_source(PAIRS / pair / "space.py", like, hosted_on(hardware="")))


def differing(found: ComparedSettings) -> list[str]:
    rows = [row.path for row in found.differences if row.changes_the_clip]
    return rows + [effect.kind for effect in found.effects]


@pytest.mark.parametrize("pair", INNOCENT)
def test_a_pair_that_differs_in_nothing_is_acquitted(pair: str) -> None:
    found = compared(pair)
    assert differing(found) == []
    assert found.questions == [], "an acquittal is not to drown in questions"
    assert headline(found).startswith("No difference among the ")


def test_all_pairs_are_tried() -> None:
    assert len(INNOCENT) >= 8
    assert {folder.name for folder in PAIRS.glob("guilty-*")} == {*GUILTY}


@pytest.mark.parametrize("pair", GUILTY)
def test_the_one_difference_of_a_pair_is_found(pair: str) -> None:
    found = compared(pair)
    assert differing(found) == [GUILTY[pair]]
    assert not headline(found).startswith("No difference")
