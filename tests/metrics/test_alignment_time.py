from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from spacediff.record import FactKind, fact
from spacediff.wording import sentence
from support.clips import Frames, interpolated
from support.scenes import SAME, aligned, ball, by_number, encoded, error, scene, still


@pytest.mark.parametrize("times", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("made", [interpolated, lambda clip, times: np.repeat(clip, times, axis=0)])
def test_a_multiplied_rate_is_aligned(times: int, made: Callable[[Frames, int], Frames]) -> None:
    candidate = made(SAME, times)
    found = aligned(SAME, candidate)
    assert found.frame_map == tuple((number, times * number) for number in range(16))
    assert error(found, SAME, candidate) == 0
    assert found.notes[0].values["between"] == ("interpolated" if made is interpolated else "repeated")
    turned = aligned(candidate, SAME)
    assert turned.frame_map == tuple((times * number, number) for number in range(16))


def test_a_multiplied_rate_survives_the_codec(tmp_path: Path) -> None:
    found = aligned(encoded(SAME, tmp_path), encoded(interpolated(SAME, 2), tmp_path))
    assert found.frame_map == tuple((number, 2 * number) for number in range(16))
    repeated = aligned(encoded(SAME, tmp_path), encoded(np.repeat(SAME, 3, axis=0), tmp_path))
    assert repeated.frame_map == tuple((number, 3 * number) for number in range(16))


def test_an_interpolated_clip_with_a_lost_frame_is_aligned_and_the_loss_stays_visible() -> None:
    candidate = np.delete(interpolated(SAME, 2), [8, 9], axis=0)  # the reference's frame 4 and the one after it
    found = aligned(SAME, candidate)
    assert found.frame_map == tuple((number, 2 * number - (number == 4) - 2 * (number > 4)) for number in range(16))
    pairs = zip(found.of_reference(SAME), found.of_candidate(candidate), strict=True)
    assert [number for number, (ours, theirs) in enumerate(pairs) if (ours != theirs).any()] == [4]


def test_twice_as_many_frames_of_something_else_are_paired_by_number() -> None:
    found = aligned(SAME, scene(seed=9, frames=31))
    assert found.frame_map == by_number(16)
    assert found.notes[0].kind is FactKind.PAIRED_BY_NUMBER


def test_an_interpolated_different_sample_is_not_compared_at_half_speed() -> None:
    other = scene(seed=9)
    for candidate in (interpolated(ball(9), 2), np.repeat(other, 2, axis=0)):
        found = aligned(SAME, candidate)
        assert found.frame_map == tuple((number, 2 * number) for number in range(16))
        assert found.notes[0].values["inherent"]
        assert found.notes[0].values["candidate"]


def test_a_swinging_or_flickering_clip_does_not_count_as_interpolated() -> None:
    whole = cv2.GaussianBlur(scene(seed=9, frames=1, height=64, width=140)[0], (0, 0), 6)
    swing = np.abs((np.arange(31) + 4) % 8 - 4) * 2
    swinging = np.stack([whole[:, 10 + left : 106 + left] for left in swing])
    noise = np.random.default_rng(0).normal(0, 4, (31, 64, 96, 3))
    noise[1::2] = 0
    flickering = np.clip(still(9, 31) + noise, 0, 255).astype(np.uint8)
    for candidate in (swinging, flickering):
        assert aligned(SAME, candidate).frame_map == by_number(16)


def test_a_few_common_frames_are_not_enough_for_an_alignment() -> None:
    candidate = np.concatenate([scene(seed=9, frames=11), SAME[:5]])
    assert aligned(SAME, candidate).trivial
    assert aligned(SAME[:4], SAME[1:5]).trivial
    assert aligned(SAME[:8], SAME[1:9]).frame_map == tuple((number + 1, number) for number in range(7))


@pytest.mark.parametrize("clip", [scene(frames=24), ball(3, 24)], ids=["scene", "ball"])
def test_clips_that_share_most_of_the_shorter_one_are_compared_where_they_overlap(clip: Frames) -> None:
    found = aligned(clip[:13], clip[5:16])
    assert found.frame_map == tuple((number + 5, number) for number in range(8))
    assert len(found.notes) == 2


def test_a_cut_head_is_found_and_stated() -> None:
    found = aligned(SAME, SAME[2:])
    assert found.frame_map == tuple((number + 2, number) for number in range(14))
    assert found.notes == (fact(FactKind.BEGINS_LATER, candidate=False, left_out=[[0, 1]]),)
    turned = aligned(SAME[2:], SAME)
    assert turned.notes == (fact(FactKind.BEGINS_LATER, candidate=True, left_out=[[0, 1]]),)


def test_a_cut_tail_is_found_and_stated() -> None:
    found = aligned(SAME, SAME[:-3])
    assert found.frame_map == by_number(13)
    assert found.notes == (fact(FactKind.ENDS_EARLIER, candidate=False, left_out=[[13, 15]]),)


def test_equal_counts_may_hide_an_offset() -> None:
    found = aligned(SAME[:-2], SAME[2:])
    assert found.frame_map == tuple((number + 2, number) for number in range(12))
    assert len(found.notes) == 2


@pytest.mark.parametrize("dropped", [[5], [1], [3, 9], [14]])
def test_dropped_frames_are_found(dropped: list[int], tmp_path: Path) -> None:
    left = [number for number in range(16) if number not in dropped]
    for reference, candidate in (
        (SAME, SAME[left]),
        (encoded(SAME, tmp_path), encoded(SAME[left], tmp_path)),
    ):
        found = aligned(reference, candidate)
        assert found.frame_map == tuple((number, place) for place, number in enumerate(left))
    assert f"{', '.join(map(str, dropped))} of the reference" in sentence(found.notes[0])


def test_a_dropped_frame_is_found_despite_equal_counts() -> None:
    found = aligned(SAME[:15], np.delete(SAME, 5, axis=0))
    assert found.frame_map == tuple((number, number - (number > 5)) for number in range(15) if number != 5)
    assert len(found.notes) == 2


def test_the_first_of_repeated_frames_is_used_even_if_the_last_is_cleaner() -> None:
    noise = (
        np.random.default_rng(0).normal(0, 1, (48, *SAME.shape[1:])) * np.tile([1.5, 1, 0.5], 16)[:, None, None, None]
    )
    candidate = np.clip(np.repeat(SAME, 3, axis=0) + noise, 0, 255).astype(np.uint8)
    assert aligned(SAME, candidate).frame_map == tuple((number, 3 * number) for number in range(16))


def test_repeated_frames_of_a_rate_conversion_are_left_out() -> None:
    candidate = SAME[(np.arange(20) * 0.8).astype(int)]
    found = aligned(SAME, candidate)
    assert [ours for ours, _ in found.frame_map] == list(range(16))
    assert error(found, SAME, candidate) == 0


def test_a_repeated_or_different_frame_stays_in_the_comparison() -> None:
    stuck, early, changed = SAME.copy(), SAME.copy(), SAME.copy()
    stuck[6], early[6], changed[6] = SAME[5], SAME[7], scene(seed=4)[6]
    for candidate in (stuck, early, changed):
        found = aligned(SAME, candidate)
        assert found.trivial
        assert error(found, SAME, candidate) > 0


def test_a_static_clip_is_paired_by_number() -> None:
    frozen = np.repeat(SAME[:1], 16, axis=0)
    assert aligned(SAME, frozen).trivial
    assert aligned(frozen, frozen[:9]).frame_map == by_number(9)
    assert aligned(frozen, frozen[:9]).notes[0].kind is FactKind.PAIRED_BY_NUMBER
