"""Private prompts: a real audit must show all numbers, but neither the text nor a picture."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import failure
from spacediff.privacy.private_prompts import keep_private, private, private_texts
from spacediff.privacy.redaction import redact_text
from spacediff.record import read_record

TEXT = "An unreleased zeppelin lands on the roof of our secret workshop"
SCENARIO = f"""
title = "private matters"
question = "Does the unreleased zeppelin lands on the roof clip repeat?"
PLACE
[prompts.one]
text = "{TEXT}"
seed = 42
INNER
[baseline]
model = {{ id = "builtin:tiny-cogvideox-random" }}
call = {{ num_inference_steps = 2, num_frames = 9, negative_prompt = "purple elephants dancing badly" }}
placement = "cpu"
[variants.broken]
model.id = "./{TEXT}"
[variants.guided]
call.guidance_scale = 3.0
[reference]
variant = "guided"
[scale]
seeds = 1
rerun = false
"""
WORDS = ("zeppelin", "secret workshop", "purple elephants")
FORMATS = ["html", "md", "junit", "zip", "summary", "issue", "json"]


@pytest.mark.parametrize("place", ["scenario", "prompt"])
def test_a_private_prompt_shows_numbers_but_no_text_and_no_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    text = SCENARIO.replace("PLACE", "private = true" if place == "scenario" else "")
    text = text.replace("INNER", "private = true" if place == "prompt" else "")
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / TEXT).mkdir()
    folder, out = tmp_path / "audit", tmp_path / "formats"
    assert main(["audit", str(tmp_path / "mine.toml"), "--out", str(folder)]) == 0
    asked = [word for name in FORMATS for word in ("--format", name)]
    assert main(["report", str(folder), "--out", str(out), *asked]) == 0
    printed = "".join(capsys.readouterr())
    texts = {"the terminal": printed.encode()}
    for file in [*(each for each in folder.rglob("*") if each.is_file()), *out.iterdir()]:
        texts[str(file)] = file.read_bytes()
    with zipfile.ZipFile(io.BytesIO((out / "report.zip").read_bytes())) as archive:
        texts |= {f"report.zip/{name}": archive.read(name) for name in archive.namelist()}
        assert not any(name.endswith(".mp4") for name in archive.namelist())
    for where, content in texts.items():
        assert not [word for word in WORDS if word.encode() in content], where
    for page in (folder / "report.html", out / "report.html"):
        assert "The prompt is private" in page.read_text()
        assert "AAAAIGZ0eX" not in page.read_text(), "no clip"
        assert "iVBORw0KGgo" not in page.read_text(), "no map"
        assert not re.search(r"data:(video|image/(png|jpeg|webp));base64,[A-Za-z0-9+/]{9}", page.read_text())
    record = read_record(folder)
    assert record.prompts[0].private
    assert json.loads((out / "audit.json").read_text())["scenario"].startswith("# not kept")
    (baseline, *_) = (each for each in record.comparisons if each.candidate == "baseline")
    assert baseline.metrics["mae"].pooled > 0
    assert f"{baseline.metrics['psnr'].pooled:.2f}" in (out / "issue.md").read_text()
    clip = record.run("one", "baseline").clip
    assert clip is not None
    assert (folder / clip.lossless).is_file(), "clips stay in the folder, to be measured"


def test_a_public_prompt_shows_text_and_pictures(tmp_path: Path) -> None:
    from spacediff.reporting.html import render_html
    from support.synthetic_audit import synthetic_audit

    record = synthetic_audit(tmp_path, frames=1, size=(32, 48))
    page = render_html(record, tmp_path)
    assert "A hand squeezes" in page
    assert "AAAAIGZ0eX" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"refused: {TEXT}!", "refused: [private]!"),
        ("cut short: an UNRELEASED\n  zeppelin lands…", "cut short: [private]…"),
        ("a zeppelin lands", "a zeppelin lands"),
        ("drift 0.5 of the roof", "drift 0.5 of the roof"),
        ("lands on the roof, and lands on the roof", "[private], and [private]"),
    ],
)
def test_quotes_of_a_private_prompt_are_redacted(text: str, shown: str) -> None:
    with private([TEXT]):
        assert redact_text(text) == shown
    assert redact_text(text) == text


HANZI = "一艘未发布的飞艇降落在我们秘密工作室的屋顶上"
KANA = "未発表の飛行船が秘密の工房の屋根に着陸する"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("An_unreleased_zeppelin_lands_on_the_roof.mp4", "[private].mp4"),
        ("an-unreleased-zeppelin-lands-8f3a.mp4", "[private]-8f3a.mp4"),
        ("file=An%20unreleased%20zeppelin%20lands%20on", "file=[private]"),
        ("?q=an+unreleased+zeppelin+lands%2C", "?q=[private]%2C"),
        ("An%2520unreleased%2520zeppelin%2520lands", "[private]"),
        ("cut short: An unreleased zeppelin la…", "cut short: [private]…"),
        ("…nreleased zeppelin lands on the ro", "…[private]"),
        ("…leased zeppelin lands o…", "…[private]…"),
        (r"KeyError('An unreleased\nzeppelin lands on')", "KeyError('[private]')"),
        (r"C:\new\An unreleased zeppelin lands", r"C:\new\[private]"),
        ("an unreleased&nbsp;zeppelin&#32;lands", "[private]"),
        ("cut short: 飞艇降落在…", "cut short: [private]…"),
        ("秘密工作室.mp4", "[private].mp4"),
        ("%E9%A3%9E%E8%89%87%E9%99%8D%E8%90%BD.mp4", "[private].mp4"),
        (r'{"text": "\u98de\u8247\u964d\u843d"}', '{"text": "[private]"}'),
        ("飛行船か\u3099秘密", "[private]"),
        ("a zeppelin lane", "a zeppelin lane"),
        ("飞机降落", "飞机降落"),
    ],
)
def test_quotes_are_found_in_any_spelling_and_when_cut(text: str, shown: str) -> None:
    with private([TEXT, HANZI, KANA]):
        assert redact_text(text) == shown
    assert redact_text(text) == text


def test_words_of_the_record_itself_stay() -> None:
    with private(["Reference", "Elephants"]):
        assert redact_text("reference: elephants") == "reference: [private]"


def test_a_text_is_private_until_the_end_of_the_block() -> None:
    with private():
        keep_private([TEXT])
        assert redact_text(TEXT) == "[private]"
    assert redact_text(TEXT) == TEXT


def test_an_error_is_redacted_before_it_is_cut() -> None:
    with private([TEXT]):
        assert failure(ValueError("x" * 283 + f" {TEXT}")) == f"ValueError: {'x' * 283} [pri"


def test_very_short_private_texts_are_not_redacted() -> None:
    with private(["lemon", "", "a lemon tree"]):
        assert redact_text("lemon · a lemon tree · tree") == "lemon · [private] · tree"


def test_another_process_removes_the_same_words() -> None:
    with private([TEXT]):
        sent = private_texts()
    assert private_texts() == ()
    with private(sent):
        assert redact_text(f"it failed: {TEXT}") == "it failed: [private]"
