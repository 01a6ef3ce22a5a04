from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import spacediff
from spacediff.clip import Clip, LongClip, bands, decoding, open_clip, probe, read_clip, write_preview
from spacediff.errors import DeadlineExceeded, VideoNotReadable
from spacediff.plan import plan_files
from spacediff.progress import SilentListener
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.sources.long_clips import long_clips
from spacediff.sources.space.answers import decoded
from spacediff.sources.video import take
from spacediff.wording import answer_sentences, sentences
from spacediff.worker.files import write_run
from support.space_requests import RememberingListener

FILES = Prompt("files", "", 0)


def video(file: Path, frames: int, size: int = 32) -> Path:
    pictures = np.random.default_rng(0).integers(0, 255, (1, size, size, 3), np.uint8).repeat(frames, axis=0)
    write_preview(Clip(pictures, Fraction(8)), file)
    return file


def test_the_frames_of_a_clip_are_counted_while_they_are_decoded(tmp_path: Path) -> None:
    file, seen = video(tmp_path / "a.mp4", 20), []
    read = read_clip(file, lambda done, expected: seen.append((done, expected)))
    assert read.frames.shape == (20, 32, 32, 3)
    assert seen == [(n, 20) for n in range(1, 21)]
    assert (read_clip(file, most_frames=7).frames == read.frames[:7]).all()


def test_a_clip_that_is_too_large_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = video(tmp_path / "a.mp4", 20), []
    monkeypatch.setattr(decoding, "MAX_CLIP_BYTES", 20 * 32 * 32 * 3 - 1)
    with pytest.raises(VideoNotReadable, match=r"a\.mp4 has more than"):
        read_clip(file, lambda done, _: seen.append(done))
    assert seen == []
    assert len(read_clip(file, most_frames=19).frames) == 19


def test_frames_of_a_video_that_would_need_gigabytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = video(tmp_path / "a.mp4", 2)
    monkeypatch.setattr(decoding, "MAX_VIDEO_PIXELS", 32 * 32 - 1)
    with pytest.raises(VideoNotReadable, match=r"a\.mp4 has frames of 32x32 pixels.* up to 1,023 pixels"):
        take(file, tmp_path, FILES)
    monkeypatch.setattr(decoding, "MAX_VIDEO_PIXELS", 32 * 32)
    assert len(take(file, tmp_path, FILES).clip.frames) == 2


def test_a_clip_of_large_frames_is_written_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, produced = (
        Run("reference", Role.REFERENCE, FILES, "video"),
        take(video(tmp_path / "a.mp4", 5), tmp_path, FILES),
    )
    usual = write_run(run, "k", produced, made(tmp_path / "usual"), SilentListener())
    monkeypatch.setattr(bands, "MOST_PIXELS", 100)
    assert write_run(run, "k", produced, made(tmp_path / "large"), SilentListener()) == usual


def test_of_a_cut_video_only_the_frames_are_kept(tmp_path: Path) -> None:
    file, listener = video(tmp_path / "a.mp4", 300), RememberingListener()
    cut = take(file, tmp_path, FILES, listener, most_frames=250)
    assert len(cut.clip.frames) == 250
    assert cut.original is None
    assert cut.warnings == ("only the first 250 frames of a.mp4 are compared, as was asked",)
    assert listener.texts == ["decoding a.mp4"]
    assert listener.steps == [(100, 250), (200, 250)]
    whole = take(file, tmp_path, FILES, most_frames=300)
    assert whole.original is not None
    assert whole.warnings == ()


def test_a_deadline_includes_the_decoding(tmp_path: Path) -> None:
    file = video(tmp_path / "a.mp4", 20)
    assert len(decoded(file, time.monotonic() + 60, RememberingListener())[0].frames) == 20
    with pytest.raises(DeadlineExceeded, match="the deadline passed after 1 frames"):
        decoded(file, time.monotonic(), RememberingListener())


def test_a_long_video_is_announced_with_the_time_that_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacediff.sources.long_clips._LONG", 3.0)
    short, long = video(tmp_path / "a.mp4", 20), video(tmp_path / "b.mp4", 100)
    (notice,) = sentences(long_clips(plan_files(short, long).runs))
    assert notice.startswith("b.mp4 has 100 frames: decoding, aligning and scoring them takes about ")
    assert "max_frames" in notice
    assert not [*long_clips(plan_files(short, short).runs)]
    assert not [*long_clips(plan_files(short, long, max_frames=20).runs)]
    assert probe(long).frames == 100


def test_only_the_first_frames_of_two_videos_are_compared(tmp_path: Path) -> None:
    one, other = video(tmp_path / "a.mp4", 12), video(tmp_path / "b.mp4", 40)
    result = spacediff.compare_videos(one, other, out=tmp_path / "cut", max_frames=10)
    comparison = result.comparison("candidate")
    assert comparison.identical
    assert len(comparison.frame_map) == 10
    (answer,) = answer_sentences(result.record, "files")
    assert answer == "The start of b.mp4, 10 frames, equals that of a.mp4: every pixel is the same."
    said = [warning for run in result.record.runs for warning in run.warnings]
    assert [each.partition(" of ")[0] for each in said] == ["only the first 10 frames"] * 2
    with pytest.raises(spacediff.InvalidArgument, match="max_frames is 0"):
        spacediff.compare_videos(one, other, max_frames=0)


def test_a_clip_that_is_not_held_is_written_like_one_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = video(tmp_path / "a.mp4", 20)
    held = take(file, made(tmp_path / "held"), FILES)
    monkeypatch.setattr(decoding, "HELD_BYTES", 19 * 32 * 32 * 3)
    streamed = take(file, made(tmp_path / "streamed"), FILES)
    assert (type(held.clip), type(streamed.clip)) == (Clip, LongClip)
    run = Run("reference", Role.REFERENCE, FILES, "video")
    one, other = (
        write_run(run, "k", each, tmp_path / name, SilentListener())
        for name, each in (("held", held), ("streamed", streamed))
    )
    assert one.clip == other.clip
    assert one.clip is not None
    assert one.clip.frames == 20
    assert one.clip.lossless == one.clip.original == "runs/k/original.mp4", "its frames are not written once more"
    for name in ("preview.mp4", "original.mp4"):
        assert (tmp_path / "held" / name).read_bytes() == (tmp_path / "streamed" / name).read_bytes()
    (changed := np.array(held.clip.frames))[7, 3, 3] ^= 1
    assert Clip(changed, held.clip.fps).digest != streamed.clip.digest


def test_a_clip_that_is_not_held_ends_where_it_was_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = video(tmp_path / "a.mp4", 20), []
    monkeypatch.setattr(decoding, "HELD_BYTES", 5 * 32 * 32 * 3)
    clip = open_clip(file, lambda done, expected: seen.append((done, expected)), most_frames=12)
    assert seen == [(n, 12) for n in range(1, 13)]
    assert len(clip.frames) == len(list(clip.frames)) == 12
    assert clip.digest == read_clip(file, most_frames=12).digest


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
