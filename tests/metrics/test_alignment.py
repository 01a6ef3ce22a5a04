from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacediff.clip import Frame, read_frames
from spacediff.errors import NotMeasuredError
from spacediff.metrics.alignment import FrameSource, align
from spacediff.record import FactKind, fact
from spacediff.wording import sentence
from support.clips import Frames, interpolated, moved, moving_ball, resized
from support.fuzzing import examples
from support.scenes import SAME, aligned, ball, by_number, encoded, error, scene, smooth, source, still


def test_equal_clips_are_trivial() -> None:
    found = aligned(SAME, SAME.copy())
    assert found.trivial
    assert (found.frame_map, found.scale, found.shift, found.notes) == (by_number(16), (1, 1), (0, 0), ())
    assert found.crop == (0, 0, 96, 64)


def test_an_encoded_clip_is_trivial_and_a_shifted_one_is_not(tmp_path: Path) -> None:
    assert aligned(SAME, encoded(SAME, tmp_path)).trivial
    assert aligned(encoded(SAME, tmp_path), encoded(moved(SAME, 2, 0), tmp_path)).shift == (2, 0)


def test_a_brighter_and_noisier_clip_is_trivial() -> None:
    noise = np.random.default_rng(0).normal(15, 4, SAME.shape)
    assert aligned(SAME, np.clip(SAME + noise, 0, 255).astype(np.uint8)).trivial


def test_frames_without_alignment_are_not_changed() -> None:
    found = aligned(SAME, SAME)
    np.testing.assert_array_equal(np.stack(list(found.of_candidate(SAME))), SAME)


def test_bars_size_rate_and_a_cut_are_found_together() -> None:
    candidate = np.zeros((28, 128, 256, 3), np.uint8)
    candidate[:, :, 32:224] = np.repeat(resized(SAME, 192, 128), 2, axis=0)[4:]
    found = align(source(SAME, 8), source(candidate, 16))
    assert found.frame_map == tuple((number + 2, 2 * number) for number in range(14))
    assert (found.scale, found.shift) == ((2, 2), (0, 0))
    assert error(found, SAME, candidate) < 0.5
    assert len(found.notes) == 5


def test_a_shifted_clip_with_a_different_count_is_found_if_the_shift_is_smaller_than_the_motion() -> None:
    clip = moving_ball(24, 96, 144, seed=2).frames
    found = aligned(clip, interpolated(moved(clip, 1, 0), 2))
    assert found.frame_map == tuple((number, 2 * number) for number in range(24))
    assert found.shift == (1, 0)
    assert aligned(clip, moved(clip, 9, 0)[2:]).frame_map == by_number(22)


@pytest.mark.parametrize("kind", [scene, ball, smooth, still])
def test_unrelated_clips_are_never_aligned(kind: Callable[..., Frames]) -> None:
    for seed in range(5):
        reference, other = kind(seed), kind(seed + 100)
        assert aligned(reference, other).trivial
        for frames in (12, 31, 48):
            found = aligned(reference, kind(seed + 100, frames))
            assert found.frame_map == by_number(min(16, frames))
            assert found.notes[0].kind is FactKind.PAIRED_BY_NUMBER


def test_clips_of_one_shade_are_trivial() -> None:
    black, grey = np.zeros((6, 32, 48, 3), np.uint8), np.full((6, 32, 48, 3), 90, np.uint8)
    assert aligned(black, grey).trivial


def test_a_slow_fade_is_not_motion() -> None:
    fading = np.stack([np.clip(SAME[0].astype(int) + number, 0, 255) for number in range(16)]).astype(np.uint8)
    assert aligned(fading, fading[3:]).frame_map == by_number(13)


def test_a_trivial_pair_is_read_once_and_the_reference_once_for_all() -> None:
    reads: list[str] = []

    def reading(name: str) -> FrameSource:
        def read() -> Iterator[Frame]:
            reads.append(name)
            return iter(SAME)

        return FrameSource(read)

    reference = reading("reference")
    assert align(reference, reading("a")).trivial
    assert align(reference, reading("b")).trivial
    assert sorted(reads) == ["a", "b", "reference"]


def test_two_clips_are_looked_at_at_the_same_time_and_each_once() -> None:
    both = threading.Barrier(2)
    reads: list[int] = []

    def read() -> Iterator[Frame]:
        reads.append(both.wait(timeout=30))  # broken where one of them waits for the end of the other
        return iter(SAME)

    sources = [FrameSource(read), FrameSource(read)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda source: source.overview.frames, sources * 2))
    assert found == [len(SAME)] * 4
    assert sorted(reads) == [0, 1]


def test_aligned_frames_are_streamed() -> None:
    found = aligned(SAME, interpolated(SAME, 2))
    read: list[int] = []

    def frames() -> Iterator[Frame]:
        for number, frame in enumerate(interpolated(SAME, 2)):
            read.append(number)
            yield frame

    stream = found.of_candidate(frames())
    assert read == []
    next(stream)
    next(stream)
    assert read == [0, 1, 2]


def test_a_single_frame_uses_the_singular() -> None:
    (note,) = aligned(SAME[:1], SAME[5:8]).notes
    assert sentence(note) == (
        "The reference has 1 frame, this clip 3. The pictures do not show which frames belong together, so the first "
        "frame of each is compared by number."
    )


def test_different_rates_are_stated() -> None:
    found = align(source(SAME, 8), source(SAME, 16))
    assert found.trivial
    assert found.notes == (fact(FactKind.RATES_DIFFER, reference=8.0, candidate=16.0),)
    assert align(source(SAME, 8), source(SAME, 8)).notes == ()


def test_frames_in_memory_are_aligned_with_those_of_a_file(tmp_path: Path) -> None:
    imageio.mimwrite(tmp_path / "a.mp4", list(SAME), fps=8, quality=5)
    assert align(source(SAME, 8), FrameSource(lambda: read_frames(tmp_path / "a.mp4"), 8.0)).trivial


def test_a_clip_without_frames_has_a_reason() -> None:
    with pytest.raises(NotMeasuredError, match="the clip has no frames"):
        align(source(SAME), source(SAME[:0]))


@st.composite
def any_clip(draw: st.DrawFn) -> Frames:
    frames, height, width = (draw(st.integers(least, most)) for least, most in ((1, 12), (8, 40), (8, 40)))
    random = np.random.default_rng(draw(st.integers(0, 3)))
    kind = draw(st.sampled_from(["noise", "flat", "still", "ramp", "ball"]))
    if kind == "noise":
        return random.integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    if kind == "flat":
        return np.full((frames, height, width, 3), random.integers(0, 256), np.uint8)
    if kind == "still":
        return np.repeat(random.integers(0, 256, (1, height, width, 3), dtype=np.uint8), frames, axis=0)
    if kind == "ramp":
        ramp = (np.arange(width)[None, None, :, None] * 4 + np.arange(frames)[:, None, None, None] * 7) % 256
        return np.broadcast_to(ramp, (frames, height, width, 3)).astype(np.uint8)
    return moving_ball(frames, max(height, 24), max(width, 24), seed=draw(st.integers(0, 3))).frames


@settings(max_examples=examples(60))
@given(any_clip(), any_clip())
def test_any_two_clips_have_an_alignment_or_a_reason(reference: Frames, candidate: Frames) -> None:
    try:
        found = aligned(reference, candidate)
    except NotMeasuredError:
        return
    ours, theirs = list(found.of_reference(reference)), list(found.of_candidate(candidate))
    assert len(ours) == len(theirs) == len(found.frame_map) > 0
    assert {frame.shape for frame in ours} == {frame.shape for frame in theirs}
    assert min(ours[0].shape[:2]) > 0
    steps = np.diff(np.array(found.frame_map), axis=0)
    assert (steps > 0).all()
    assert found.trivial == (
        reference.shape == candidate.shape
        and found.frame_map == by_number(len(reference))
        and found.shift == (0, 0)
        and found.crop == (0, 0, *reference.shape[2:0:-1])
    )
    assert found.trivial or found.notes


@settings(max_examples=examples(20))
@given(any_clip())
def test_a_clip_is_aligned_with_itself(clip: Frames) -> None:
    assert aligned(clip, clip).trivial
