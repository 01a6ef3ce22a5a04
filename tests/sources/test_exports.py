"""The frame rate of the video that a script writes after the call at which it is ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.settings import Origin
from spacediff.sources.exports import exports

CALL = """
from diffusers import CogVideoXPipeline
from diffusers.utils import export_to_video
pipe = CogVideoXPipeline.from_pretrained("org/name")
frames = pipe("a lemon").frames[0]
"""
OPTIONS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--fps", type=int, default=8)
options = parser.parse_args()
"""


@pytest.mark.parametrize(
    ("rest", "arguments", "fps", "origin"),
    [
        ("export_to_video(frames, 'a.mp4', fps=24)", (), 24, Origin.READ),
        (f"{OPTIONS}export_to_video(frames, 'a.mp4', fps=options.fps)", ("--fps", "12"), 12, Origin.READ),
        ("export_to_video(frames, 'a.mp4')", (), 10, Origin.DEFAULT),
        ("", (), 10, Origin.DEFAULT),
        ("export_to_video(frames, 'a.mp4', fps=0)", (), None, Origin.UNKNOWN),
        ("export_to_video(frames, 'a.mp4', fps=pipe.unknown())", (), None, Origin.UNKNOWN),
        ("import json; export_to_video(frames, 'a.mp4', fps=json.load(open('c'))['fps'])", (), None, Origin.UNKNOWN),
    ],
)
def test_the_frame_rate_is_read(
    rest: str, arguments: tuple[str, ...], fps: float | None, origin: Origin, tmp_path: Path
) -> None:
    (tmp_path / "run.py").write_text(CALL + rest)
    found = exports(tmp_path / "run.py", arguments, "run.py:5")["output.fps"]
    assert (found.value, found.origin) == (fps, origin)


def test_of_a_call_in_another_module_the_main_call_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(f"{CALL}export_to_video(frames, 'a.mp4', fps=24)")
    assert exports(tmp_path / "run.py", (), "parts.py:77").value("output.fps") == 24


def test_a_notebook_is_read(tmp_path: Path) -> None:
    sources = (CALL, "export_to_video(frames, 'a.mp4', fps=24)")
    cells = [{"cell_type": "code", "source": source, "outputs": [], "metadata": {}} for source in sources]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (tmp_path / "run.ipynb").write_text(json.dumps(notebook))
    assert exports(tmp_path / "run.ipynb", (), "run.ipynb, cell 1:5").value("output.fps") == 24


def test_of_a_source_that_cannot_be_read_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("def (")
    found = exports(tmp_path / "run.py", (), "run.py:1")
    assert {path: (each.value, each.origin) for path, each in found.items()} == {
        "output.fps": (None, Origin.UNKNOWN), "output.quality": (None, Origin.UNKNOWN),
    }  # fmt: skip
