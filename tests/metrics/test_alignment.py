from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import imageio.v2 as imageio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spacediff.clip import Clip, Frame, read_clip
from spacediff.errors import NotMeasuredError
from spacediff.metrics.alignment import Alignment, FrameSource, align
from support.clips import Frames, interpolated, moved, moving_ball, resized
from support.fuzzing import examples


def scene(seed: int = 0, frames: int = 16, height: int = 64, width: int = 96) -> Frames:
    """A textured disc that crosses a textured background, which drifts slowly in the opposite direction."""
    random = np.random.default_rng(seed)
    ground = _texture(random, height + 40, width + 40)
    disc = _texture(random, height, width)
    angle = random.uniform(0, 2 * np.pi)
    pictures = []
    for number in range(frames):
        drift = np.array([np.cos(angle), np.sin(angle)]) * number * 0.6 - 20
        move = np.array([[1, 0, drift[0]], [0, 1, drift[1]]], np.float32)
        picture = cv2.warpAffine(ground, move, (width, height), flags=cv2.INTER_CUBIC)
        mask = np.zeros((height, width), np.float32)
        cv2.circle(mask, (round(width * (0.2 + 0.6 * number / 16)), height // 2), height // 6, 1.0, -1, cv2.LINE_AA)
        picture = picture * (1 - mask[..., None]) + disc * mask[..., None]
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return np.stack(pictures)


def _texture(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    total = np.zeros((height, width, 3), np.float32)
    for cell in (4, 9, 25):
        coarse = random.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell**0.5
    scaled: NDArray[np.float32] = np.asarray(total / total.std() * 45 + 120, np.float32)
    return scaled


def smooth(seed: int, frames: int = 16) -> Frames:
    """A soft shade with little texture and slowly changing brightness."""
    random = np.random.default_rng(seed)
    shade = cv2.GaussianBlur(random.normal(0, 1, (64, 96)).astype(np.float32), (0, 0), 20)
    levels = 120 + random.normal(0, 2, frames).cumsum()
    pictures = shade / shade.std() * 4 + levels[:, None, None]
    return np.repeat(np.clip(pictures, 0, 255).astype(np.uint8)[..., None], 3, axis=3)


def still(seed: int, frames: int = 16) -> Frames:
    return np.repeat(scene(seed, 1), frames, axis=0)


def ball(seed: int, frames: int = 16) -> Frames:
    return moving_ball(frames, seed=seed).frames


def source(frames: Frames, fps: float | None = None) -> FrameSource:
    return FrameSource(lambda: frames, fps)


def aligned(reference: Frames, candidate: Frames) -> Alignment:
    return align(source(reference), source(candidate))


def error(alignment: Alignment, reference: Frames, candidate: Frames) -> float:
    """Mean absolute difference of the compared frames, in levels."""
    pairs = zip(alignment.of_reference(reference), alignment.of_candidate(candidate), strict=True)
    return float(np.mean([np.abs(ours.astype(int) - theirs).mean() for ours, theirs in pairs]))


def encoded(frames: Frames, folder: Path) -> Frames:
    """Encode frames as H.264 like `diffusers.utils.export_to_video`, and decode them."""
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    imageio.mimwrite(path, list(frames), fps=8, quality=5)
    return read_clip(path).frames


def by_number(frames: int) -> tuple[tuple[int, int], ...]:
    return tuple((number, number) for number in range(frames))


SAME = scene()


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


# ---- shifts


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (-3, 2), (7, 5)])
@pytest.mark.parametrize("clip", [SAME, ball(3)], ids=["scene", "ball"])
def test_a_whole_pixel_shift_is_aligned(clip: Frames, shift: tuple[int, int]) -> None:
    candidate = moved(clip, *shift)
    found = aligned(clip, candidate)
    assert found.shift == shift
    assert not found.trivial
    assert error(found, clip, candidate) == 0
    (dx, dy), (height, width) = shift, clip.shape[1:3]
    assert found.crop == (max(0, -dx), max(0, -dy), width - abs(dx), height - abs(dy))
    assert f"{abs(dx or dy)} px" in found.notes[0]


@pytest.mark.parametrize("shift", [(0.5, 0), (1.4, 0), (0, -2.5)])
def test_a_shift_by_a_fraction_of_a_pixel_is_not_accepted(shift: tuple[float, float]) -> None:
    assert aligned(SAME, moved(SAME, *shift)).trivial


def test_a_moved_object_is_not_a_shift_of_the_picture() -> None:
    candidate = SAME.copy()
    candidate[:, 10:50, 20:60] = moved(SAME, 3, 0)[:, 10:50, 20:60]
    assert aligned(SAME, candidate).trivial


def test_a_moved_half_is_not_a_shift_of_the_picture() -> None:
    clip = SAME.copy()
    clip[:, :, 48:] = (clip[:, :, 48:].astype(int) - 120) // 4 + 120
    candidate = clip.copy()
    candidate[:, :, :48] = moved(clip, 3, 0)[:, :, :48]
    assert aligned(clip, candidate).trivial
    assert aligned(clip, moved(clip, 3, 0)).shift == (3, 0)


def test_one_object_on_a_flat_background_is_not_evidence_of_a_shift() -> None:
    def disc(row: int) -> Frames:
        frames = np.full((16, 64, 96, 3), 200, np.uint8)
        for number, frame in enumerate(frames):
            cv2.circle(frame, (16 + 4 * number, row), 10, (40, 40, 60), -1, cv2.LINE_AA)
        return frames

    assert aligned(disc(30), disc(33)).trivial


def test_a_shift_that_explains_less_than_half_is_not_accepted() -> None:
    noise = np.random.default_rng(0).normal(0, 1, SAME.shape)

    def noisy(level: float) -> Frames:
        return np.clip(np.rint(moved(SAME, 1, 0) + noise * level), 0, 255).astype(np.uint8)

    assert aligned(SAME, noisy(5)).shift == (1, 0)
    assert aligned(SAME, noisy(18)).trivial


# ---- timing


@pytest.mark.parametrize("times", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("made", [interpolated, lambda clip, times: np.repeat(clip, times, axis=0)])
def test_a_multiplied_rate_is_aligned(times: int, made: Callable[[Frames, int], Frames]) -> None:
    candidate = made(SAME, times)
    found = aligned(SAME, candidate)
    assert found.frame_map == tuple((number, times * number) for number in range(16))
    assert error(found, SAME, candidate) == 0
    assert ("interpolated" if made is interpolated else "repeated") in found.notes[0]
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
    assert "the pictures do not tell" in found.notes[0]


def test_an_interpolated_different_sample_is_not_compared_at_half_speed() -> None:
    other = scene(seed=9)
    for candidate in (interpolated(ball(9), 2), np.repeat(other, 2, axis=0)):
        found = aligned(SAME, candidate)
        assert found.frame_map == tuple((number, 2 * number) for number in range(16))
        assert "only this clip itself shows this" in found.notes[0]


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
    assert found.notes == ("this clip begins later: frames 0 to 1 of the reference are left out",)
    turned = aligned(SAME[2:], SAME)
    assert turned.notes == ("the reference begins later: frames 0 to 1 of this clip are left out",)


def test_a_cut_tail_is_found_and_stated() -> None:
    found = aligned(SAME, SAME[:-3])
    assert found.frame_map == by_number(13)
    assert found.notes == ("this clip ends earlier: frames 13 to 15 of the reference are left out",)


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
    assert f"{', '.join(map(str, dropped))} of the reference" in found.notes[0]


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
    assert "the pictures do not tell" in aligned(frozen, frozen[:9]).notes[0]


# ---- sizes


@pytest.mark.parametrize("factor", [2, 4, 1.5])
def test_an_upscaled_clip_is_scaled_down_again(factor: float) -> None:
    candidate = resized(SAME, round(96 * factor), round(64 * factor))
    found = aligned(SAME, candidate)
    assert found.scale == (factor, factor)
    assert found.frame_map == by_number(16)
    assert error(found, SAME, candidate) < 0.5
    assert "this clip is scaled down to 96x64 by area averaging; this place is confirmed to the pixel" in found.notes[0]
    turned = aligned(candidate, SAME)
    assert turned.scale == (1 / factor, 1 / factor)
    assert error(turned, candidate, SAME) == pytest.approx(error(found, SAME, candidate))


def test_a_different_sample_in_a_different_size_is_scaled_but_not_confirmed() -> None:
    found = aligned(SAME, resized(scene(seed=9), 192, 128))
    assert (found.scale, found.shift) == ((2, 2), (0, 0))
    assert "the pictures do not confirm this place" in found.notes[0]


def test_sizes_that_imageio_rounded_up_are_rounded_down_again(tmp_path: Path) -> None:
    clip = np.ascontiguousarray(SAME[:, :60, :90])
    candidate = encoded(clip, tmp_path)
    assert candidate.shape[1:3] == (64, 96)
    found = aligned(clip, candidate)
    assert found.scale == pytest.approx((96 / 90, 64 / 60))
    assert next(found.of_candidate(candidate)).shape == (60, 90, 3)
    plain = encoded(SAME, tmp_path)
    assert error(found, clip, candidate) < 1.5 * error(aligned(SAME, plain), SAME, plain)


def test_the_bars_of_a_letterboxed_clip_are_removed() -> None:
    candidate = np.zeros((16, 128, 256, 3), np.uint8)
    candidate[:, :, 32:224] = resized(SAME, 192, 128)
    found = aligned(SAME, candidate)
    assert found.geometry.candidate_box == (32, 0, 192, 128)
    assert found.scale == (2, 2)
    assert error(found, SAME, candidate) < 0.5
    assert "bars" in found.notes[0]


def test_blurred_and_speckled_bars_are_found_to_the_pixel(tmp_path: Path) -> None:
    clip = scene(height=96, width=144)
    candidate = np.zeros((16, 192, 400, 3), np.uint8)
    candidate[:, :, 56:344] = resized(clip, 288, 192)
    found = aligned(clip, encoded(candidate, tmp_path))
    assert found.geometry.candidate_box == (56, 0, 288, 192)
    specks = np.random.default_rng(0).random(candidate.shape[:3]) < 0.005
    candidate[specks] = 60
    assert aligned(clip, candidate).geometry.candidate_box == (56, 0, 288, 192)


def test_bars_inside_the_same_size_are_found_but_not_around_a_different_sample() -> None:
    def boxed(frames: Frames) -> Frames:
        whole = np.zeros_like(frames)
        whole[:, 8:56, 12:84] = resized(frames, 72, 48, cv2.INTER_AREA)
        return whole

    found = aligned(SAME, boxed(SAME))
    assert found.geometry.candidate_box == (12, 8, 72, 48)
    assert error(found, SAME, boxed(SAME)) == 0
    assert aligned(SAME, boxed(scene(seed=9))).trivial


def test_a_cropped_clip_is_compared_with_its_region() -> None:
    candidate = np.ascontiguousarray(SAME[:, 8:-8, 12:-20])
    found = aligned(SAME, candidate)
    assert found.crop == (12, 8, 64, 48)
    assert error(found, SAME, candidate) == 0
    assert "only the region that both show" in found.notes[0]


def test_a_crop_of_the_same_shape_is_not_scaled() -> None:
    candidate = np.ascontiguousarray(SAME[:, 8:-8, 12:-12])
    found = aligned(SAME, candidate)
    assert (found.scale, found.crop) == ((1, 1), (12, 8, 72, 48))
    smaller = resized(SAME, 72, 48, cv2.INTER_AREA)
    assert aligned(SAME, smaller).crop == (0, 0, 96, 64)


def test_a_square_crop_of_an_upscaled_clip_is_found() -> None:
    candidate = np.ascontiguousarray(resized(SAME, 144, 96)[:, :, 24:120])
    found = aligned(SAME, candidate)
    assert (found.scale, found.crop) == ((1.5, 1.5), (16, 0, 64, 64))
    assert error(found, SAME, candidate) < 1


def test_a_faint_common_pattern_is_not_a_crop() -> None:
    random = np.random.default_rng(0)
    reference, other = (random.normal(0, 1, (8, 64, width, 1)).repeat(3, axis=3) for width in (96, 64))

    def shown(values: NDArray[np.float64]) -> Frames:
        return np.clip(values * 30 + 128, 0, 255).astype(np.uint8)

    with pytest.raises(NotMeasuredError):
        aligned(shown(reference), shown(other + 0.3 * reference[:, :, 20:84]))
    assert aligned(shown(reference), shown(0.3 * other + reference[:, :, 20:84])).crop == (20, 0, 64, 64)


def test_a_different_shape_is_compared_only_if_the_pictures_agree() -> None:
    assert aligned(SAME, resized(SAME, 96, 96)).scale == (1, 1.5)
    with pytest.raises(
        NotMeasuredError, match="the reference is 96x64 pixels, this clip 96x96, and no region is visible in both"
    ):
        aligned(SAME, resized(scene(seed=9), 96, 96))


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


# ---- unrelated clips


@pytest.mark.parametrize("kind", [scene, ball, smooth, still])
def test_unrelated_clips_are_never_aligned(kind: Callable[..., Frames]) -> None:
    for seed in range(5):
        reference, other = kind(seed), kind(seed + 100)
        assert aligned(reference, other).trivial
        for frames in (12, 31, 48):
            found = aligned(reference, kind(seed + 100, frames))
            assert found.frame_map == by_number(min(16, frames))
            assert "the pictures do not tell" in found.notes[0]


def test_clips_of_one_shade_are_trivial() -> None:
    black, grey = np.zeros((6, 32, 48, 3), np.uint8), np.full((6, 32, 48, 3), 90, np.uint8)
    assert aligned(black, grey).trivial


def test_a_slow_fade_is_not_motion() -> None:
    fading = np.stack([np.clip(SAME[0].astype(int) + number, 0, 255) for number in range(16)]).astype(np.uint8)
    assert aligned(fading, fading[3:]).frame_map == by_number(13)


# ---- reading


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
    assert reads == ["reference", "a", "b"]


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
    assert note.startswith("the reference has 1 frame, this clip 3, and the pictures do not tell")
    assert note.endswith("the first frame of each is held against each other by number")


def test_different_rates_are_stated() -> None:
    found = align(source(SAME, 8), source(SAME, 16))
    assert found.trivial
    assert found.notes == (
        "the reference plays at 8 fps, this clip at 16: frames are not held against each other by their time",
    )
    assert align(source(SAME, 8), source(SAME, 8)).notes == ()


def test_sources_are_files_and_clips(tmp_path: Path) -> None:
    imageio.mimwrite(tmp_path / "a.mp4", list(SAME), fps=8, quality=5)
    file = FrameSource.of_file(tmp_path / "a.mp4")
    assert file.fps == 8
    assert align(FrameSource.of_clip(Clip(SAME, Fraction(8))), file).trivial


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
