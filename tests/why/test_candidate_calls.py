"""A source with several calls that may be the main one: each is compared, or one is chosen by its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.investigation import SourceComparison, compare_sources

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
video = pipe("a cat", num_inference_steps=40, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
"""
SPACE = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt):
    noise = torch.Generator("cpu").manual_seed(42)
    if busy():
        return pipe(prompt, num_inference_steps={}, generator=noise).frames[0]
    else:
        return pipe(prompt, num_inference_steps={}, generator=noise).frames[0]
gr.Interface(draw, gr.Textbox(), gr.Video()).launch()
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    script, space = tmp_path / "run.py", tmp_path / "app.py"
    script.write_text(SCRIPT)
    space.write_text(SPACE.format(40, 8))
    return script, space


def counted(found: SourceComparison) -> dict[str, int]:
    return {one.call.where: len(one.found.differences) for one in found.calls}


def test_each_call_that_may_be_the_main_one_is_compared(sources: tuple[Path, Path]) -> None:
    script, space = sources
    found = compare_sources(script, space)
    assert not found.decided
    assert counted(found) == {"app.py:8": 0, "app.py:10": 1}
    assert "--space-call LINE" in found.headline
    assert {one.side for one in found.calls} == {"the Space"}


def test_calls_of_the_script_are_chosen_by_their_own_option(sources: tuple[Path, Path]) -> None:
    script, space = sources
    found = compare_sources(space, script)
    assert not found.decided
    assert counted(found) == {"app.py:8": 0, "app.py:10": 1}
    assert "choose with --call LINE" in found.headline
    assert compare_sources(space, script, call=8).decided


@pytest.mark.parametrize(("line", "differing"), [("8", 0), ("app.py:10", 1)])
def test_a_chosen_call_is_decided(line: str, differing: int, sources: tuple[Path, Path]) -> None:
    found = compare_sources(*sources, space_call=line)
    assert found.decided
    assert len(found.differences) == differing
    assert found.calls == []


def test_calls_that_differ_alike_need_no_choice(sources: tuple[Path, Path]) -> None:
    script, space = sources
    space.write_text(SPACE.format(40, 40))
    found = compare_sources(script, space)
    assert found.decided
    assert found.headline.startswith("No difference")


def test_the_class_of_the_script_chooses_among_calls_of_several_classes(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        SCRIPT.replace("CogVideoXPipeline", "CogVideoXImageToVideoPipeline").replace('"a cat"', 'image="a.png"')
    )
    (tmp_path / "app.py").write_text(
        SPACE.replace("busy()", "image is not None")
        .replace("draw(prompt)", "draw(prompt, image)")
        .replace("gr.Textbox()", "[gr.Textbox(), gr.Image()]")
        .replace("return pipe(prompt, ", "return pipe_image(image=image, ", 1)
        .replace("def draw", "from diffusers import CogVideoXImageToVideoPipeline\n"
                 "pipe_image = CogVideoXImageToVideoPipeline.from_pretrained('THUDM/CogVideoX-5b', "
                 "torch_dtype=torch.bfloat16).to('cuda')\ndef draw")
        .format(30, 8)
    )  # fmt: skip
    found = compare_sources(tmp_path / "run.py", tmp_path / "app.py")
    rows = {row.path: (row.left.value, row.right.value) for row in found.differences}
    assert rows == {"call.num_inference_steps": (40, 30)}
    assert found.decided


def test_a_line_without_a_call_exits_with_2(sources: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    script, space = sources
    assert main(["why", "--script", str(script), "--space", str(space), "--plan-only", "--space-call", "3"]) == 2
    assert "no pipeline is called at 3" in capsys.readouterr().err


def test_json_says_whether_the_comparison_is_decided(
    sources: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    script, space = sources
    arguments = ["why", "--script", str(script), "--space", str(space), "--plan-only", "--format", "json"]
    assert main(arguments) == 0
    undecided = json.loads(capsys.readouterr().out)
    assert undecided["decided"] is False
    assert [one["side"] for one in undecided["calls"]] == ["the Space", "the Space"]
    assert main([*arguments, "--space-call", "10"]) == 0
    decided = json.loads(capsys.readouterr().out)
    assert decided["decided"] is True
    (row,) = decided["differences"]
    assert (row["path"], row["script"]["value"], row["space"]["value"]) == ("call.num_inference_steps", 40, 8)
