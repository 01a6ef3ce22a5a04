"""Which files a run leaves for the page."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, read_clip
from spacediff.progress import SilentListener
from spacediff.record import ClipRecord, Role
from spacediff.run import Prompt, Run
from spacediff.settings import Settings
from spacediff.sources import Produced
from spacediff.worker.files import write_run


def written(frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], folder: Path, text: str = "A lemon") -> ClipRecord:
    produced = Produced(Clip(frames, Fraction(8)), Settings(), "a file", 0.0, original=Path("given.mp4"))
    run = Run("reference", Role.REFERENCE, Prompt("lemon", text, 42), "video")
    clip = write_run(run, "key", produced, folder, SilentListener()).clip
    assert clip
    return clip


def grainy() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Frames with a preview of more than 250 kB."""
    grains = np.random.default_rng(0).integers(0, 256, (24, 160, 240, 3), np.uint8)
    pictures = np.linspace(40, 200, 24)[:, None, None, None] + (grains - 128.0) / 4
    return pictures.clip(0, 255).astype(np.uint8)


def test_a_large_preview_has_a_small_one_of_the_same_frames_beside_it(tmp_path: Path) -> None:
    clip = written(grainy(), tmp_path)
    assert clip.small
    assert (clip.small.file, clip.small.quality) == ("runs/key/small.mp4", 23)
    large, small = tmp_path / "preview.mp4", tmp_path / "small.mp4"
    assert small.stat().st_size < large.stat().st_size
    one, other = read_clip(large), read_clip(small)
    assert one.fps == other.fps == 8
    brightness = [clip.frames.mean(axis=(1, 2, 3)) for clip in (one, other)]
    assert brightness[1] == pytest.approx(brightness[0], abs=2)


def test_a_small_preview_is_the_only_one(tmp_path: Path) -> None:
    clip = written(np.zeros((24, 160, 240, 3), np.uint8), tmp_path)
    assert clip.small is None
    assert not (tmp_path / "small.mp4").exists()


def test_of_two_files_that_are_compared_a_page_holds_larger_previews(tmp_path: Path) -> None:
    clip = written(grainy(), tmp_path, text="")
    assert (tmp_path / "preview.mp4").stat().st_size > 250_000
    assert clip.small is None
