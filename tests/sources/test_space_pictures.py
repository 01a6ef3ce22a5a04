"""Image Spaces on a real Gradio server: one image, a gallery with and without captions, files, an animation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import read_clip
from spacediff.errors import SpaceOutputUnusable
from spacediff.sources.space import asking
from support.gradio_servers import drawn
from support.space_requests import Ask, refused


@pytest.mark.parametrize(("name", "kept_as"), [("image_png", "hosted.png"), ("inline", "hosted.png")])
def test_an_image_is_fetched_as_it_is(ask: Ask, tmp_path: Path, name: str, kept_as: str) -> None:
    produced = ask(name, outputs={"image": 0})
    assert [path.name for path in tmp_path.iterdir()] == [kept_as]
    assert np.array_equal(produced.clip.frames, drawn(42)[None])
    assert produced.clip.medium == "pictures"
    assert produced.settings["output.pictures"].value == 1
    assert "output.fps" not in produced.settings


def test_gradio_makes_webp_of_an_image(ask: Ask) -> None:
    produced = ask("image", outputs={"image": 0})
    assert produced.encoding.startswith("webp RGB 64x48, ")
    assert 0 < np.abs(np.asarray(produced.clip.frames, int) - drawn(42)).mean() < 8


@pytest.mark.parametrize("name", ["gallery", "gallery_captions", "files", "older_gallery"])
def test_all_pictures_of_a_gallery_are_taken_in_order(ask: Ask, tmp_path: Path, name: str) -> None:
    produced = ask(name, outputs={"file" if name == "files" else "gallery": 0})
    assert [path.name for path in tmp_path.iterdir()] == ["hosted.zip"]
    assert produced.clip.medium == "pictures"
    for picture, seed in zip(produced.clip.frames, (42, 43), strict=True):
        assert np.abs(picture.astype(int) - drawn(seed)).mean() < 8
    assert read_clip(tmp_path / "hosted.zip").digest == produced.clip.digest


def test_one_picture_of_a_gallery_is_chosen_by_its_number(ask: Ask) -> None:
    produced = ask("older_gallery", outputs={"gallery": 0, "index": 1})
    assert np.array_equal(produced.clip.frames, drawn(43)[None])
    error = refused(ask, "older_gallery", SpaceOutputUnusable, outputs={"gallery": 0, "index": 2})
    assert error.message == "output 0 of the Space has 2 files, and outputs.index asks for number 2"


def test_several_pictures_are_never_cut_to_one(ask: Ask) -> None:
    error = refused(ask, "gallery", SpaceOutputUnusable, outputs={"image": 0})
    assert error.message == "output 0 of the Space has 2 files"
    assert refused(ask, "two_in_a_list", SpaceOutputUnusable).message == "output 0 of the Space has 2 files"
    assert error.hint == "outputs = { gallery = 0 } takes all of them, and index = 0 next to it only the first"


def test_an_animation_in_an_image_is_a_video(ask: Ask) -> None:
    produced = ask("image_gif", outputs={"image": 0})
    assert produced.clip.medium == "video"
    assert len(produced.clip.frames) == 3
    assert produced.clip.fps == 10


def test_an_output_without_an_image_is_named(ask: Ask) -> None:
    error = refused(ask, "text", SpaceOutputUnusable, outputs={"image": 0})
    assert error.message == "output 0 of the Space is not an image but a text"


def test_a_gallery_is_limited_as_one_file_is(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask("files", outputs={"file": 0})
    size = (tmp_path / "hosted.zip").stat().st_size
    (tmp_path / "hosted.zip").unlink()
    monkeypatch.setattr(asking, "MAX_BYTES", size // 2)
    assert "larger than the limit" in refused(ask, "files", SpaceOutputUnusable, outputs={"file": 0}).message
    assert list(tmp_path.iterdir()) == []
