from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spacediff.errors import GenerationFailed
from spacediff.sources.local.output import read_output

PICTURE = np.zeros((1, 4, 6, 3), np.float32)


@pytest.mark.parametrize(
    ("said", "censored"),
    [
        ({}, ()),
        ({"nsfw_content_detected": None}, ()),
        ({"nsfw_content_detected": [False]}, ()),
        ({"nsfw_content_detected": [True]}, (0,)),
        ({"nsfw_content_detected": np.array([True])}, (0,)),
        ({"nsfw_detected": [False, True]}, (1,)),
        ({"has_nsfw_concept": True}, (0,)),
    ],
)
def test_what_a_safety_checker_replaced_is_read(said: dict[str, Any], censored: tuple[int, ...]) -> None:
    assert read_output(SimpleNamespace(images=PICTURE, **said)).censored == censored


def test_sound_besides_the_frames_is_read() -> None:
    frames = np.zeros((1, 3, 4, 6, 3), np.float32)
    assert read_output(SimpleNamespace(frames=frames, audio=np.zeros(9))).audio
    assert not read_output(SimpleNamespace(frames=frames, audio=None)).audio
    assert read_output(SimpleNamespace(frames=frames)).frames.shape == (3, 4, 6, 3)


def test_all_pictures_of_a_prompt_are_kept() -> None:
    several = np.stack([np.full((4, 6, 3), level, np.float32) for level in (0.0, 0.5)])
    found = read_output(SimpleNamespace(images=several))
    assert (found.medium, found.frames.shape) == ("pictures", (2, 4, 6, 3))
    assert read_output(SimpleNamespace(images=[*several])).frames.shape == (2, 4, 6, 3)
    assert read_output(SimpleNamespace(images=several[..., :1])).frames.shape == (2, 4, 6, 3)


def test_further_videos_are_not_left_out_silently() -> None:
    frames = np.zeros((2, 3, 4, 6, 3), np.float32)
    found = read_output(SimpleNamespace(frames=frames))
    assert found.medium == "video"
    assert found.warnings == ("the pipeline returned 2 videos, of which only the first is compared",)
    assert read_output(SimpleNamespace(frames=frames[:1])).warnings == ()


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(GenerationFailed, match="different sizes"):
        read_output(SimpleNamespace(images=[np.zeros((4, 6, 3)), np.zeros((4, 8, 3))]))
    with pytest.raises(GenerationFailed, match=r"\[T, H, W, 3\] is expected"):
        read_output(SimpleNamespace(images=np.zeros((1, 4, 6, 4))))


def test_what_is_no_picture_is_refused_by_the_names_of_its_fields() -> None:
    depth = SimpleNamespace(prediction=np.zeros((1, 4, 6, 1)), uncertainty=None)
    with pytest.raises(GenerationFailed, match="with prediction, uncertainty, and only images or frames"):
        read_output(depth)
