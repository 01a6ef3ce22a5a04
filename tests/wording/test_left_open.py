"""What an audit leaves open, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.record import Fact, FactKind, fact
from spacediff.wording import left_open_phrase, left_open_text, presenting
from support.synthetic_audit import synthetic_audit


@pytest.mark.parametrize(
    ("left_open", "said"),
    [
        (fact(FactKind.OPEN_SETTINGS, unknown=35, of=51), "35 of the Space's 51 settings"),
        (fact(FactKind.OPEN_SETTINGS, unknown=0, of=0), "the settings that made the files"),
        (
            fact(FactKind.OPEN_LIBRARIES, libraries=["torch", "diffusers"]),
            "the Space's versions of torch and diffusers",
        ),
        (fact(FactKind.OPEN_RUNS, runs=["a", "b"]), "a and b"),
        (fact(FactKind.OPEN_RUNS, runs=["a", "b", "c", "d"]), "4 runs, such as a"),
        (fact(FactKind.OPEN_DRIFT, rerun=False, seeds=False), "the drift (no re-run and no different seed)"),
        (fact(FactKind.OPEN_DRIFT, rerun=True, seeds=False), "the drift (no different seed)"),
        (fact(FactKind.OPEN_DRIFT, rerun=True, seeds=True), "the drift (floor and ceiling do not separate)"),
        (fact(FactKind.OPEN_PROBES, early=1), "the clips of 1 probe that ended early"),
        (fact(FactKind.OPEN_PROMPTS, prompts=1, seeds=1), "other prompts and seeds (this is one prompt, one seed)"),
        (fact(FactKind.OPEN_PROMPTS, prompts=3, seeds=24), "other prompts and seeds (this is three prompts, 24 seeds)"),
        (fact(FactKind.OPEN_CLIPS), "other clips (this is one pair)"),
    ],
)
def test_each_thing_is_a_few_words(left_open: Fact, said: str) -> None:
    assert left_open_phrase(left_open) == said


def test_all_of_them_are_one_line_that_names_the_reference_as_it_is(tmp_path: Path) -> None:
    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    kept = [fact(FactKind.OPEN_HARDWARE), fact(FactKind.OPEN_SOUND)]
    record = record.model_copy(update={"left_open": kept})
    assert left_open_text(record) == "the Space's hardware; sound."
    runs = [run.model_copy(update={"source": "command"}) if run.name == "reference" else run for run in record.runs]
    with presenting(record.model_copy(update={"runs": runs})):
        assert left_open_text(record) == "the program's hardware; sound."
    assert left_open_text(record.model_copy(update={"left_open": []})) == ""
