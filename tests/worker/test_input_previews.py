from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from spacediff.clip import Clip, write_preview
from spacediff.inputs.files import identified
from spacediff.run import Prompt
from spacediff.worker.input_previews import write_previews
from spacediff.worker.records import prompt_record


def picture(folder: Path, name: str = "first.png") -> Path:
    path = folder / name
    Image.new("RGB", (960, 320), (200, 30, 40)).save(path)
    return path


def test_a_picture_is_shown_small_and_described_as_the_file_is(tmp_path: Path) -> None:
    (shown,) = write_previews([identified("image", picture(tmp_path))], tmp_path / "audit")
    assert (shown.name, shown.width, shown.height, shown.video) == ("image", 960, 320, False)
    with Image.open(tmp_path / "audit" / shown.preview) as preview:
        assert preview.size == (480, 160)
        assert preview.getpixel((5, 5)) == (200, 30, 40)


def test_a_video_is_shown_by_its_first_frame(tmp_path: Path) -> None:
    frames = np.stack([np.full((32, 48, 3), level, np.uint8) for level in (0, 250)])
    write_preview(Clip(frames, Fraction(8)), tmp_path / "v.mp4")
    (shown,) = write_previews([identified("video", tmp_path / "v.mp4")], tmp_path)
    assert (shown.video, shown.width, shown.height) == (True, 48, 32)
    with Image.open(tmp_path / shown.preview) as preview:
        assert max(preview.getpixel((5, 5))) < 10  # type: ignore[arg-type]  # a tuple, as it is RGB


def test_what_has_gone_is_described_without_a_picture(tmp_path: Path) -> None:
    given = identified("image", [picture(tmp_path), picture(tmp_path, "second.png")])
    (tmp_path / "first.png").unlink()
    gone, there = write_previews([given], tmp_path)
    assert (gone.digest, gone.preview, gone.width) == (given.files[0].digest, "", 0)
    assert there.preview


def test_neither_the_name_nor_the_exif_of_a_file_is_kept(tmp_path: Path) -> None:
    photo = Image.new("RGB", (60, 40))
    exif = photo.getexif()
    exif[0x013B] = "Anna"  # its artist
    photo.save(tmp_path / "holiday.jpg", exif=exif)
    (shown,) = write_previews([identified("image", tmp_path / "holiday.jpg")], tmp_path)
    assert "holiday" not in repr(shown)
    assert b"Anna" not in (tmp_path / shown.preview).read_bytes()


def test_a_private_prompt_leaves_nothing_of_its_inputs(tmp_path: Path) -> None:
    given = identified("image", picture(tmp_path))
    private = prompt_record(Prompt("p", "secret", 1, private=True, inputs=(given,)), tmp_path / "audit")
    assert (private.text, private.inputs) == ("", [])
    assert not (tmp_path / "audit").exists()
    (shown,) = prompt_record(Prompt("p", "open", 1, inputs=(given,)), tmp_path / "audit").inputs
    assert shown.digest == given.files[0].digest
