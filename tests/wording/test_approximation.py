"""What is said of an approximation: a setting has a value, and what a source does is a sentence of its own."""

from __future__ import annotations

from typing import get_args

from spacediff.reading.model import NoteKind
from spacediff.record import FactKind, fact
from spacediff.why.effects import ABOUT_READING
from spacediff.wording import sentence
from spacediff.wording.approximation import SAID_OF_CODE

REUSED = {
    "setting": "reused generator",
    "value": "its noise continues that of gman.py:5",
    "where": "gman.py:6",
    "reason": "",
}


def test_what_a_source_does_is_no_value() -> None:
    assert sentence(fact(FactKind.APPROXIMATED, **REUSED)) == (
        "The scenario does not say this of the script: reused generator (gman.py:6): its noise continues that of "
        "gman.py:5."
    )
    asked = {**REUSED, "setting": "an open question", "value": "Does it matter?", "reason": "nobody knows"}
    assert sentence(fact(FactKind.APPROXIMATED, **asked)).endswith(
        "of the script (nobody knows): an open question (gman.py:6): Does it matter?"
    )
    assert sentence(fact(FactKind.SPACE_APPROXIMATED, **REUSED)).startswith(
        "The variant in place of the Space does not say this of it: reused generator (gman.py:6): its noise"
    )


def test_a_setting_has_a_value() -> None:
    said = sentence(fact(FactKind.APPROXIMATED, **{**REUSED, "setting": "vae.dtype", "value": "float32"}))
    assert said == "The script's dtype of the VAE is float32 (gman.py:6), which the scenario does not say."


def test_every_kind_of_note_that_is_left_out_of_a_scenario_is_one_of_these() -> None:
    assert {*get_args(NoteKind)} - ABOUT_READING <= SAID_OF_CODE
