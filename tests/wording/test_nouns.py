"""Pictures are called pictures: no sentence on them speaks of clips, frames or time."""

from __future__ import annotations

import re

import pytest

from spacediff.record import AuditRecord, Fact, FactKind, LoopReferenceRecord, fact
from spacediff.wording import clause, loop_reference_text, nouns, presenting, sentence
from spacediff.wording.nouns import CLIPS, PICTURE, PICTURES, nouns_for
from spacediff.wording.verdicts import NOT_COMPARED
from support.facts import made
from support.pictures import of_pictures
from support.synthetic_audit import synthetic_audit

OF_VIDEOS = re.compile(r"\b(clips?|frames?|fps|seconds|moves?|motion|moments?|plays?|video)\b", re.IGNORECASE)
MOVING = frozenset(
    {
        FactKind.PAIRED_BY_NUMBER,
        FactKind.SAMPLES_OF_TWO_MEDIA,
        FactKind.SAMPLES_RATES_DIFFER,
        FactKind.FRAMES_BETWEEN,
        FactKind.BEGINS_LATER,
        FactKind.LACKS_FRAMES,
        FactKind.ENDS_EARLIER,
        FactKind.RATES_DIFFER,
        FactKind.MOMENTS_UNKNOWN,
        FactKind.STANDS_STILL,
        FactKind.ENCODED_EXACTLY,
        FactKind.ENCODED_SIMILARLY,
        FactKind.NEAREST_GIF,
        FactKind.NEAREST_OPENCV,
        FactKind.NEAREST_ENCODER,
        FactKind.NEAREST_EXPORT,
    }
)
"""What only a video has: frames that differ in number or rate, motion, a codec of videos."""
BEFORE_ANY_RUN = frozenset({FactKind.DISK_SHORT})
"""Said by a plan, when no run has shown yet what it gives."""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    return synthetic_audit(tmp_path_factory.mktemp("audit"), frames=2, size=(32, 48))


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("kind", [kind for kind in FactKind if kind not in MOVING | BEFORE_ANY_RUN])
def test_no_sentence_on_pictures_speaks_of_a_video(kind: FactKind, frames: int, record: AuditRecord) -> None:
    with presenting(of_pictures(record, frames)):
        said = sentence(made(kind))
    assert not OF_VIDEOS.search(said)


@pytest.mark.parametrize(
    ("found", "of_one", "of_four"),
    [
        (
            fact(FactKind.ONE_COLOUR, candidate=True, colour=[0, 0, 0]),
            "This picture is a single colour throughout: black.",
            "These pictures are a single colour throughout: black.",
        ),
        (
            fact(FactKind.CENSORED, candidate=True, pictures=[0], of=1),
            "The pipeline's safety checker replaced this picture.",
            "The pipeline's safety checker replaced these pictures.",
        ),
        (
            fact(FactKind.CENSORED, candidate=False, pictures=[0, 2], of=4),
            "The pipeline's safety checker replaced pictures 0 and 2 of the reference (of 4, numbered from 0).",
            "The pipeline's safety checker replaced pictures 0 and 2 of the reference (of 4, numbered from 0).",
        ),
        (
            fact(FactKind.ENCODED_AGAIN, reference_from_candidate=False),
            (
                "This picture is the reference, encoded once more: encoding the reference again gives every pixel of "
                "this picture."
            ),
            (
                "These pictures are the reference, encoded once more: encoding the reference again gives every pixel "
                "of these pictures."
            ),
        ),
        (
            fact(FactKind.BARS, candidate=True, width=80, height=60),
            "This picture has bars at its edges: only the 80x60 pixels inside them are used.",
            "These pictures have bars at their edges: only the 80x60 pixels inside them are used.",
        ),
        (
            fact(
                FactKind.SIZES_DIFFER,
                reference=[96, 64],
                candidate=[96, 64],
                reference_scaled_to=[],
                candidate_scaled_to=[90, 60],
                cropped=False,
                confirmed=False,
            ),
            "This picture is scaled down to 90x60 by area averaging. The pictures do not confirm this placement.",
            "These pictures are scaled down to 90x60 by area averaging. The pictures do not confirm this placement.",
        ),
        (
            fact(FactKind.NEED_UNKNOWN, run="probe-1"),
            "With the whole cause changed except this setting, there is no picture (probe-1).",
            "With the whole cause changed except this setting, there are no pictures (probe-1).",
        ),
        (
            fact(FactKind.TARGET_SHOWS_NOTHING, target="turbo"),
            (
                "The picture of turbo is a single colour or was replaced by the safety checker, so that reproducing it "
                "would show nothing."
            ),
            (
                "The pictures of turbo are a single colour or were replaced by the safety checker, so that reproducing "
                "them would show nothing."
            ),
        ),
    ],
)
def test_one_picture_and_several_have_their_own_grammar(
    found: Fact, of_one: str, of_four: str, record: AuditRecord
) -> None:
    for frames, said in ((1, of_one), (4, of_four)):
        with presenting(of_pictures(record, frames)):
            assert sentence(found) == said


def test_a_verdict_and_the_traces_know_the_noun_too(record: AuditRecord) -> None:
    compared = LoopReferenceRecord(run="baseline", role="baseline", hosted=True)
    with presenting(of_pictures(record, 4)):
        assert clause(NOT_COMPARED) == "has pictures, but they were not compared with the reference."
        assert "how its pictures were made, and no local run reproduces those pictures" in loop_reference_text(compared)
    assert clause(NOT_COMPARED) == "has a clip, but it was not compared with the reference."


def test_the_nouns_last_as_long_as_the_audit_is_presented(record: AuditRecord) -> None:
    with presenting(of_pictures(record, 1)):
        assert nouns() == PICTURE
        with presenting(record):
            assert nouns() == CLIPS
        assert nouns() == PICTURE
    assert nouns() == CLIPS


def test_an_audit_with_one_video_speaks_of_clips(record: AuditRecord) -> None:
    pictures = of_pictures(record, 4)
    assert nouns_for(pictures) == PICTURES
    assert nouns_for(pictures.model_copy(update={"runs": [*pictures.runs, record.runs[0]]})) == CLIPS
    assert nouns_for(record.model_copy(update={"runs": []})) == CLIPS
