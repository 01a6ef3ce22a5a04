"""The settings that a file declares are settings of the reference: of a file, of several, and of a Space's answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.run import Prompt
from spacediff.settings import Origin
from spacediff.sources.video import take, take_several
from support.gradio_servers import SpaceApp
from support.signed_pictures import GRAPH, NEGATIVE, PROMPT, WEB_UI, png, video
from support.space_requests import Ask

HIDDEN = ("lemon", "plate", "blurry", "dream", "DPM++")


def test_a_file_carries_what_it_declares(tmp_path: Path) -> None:
    file = png(tmp_path / "a.png", parameters=WEB_UI)
    (tmp_path / "kept").mkdir()
    produced = take(file, tmp_path / "kept", Prompt("p", PROMPT, 0))
    assert produced.settings["call.num_inference_steps"].origin is Origin.DECLARED
    assert produced.settings["call.width"].origin is Origin.READ  # measured, not claimed
    assert produced.settings.value("call.negative_prompt") == NEGATIVE
    assert "call.prompt" not in produced.settings
    assert produced.warnings == ()
    other = take(file, tmp_path / "kept", Prompt("p", "a pear", 0))
    assert other.warnings == ("the file says that Stable Diffusion web UI made it with another prompt",)


def test_several_pictures_carry_what_all_declare(tmp_path: Path) -> None:
    files = [png(tmp_path / f"{seed}.png", parameters=WEB_UI.replace("Seed: 1234", f"Seed: {seed}")) for seed in (1, 2)]
    produced = take_several(files, tmp_path, Prompt("p", PROMPT, 0))
    assert produced.settings.value("call.guidance_scale") == 7.5
    assert "rng.seed" not in produced.settings


@pytest.mark.parametrize("text", [PROMPT, ""])
def test_of_a_private_prompt_no_text_of_the_file_is_taken(text: str, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for file in (
        png(tmp_path / "a.png", parameters=WEB_UI),
        png(tmp_path / "b.png", prompt=json.dumps(GRAPH)),
        video(tmp_path / "c.mp4", "prompt", json.dumps(GRAPH)),
    ):
        produced = take(file, tmp_path / "kept", Prompt("p", text, 0, private=True))
        assert produced.settings.value("call.num_inference_steps") == 20
        said = repr([*produced.settings.items(), produced.warnings, produced.described])
        assert not [word for word in HIDDEN if word in said]


def test_the_answer_of_a_space_declares_its_settings(app: SpaceApp, ask: Ask) -> None:
    png(app.folder / "signed.png", parameters=WEB_UI)
    produced = ask("file_named", prompt="signed.png", outputs={"image": 0})
    assert produced.settings.value("call.num_inference_steps") == 20
    assert produced.settings.value("file.Sampler") == "DPM++ 2M"
    assert produced.settings.value("rng.seed") == 1234
    assert produced.instead is not None
    assert (produced.instead.seed, produced.instead.rewritten) == (1234, True)
    private = ask("file_named", prompt="signed.png", outputs={"image": 0}, private=True)
    assert private.settings.value("call.num_inference_steps") == 20
    assert not [word for word in HIDDEN if word in repr([*private.settings.items(), private.warnings])]


def test_compare_shows_what_two_files_declare_and_escapes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = WEB_UI.replace("Model: dream", "Model: <script>alert(1)</script>\x1b[31m")
    ours = png(tmp_path / "a.png", parameters=marked)
    theirs = png(tmp_path / "b.png", parameters=WEB_UI.replace("CFG scale: 7.5", "CFG scale: 3"))
    assert main(["compare", str(ours), str(theirs), "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "call.guidance_scale" in page
    assert "PNG text parameters of a.png" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "\x1b[31m" not in page + capsys.readouterr().out


def test_read_lists_them_and_says_where_there_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = png(tmp_path / "a.png", parameters=WEB_UI.replace("Model: dream", "Model: \x1b[31mdream"))
    assert main(["read", str(file)]) == 0
    out = capsys.readouterr().out
    assert "call.num_inference_steps  20" in out
    assert "PNG text parameters of a.png" in out
    assert "\x1b" not in out
    assert main(["read", str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["rng.seed"]["origin"] == "declared"
    assert main(["read", str(png(tmp_path / "b.png"))]) == 2
    assert "declares no settings" in capsys.readouterr().err
