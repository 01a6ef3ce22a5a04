"""Every kind of fact has a sentence, made of exactly the values that the kind has."""

from __future__ import annotations

import inspect
import math
import re

import pytest

from spacediff.record import Fact, FactKind, fact, quoted
from spacediff.wording import after_colon, paragraph, sentence
from spacediff.wording.vocabulary import WORDS
from support.dialect import dialect_in
from support.facts import made, value

HOSTILE = '<script>{name}%(run)s \\x1b[31m"\n| `a`'
ENDS = (".", "?", "!")

NOTHING = re.compile(r"\bNone\b(?! of )")


@pytest.mark.parametrize("kind", FactKind)
def test_every_kind_is_worded_from_exactly_its_values(kind: FactKind) -> None:
    words = inspect.signature(WORDS[kind]).parameters
    assert set(words) == set(kind.values)
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in words.values())


@pytest.mark.parametrize("kind", FactKind)
def test_every_kind_gives_a_whole_sentence(kind: FactKind) -> None:
    said = sentence(made(kind))
    assert said.endswith(ENDS)
    assert said == said.strip()
    assert "  " not in said
    assert not NOTHING.search(said)
    assert not dialect_in(said)
    for name, of in kind.values.items():
        if of in (str | None, int | None, float | None):
            said = sentence(fact(kind, **{**made(kind).values, name: None}))
            assert said.endswith(ENDS)
            assert not NOTHING.search(said)


@pytest.mark.parametrize("kind", [kind for kind in FactKind if {str, list[str]} & {*kind.values.values()}])
def test_a_strangers_text_stays_text(kind: FactKind) -> None:
    """It is neither a format nor lost, except where it is one of a few words that the kind knows."""
    said = sentence(made(kind, HOSTILE))
    known = {FactKind.X264_OPTION_LOST, FactKind.CONTROL_FAILED}
    assert HOSTILE in said or HOSTILE.rstrip() in said or kind in known


@pytest.mark.parametrize("kind", [kind for kind in FactKind if {float, float | None} & {*kind.values.values()}])
def test_an_infinite_number_is_worded_too(kind: FactKind) -> None:
    values = {name: math.inf if of in (float, float | None) else value(of, "x") for name, of in kind.values.items()}
    made = fact(kind, **values)
    assert sentence(Fact.model_validate_json(made.model_dump_json())) == sentence(made)
    assert "nan" not in sentence(made)


def test_what_a_fact_rests_on_follows_behind_a_colon() -> None:
    reasons = [quoted("the Space is asleep"), quoted("Wake it first!")]
    assert sentence(fact(FactKind.NO_REFERENCE, *reasons)) == (
        "There is no reference: the Space is asleep. Wake it first!"
    )
    assert paragraph(reasons) == "the Space is asleep. Wake it first!"


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("It equals the baseline.", "it equals the baseline."),
        ("The budget was spent.", "the budget was spent."),
        ("MAE 0.3 levels.", "MAE 0.3 levels."),
        ("CogVideoX ignores it.", "CogVideoX ignores it."),
        ("", ""),
    ],
)
def test_a_sentence_behind_a_colon_begins_small_unless_with_a_name(text: str, within: str) -> None:
    assert after_colon(text) == within


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            fact(FactKind.CLOSER_THAN_SEEDS, drift=0.484, nearest=0.902, seeds=3),
            (
                "Drift 0.484 is closer than each of the 3 different seeds (nearest: 0.902); by chance alone, about 1 "
                "in 4 unrelated samples would be closer, too."
            ),
        ),
        (
            fact(FactKind.GATE_DRIFT_ABOVE, prompt="lemon", drift=0.484, limit=0.05, verdict="settings differ"),
            "lemon: drift 0.484 is above the limit of 0.05 (settings differ).",
        ),
        (
            fact(FactKind.LACKS_FRAMES, candidate=False, left_out=[[3, 3]]),
            "This clip lacks frames in between: frame 3 of the reference is left out.",
        ),
        (
            fact(FactKind.ENDS_EARLIER, candidate=True, left_out=[[n, n] for n in range(0, 16, 2)]),
            "The reference ends earlier: frames 0, 2, 4, 6, 8, 10 and 2 more places of this clip are left out.",
        ),
        (
            fact(FactKind.SHIFTED, right=3, down=-2),
            (
                "This clip is shifted 3 px right and 2 px up from the reference: the shift is undone, "
                "and only the region that both show is compared."
            ),
        ),
        (
            fact(FactKind.X264_OPTION_DIFFERS, name="crf", local=None, hosted="23.0"),
            "no crf here, crf=23.0 in the hosted file.",
        ),
        (
            fact(FactKind.CONTROL_FAILED, fact(FactKind.SEED_IGNORED), prompt="p", control="different seed", run="s"),
            (
                "p: a control failed: a different seed (s) has to differ from the reference and from the baseline; "
                "found: it gives the baseline's own pixels, so the seed has no effect."
            ),
        ),
        (
            fact(FactKind.PLANTED_DIFFERENCE_LOST, levels=16, share=1.0, before=24.1),
            "Even a difference of 16 levels in all pixels of one frame (24.1 dB) is lost in the codec.",
        ),
    ],
    ids=lambda each: each.kind.value if isinstance(each, Fact) else "",
)
def test_sentences_read_as_plain_english(made: Fact, said: str) -> None:
    assert sentence(made) == said
