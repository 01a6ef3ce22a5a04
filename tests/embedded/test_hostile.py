"""Hostile texts in files: they are bounded, and what is damaged declares nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from spacediff.embedded import declared, declared_in, declared_in_all
from spacediff.embedded.found import LONGEST, MOST_QUOTED
from spacediff.embedded.texts import MAX_TEXT_BYTES
from spacediff.errors import SourceNotReadable
from spacediff.reading.media import read_media
from spacediff.run import Prompt
from spacediff.sources.video import take
from support.signed_pictures import GRAPH, SIZE, WEB_UI, png, video, with_chunk, with_comment


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_bomb_is_not_unpacked(kind: bytes, tmp_path: Path) -> None:
    bomb = zlib.compress(b"a" * (16 * MAX_TEXT_BYTES))
    assert len(bomb) < MAX_TEXT_BYTES / 16
    before = b"parameters\0\0" if kind == b"zTXt" else b"parameters\0\1\0\0\0"
    file = with_chunk(tmp_path / "a.png", (kind, before + bomb))
    tracemalloc.start()
    try:
        assert not declared_in(file).settings
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_TEXT_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", [b"parameters", b"other"])
def test_many_bombs_take_no_more_memory_than_a_few_texts(name: bytes, tmp_path: Path) -> None:
    packed = zlib.compress(b"a" * (MAX_TEXT_BYTES - 1))
    file = with_chunk(tmp_path / "a.png", *[(b"zTXt", name + b"\0\0" + packed)] * 100)
    tracemalloc.start()
    try:
        assert not declared_in(file).settings
        assert tracemalloc.get_traced_memory()[1] < 12 * MAX_TEXT_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ['"a\\n." + " " * n + "."', '"a\\n" + "a:" * n', '"a\\n" + "b: \\"," * n', '"a\\n" + "a" * n']
)
def test_reading_takes_no_time_that_grows_with_the_square(text: str) -> None:
    program = f"""
from spacediff.embedded.web_ui import _LONGEST_LINE, read_web_ui
for n in (*[_LONGEST_LINE // 4 - 1, _LONGEST_LINE - 2] * 20, 1_000_000):
    read_web_ui({text})
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)  # each takes less than 1 s


def test_what_cannot_be_read_makes_no_file_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = png(tmp_path / "a.png", parameters=WEB_UI)
    assert not declared_in(file).problem

    def fails(_: str) -> None:
        raise OverflowError

    monkeypatch.setattr(declared, "read_web_ui", fails)
    assert "a.png" in declared_in(file).problem
    assert "a.png" in declared_in_all([file, file]).problem
    taken = take(file, tmp_path, Prompt("lemon", "a lemon", 0))
    assert taken.warnings == (declared_in(file).problem,)
    with pytest.raises(SourceNotReadable, match="could not be read"):
        read_media(file)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 100_000,
        "[" * 100_000,
        '{"3": {"class_type": "KSampler", "inputs": {"seed": 1' + "0" * 5000 + "}}}",
        json.dumps({"3": {"class_type": ["KSampler"], "inputs": 3}}),
        json.dumps({"3": None}),
        '{"3": {"class_type": "KSampler", "inputs": {"steps": NaN, "cfg": Infinity, "seed": -1, "denoise": {}}}}',
        json.dumps({str(n): {"class_type": "KSampler", "inputs": {}} for n in range(3000)}),
        "Steps: " + "1, a: " * 50_000,
        "Steps: 1e999, CFG scale: nan, Seed: -5, Size: 0x0",
        "\0" * 1000,
        '{"seed": 1' + "0" * 400 + ', "steps": -1' + "0" * 400 + "}",
        '{"seed": 1' + "0" * 4200 + ', "guidance_scale": 1' + "0" * 4200 + "}",
        json.dumps({"seed": -1, "steps": -2, "scheduler": {}, "model": {"base": {}, "name": []}, "rand_device": []}),
        json.dumps({"seed": -1, "steps": -2, "scheduler": "ddim", "model": {"base": {}}}),
        json.dumps({"3": {"class_type": "KSamplerAdvanced", "inputs": {"add_noise": {}, "noise_seed": 7}}}),
        "",
    ],
)
def test_no_text_says_more_than_it_may(text: str, tmp_path: Path) -> None:
    began = time.monotonic()
    for name in ("parameters", "prompt", "invokeai_metadata"):
        found = declared_in(png(tmp_path / "a.png", {name: text}), SIZE).settings
        assert not [path for path in found if not path.startswith(("file.", "call.prompt"))], found
        assert not declared_in(png(tmp_path / "a.png", {name: text})).problem
    assert time.monotonic() - began < 5


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    text = '{"seed": 1, "prompt": "a\\ud800", "x": "b\\udc00"}'
    found = declared_in(png(tmp_path / "a.png", parameters=text)).settings
    assert (found.value("call.prompt"), found.value("file.x")) == ("a?", "b?")


def test_a_node_that_links_to_itself_is_followed_once(tmp_path: Path) -> None:
    circle = {"class_type": "KSampler", "inputs": {key: ["1", 0] for key in ("seed", "steps", "cfg", "positive")}}
    assert not declared_in(png(tmp_path / "a.png", prompt=json.dumps({"1": circle}))).settings


def test_quotes_are_few_and_short_and_have_names_of_their_own(tmp_path: Path) -> None:
    many = {f"key {n}/\x1b[31m.{'x' * 500}": "<b>\n" * 1000 for n in range(500)}
    found = declared_in(png(tmp_path / "a.png", parameters=json.dumps({"seed": 1, "steps": 2, **many}))).settings
    quoted = {path: setting.value for path, setting in found.items() if path.startswith("file.")}
    assert 0 < len(quoted) <= MOST_QUOTED
    assert all(len(value) <= LONGEST and path.count(".") == 1 and path.isprintable() for path, value in quoted.items())


@pytest.mark.parametrize("length", [0, 20, 40, 60, 200])
def test_a_cut_file_declares_nothing(length: int, tmp_path: Path) -> None:
    for file in (
        png(tmp_path / "a.png", parameters=WEB_UI),
        with_comment(tmp_path / "b.jpg", WEB_UI),
        video(tmp_path / "c.mp4", "prompt", json.dumps(GRAPH)),
    ):
        file.write_bytes(file.read_bytes()[:length])
        assert not declared_in(file).settings
    assert not declared_in(tmp_path / "missing.png").settings


def test_chunks_that_claim_more_than_there_is_end_the_reading(tmp_path: Path) -> None:
    file = with_chunk(tmp_path / "a.png", (b"tEXt", b"parameters\0" + WEB_UI.encode("latin-1")))
    content = file.read_bytes()
    place = content.index(b"tEXt") - 4
    file.write_bytes(content[:place] + (2**31 - 1).to_bytes(4, "big") + content[place + 4 :])
    assert not declared_in(file).settings
