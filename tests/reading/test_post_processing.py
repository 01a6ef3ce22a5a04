"""What is done to frames after the call and to pictures before it, and how frames become a file."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import Reading, read_text

LOADED = """import cv2, imageio, torch, numpy as np
from diffusers import WanImageToVideoPipeline
from diffusers.utils import export_to_gif, export_to_video, load_image, make_image_grid
from moviepy.editor import ImageSequenceClip, concatenate_videoclips
from torchvision.io import write_video
from torchvision.transforms import functional as TF
from PIL import Image, ImageFilter, ImageOps
pipe = WanImageToVideoPipeline.from_pretrained("org/wan")
picture = load_image("a.png")
"""
CALL = "frames = pipe(image=picture, prompt='a kite', num_frames=49).frames[0]\n"


def read(before: str = "", after: str = "") -> Reading:
    return read_text(f"{LOADED}{before}\n{CALL}{after}\n", "run.py")


def noted(reading: Reading) -> list[str]:
    return [note.kind for note in reading.notes if note.kind != "random"]


@pytest.mark.parametrize(
    "line",
    [
        "frames = [frame.resize((640, 360)) for frame in frames]",
        "frames = [cv2.resize(np.array(frame), (640, 360)) for frame in frames]",
        "frames = torch.nn.functional.interpolate(frames, scale_factor=2)",
        "for frame in frames:\n    frame.thumbnail((640, 360))",
        "frames = [ImageOps.fit(frame, (64, 64)) for frame in frames]",
    ],
)
def test_frames_that_are_resized_are_noted(line: str) -> None:
    assert noted(read(after=line)) == ["resizing"]


@pytest.mark.parametrize(
    "line",
    [
        "picture = ImageOps.fit(picture, (512, 512))",
        "picture = picture.resize((512, 512), Image.LANCZOS)",
        "picture = Image.open('a.png').convert('RGB').resize((512, 512))",
        "picture = cv2.resize(np.array(picture), (512, 512))",
        "picture = TF.center_crop(TF.resize(picture, 512), 512)",
        "def smaller(image):\n    return image.resize((8, 8))\npicture = smaller(picture)",
    ],
)
def test_a_picture_that_is_resized_before_the_call_is_noted_as_input(line: str) -> None:
    assert set(noted(read(line))) == {"input resizing"}


def test_a_resized_picture_keeps_its_file() -> None:
    assert read("picture = picture.resize((512, 512))").settings.value("call.image") == "a.png"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export_to_video(frames[1:], 'o.mp4')", "the first frame is dropped, 48 of 49"),
        ("frames = frames[:16]", "16 of 49"),
        ("frames = frames[::2]", "25 of 49"),
        ("frames = frames[::-1]", "reversed"),
        ("frames = frames[:count]", "frames[:count]"),
    ],
)
def test_frames_that_are_dropped_are_counted(line: str, words: str) -> None:
    (note,) = [note for note in read(after=line).notes if note.kind == "post-processing"]
    assert words in note.text


@pytest.mark.parametrize(
    "line",
    [
        "frames = list(reversed(frames))",
        "frames = np.concatenate([frames, frames])",
        "frames = [frame.filter(ImageFilter.SHARPEN) for frame in frames]",
        "frames = [add_watermark(frame) for frame in frames]",
        "def color_fix(frames, picture):\n    return frames\nframes = color_fix(frames, picture)",
        "make_image_grid(frames, 1, 2).save('o.png')",
        "frames = gfpgan.enhance_faces(frames)\nframes = restore_faces(frames)",
    ],
)
def test_other_changes_of_frames_are_noted(line: str) -> None:
    assert "post-processing" in noted(read(after=line))


@pytest.mark.parametrize(
    "line",
    ["frames = frames[:]", "frames = np.array(frames)", "first = frames[0]", "export_to_video(frames, 'o.mp4')"],
)
def test_frames_that_stay_as_they_are_get_no_note(line: str) -> None:
    assert noted(read(after=line)) == []


@pytest.mark.parametrize(
    ("line", "fps"),
    [
        ("export_to_video(frames, 'o.mp4', 24)", 24),
        ("export_to_gif(frames, 'o.gif', fps=8)", 8),
        ("imageio.mimsave('o.mp4', frames, fps=12)", 12),
        ("write_video('o.mp4', frames, 15)", 15),
        ("out = cv2.VideoWriter('o.mp4', cv2.VideoWriter_fourcc(*'mp4v'), 30, (8, 8))", 30),
        ("ImageSequenceClip(frames, fps=10).write_videofile('o.mp4')", 10),
        ("ImageSequenceClip(frames, 10)", 10),
        ("writer = imageio.get_writer('o.mp4', fps=9)\nfor frame in frames:\n    writer.append_data(frame)", 9),
    ],
)
def test_the_frames_per_second_of_each_way_to_write_a_video_are_read(line: str, fps: Any) -> None:
    assert read(after=line).settings.value("output.fps") == fps


@pytest.mark.parametrize(
    "line",
    [
        "pipe(image=picture, prompt='x', num_frames=10**18 * 9).frames[0][1:]",
        f"int8{'a' * 50_000}()",
        f"pipe.transformer.set_attn_processor({'A' * 50_000}())",
        "pipe.load_lora_weights('a/b')\npipe.set_adapters('default_0', 1e308)\npipe.fuse_lora(lora_scale=1e308)",
    ],
)
def test_extreme_values_do_no_harm(line: str) -> None:
    assert read(after=line).settings.value("call.prompt") is not None
