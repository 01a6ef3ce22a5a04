"""Input pictures and videos reach a Space as they are, and nothing that identifies a private one is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import SpaceApiMismatch
from spacediff.inputs.files import Input, identified
from spacediff.sources import Produced
from support.gradio_servers import SpaceApp
from support.input_files import mask, picture, turned_jpeg, write_video
from support.space_requests import Ask, refused


@pytest.fixture
def image(tmp_path_factory: pytest.TempPathFactory) -> Input:
    """A picture that EXIF turns, so that a changed copy would be noticed."""
    return identified("image", turned_jpeg(tmp_path_factory.mktemp("mine") / "holiday of anna.JPG"))


def sent(
    ask: Ask, app: SpaceApp, name: str, inputs: dict[str, Any], *files: Input, **more: Any
) -> tuple[Any, Produced]:
    """Return what the Space got, and the result."""
    produced = ask(name, inputs={**inputs, "seed_value": "{seed}"}, files=files, **more)
    return app.seen()["calls"][-1][1], produced


def test_a_picture_arrives_byte_for_byte_under_a_neutral_name(app: SpaceApp, ask: Ask, image: Input) -> None:
    came, produced = sent(ask, app, "take_picture", {"file": "{file:image}"}, image)
    assert came == [[image.files[0].digest, "image.jpg"]]
    assert produced.settings.value("space.inputs.file") == f"sha256:{image.files[0].digest[:16]}"
    assert "anna" not in repr(produced)


def test_a_private_picture_leaves_no_digest(app: SpaceApp, ask: Ask, image: Input) -> None:
    _, produced = sent(ask, app, "take_picture", {"file": "{file:image}"}, image, private=True)
    assert produced.settings.value("space.inputs.file") == "a private file"
    assert image.files[0].digest[:8] not in repr(produced)


def test_a_video_arrives(app: SpaceApp, ask: Ask, tmp_path: Path) -> None:
    video = identified("video", write_video(tmp_path / "mine.mp4"))
    came, _ = sent(ask, app, "take_video", {"file": "{file:video}"}, video)
    assert came == [[video.files[0].digest, "video.mp4"]]


@pytest.mark.parametrize("endpoint", ["take_files", "take_gallery"])
def test_several_files_arrive_in_order(endpoint: str, app: SpaceApp, ask: Ask, tmp_path: Path) -> None:
    for n in range(2):
        picture(n).save(tmp_path / f"{n}.png")
    both = identified("images", [tmp_path / "1.png", tmp_path / "0.png"])
    came, produced = sent(ask, app, endpoint, {"file": "{file:images}"}, both)
    assert [digest for digest, _ in came] == [file.digest for file in both.files]
    assert [text[:7] for text in produced.settings.value("space.inputs.file")] == ["sha256:"] * 2


def test_an_editor_gets_its_background_and_its_layers(app: SpaceApp, ask: Ask, image: Input, tmp_path: Path) -> None:
    mask().save(tmp_path / "mask.png")
    painted = identified("mask_image", tmp_path / "mask.png")
    table = {"background": "{file:image}", "layers": ["{file:mask_image}"], "composite": None}
    came, _ = sent(ask, app, "take_editor", {"file": table}, image, painted)
    assert came == [[60, 80, 3], [[64, 64, 3]]]
    came, _ = sent(ask, app, "take_editor", {"file": "{file:image}"}, image)
    assert came == [[60, 80, 3], []]


def test_a_text_for_a_picture_and_a_picture_for_a_text_are_refused_before_the_job(
    app: SpaceApp, ask: Ask, image: Input
) -> None:
    before = len(app.seen()["calls"])
    error = refused(
        ask, "take_picture", SpaceApiMismatch, inputs={"file": "holiday.png", "seed_value": 1}, files=[image]
    )
    assert "{file:image}" in error.hint
    error = refused(ask, "plain", SpaceApiMismatch, inputs={"prompt": "{file:image}", "seed_value": 1}, files=[image])
    assert "Textbox" in error.message
    assert len(app.seen()["calls"]) == before
