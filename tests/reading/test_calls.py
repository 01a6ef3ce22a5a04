"""Which call of several is the main one, what the others are for, and when that is undecided."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from spacediff.cli.commands import main
from spacediff.errors import CallNotFound
from spacediff.reading import Reading, read_fetched, read_source, read_text
from spacediff.settings import Origin

HEAD = """
import os, random, torch
import gradio as gr
from diffusers import *
from diffusers.utils import export_to_video
pipe = LTXConditionPipeline.from_pretrained("org/video", torch_dtype=torch.bfloat16).to("cuda")
"""


def read(text: str, head: str = HEAD) -> Reading:
    return read_text(head + textwrap.dedent(text), "app.py")


def roles(reading: Reading) -> list[tuple[str, str]]:
    return [(call.role, call.pipeline) for call in reading.calls]


def kinds(reading: Reading) -> set[str]:
    return {note.kind for note in reading.notes}


@pytest.mark.parametrize(
    ("second", "role"),
    [
        ("LTXLatentUpsamplePipeline", 'up(latents=small, output_type="pil")'),
        ("LTXConditionPipeline", "up(latents=small, denoise_strength=0.4)"),
        ("StableDiffusionXLImg2ImgPipeline", "up('a kite', image=small, strength=0.3)"),
        ("StableDiffusionUpscalePipeline", "up('a kite', image=small)"),
        ("CogVideoXVideoToVideoPipeline", "up(video=small, num_inference_steps=50)"),
    ],
)
def test_what_works_on_the_result_of_another_call_is_a_stage_also_if_its_result_is_exported(
    second: str, role: str
) -> None:
    reading = read(f"""
    up = {second}.from_pretrained("org/up")
    small = pipe("a kite", num_inference_steps=8, guidance_scale=1.0, generator=torch.Generator("cuda").manual_seed(3),
                 output_type="latent").frames
    export_to_video({role}.frames[0], "kite.mp4", fps=24)
    """)
    assert roles(reading) == [("main", "LTXConditionPipeline"), ("stage", second)]
    assert reading.settings.value("call.num_inference_steps") == 8
    assert reading.settings.value("rng.seed") == 3
    assert reading.settings.value("output.fps") == 24
    assert "random" not in kinds(reading)
    assert not reading.undecided


def test_what_makes_an_input_for_another_call_is_a_stage() -> None:
    reading = read("""
    prior, flux = FluxPriorReduxPipeline.from_pretrained("org/redux"), FluxPipeline.from_pretrained("org/flux")
    video = WanImageToVideoPipeline.from_pretrained("org/wan")
    image = flux("a kite", **prior("a.png")).images[0]
    export_to_video(video(image, "it flies", num_inference_steps=30).frames[0], "a.mp4", fps=16)
    """)
    assert roles(reading) == [
        ("stage", "FluxPriorReduxPipeline"), ("stage", "FluxPipeline"), ("main", "WanImageToVideoPipeline"),
    ]  # fmt: skip
    assert not reading.undecided


def test_a_result_that_a_component_carries_to_the_next_event_is_that_of_a_stage() -> None:
    reading = read("""
    flux, video = FluxPipeline.from_pretrained("org/flux"), CogVideoXImageToVideoPipeline.from_pretrained("org/video")
    def draw(prompt):
        return flux(prompt, num_inference_steps=4).images[0]
    def animate(image, prompt):
        frames = video(image=image, prompt=prompt, num_inference_steps=50).frames[0]
        export_to_video(frames, "a.mp4", fps=8)
    with gr.Blocks() as demo:
        prompt, image, one, two = gr.Textbox(), gr.State(), gr.Button(), gr.Button()
        one.click(draw, prompt, image)
        two.click(animate, [image, prompt], None)
    """)
    assert [call.role for call in reading.calls] == ["stage", "main"]
    assert reading.settings.value("call.num_inference_steps") == 50
    assert not reading.undecided


FINER = """
def draw(prompt, finer):
    small = pipe(prompt=prompt, num_inference_steps=8, guidance_scale=1.0, output_type="latent",
                 generator=torch.Generator("cuda").manual_seed(0)).frames
    if finer:
        return pipe(prompt=prompt, latents=small, num_inference_steps=10,
                    generator=torch.Generator("cpu").manual_seed(0)).frames[0]
    return small
"""


def test_a_call_that_default_inputs_do_not_lead_to_is_not_the_main_one() -> None:
    app = FINER + "gr.Interface(draw, [gr.Textbox(), gr.Checkbox({})], gr.Video()).launch()"
    reading = read(app.format("False"))
    assert reading.settings.value("call.num_inference_steps") == 8
    assert reading.settings.value("rng.device") == "cuda"
    assert [(call.only_if, call.usual) for call in reading.calls] == [("", True), ("finer", False)]


@pytest.mark.parametrize(
    ("condition", "steps"),
    [
        ('mode == "fast"', 4), ('mode != "fast"', 30), ('mode in ("fast", "draft")', 4), ("not mode", 30),
        ('mode.startswith("fa")', 4), ('mode.endswith("st")', 4), ('os.getenv("SLOW", "0") == "0"', 4),
        ('os.environ.get("SLOW")', 30), ('mode == "slow" or mode == "draft"', 30),
        ('mode and mode.lower() == "fast"', 4),
    ],
)  # fmt: skip
def test_a_condition_is_evaluated_with_the_default_inputs_and_both_calls_are_kept(condition: str, steps: int) -> None:
    reading = read(f"""
    def draw(prompt, mode="fast"):
        if {condition}:
            return pipe(prompt, num_inference_steps=4).frames[0]
        return pipe(prompt, num_inference_steps=30).frames[0]
    gr.Interface(draw, [gr.Textbox(), gr.Radio(["fast", "slow"], value="fast")], gr.Video()).launch()
    """)
    assert reading.settings.value("call.num_inference_steps") == steps
    assert sorted(call.role for call in reading.calls) == ["alternative", "main"]
    assert sorted(call.usual is True for call in reading.calls) == [False, True]
    assert not reading.undecided


@pytest.mark.parametrize(
    "body",
    [
        "if busy():\n    return pipe(prompt, num_inference_steps=4)\nreturn pipe(prompt, num_inference_steps=30)",
        "if busy():\n    v = pipe(prompt, num_inference_steps=4)\nelse:\n    v = pipe(prompt, num_inference_steps=30)",
        "match prompt.mode:\n    case 1: pipe(prompt, num_inference_steps=4)\n    case _: pipe(prompt, eta=1.0)",
    ],
)
def test_a_choice_that_only_running_shows_is_undecided(body: str) -> None:
    reading = read(f"def draw(prompt):\n{textwrap.indent(body, '    ')}\ngr.Interface(draw, 'text', 'video').launch()")
    assert len(reading.calls) == 2
    assert {call.usual for call in reading.calls} == {None}
    assert all(call.only_if for call in reading.calls)
    assert any("several calls may be the main one" in text for text in reading.undecided)


def test_what_the_user_must_give_is_no_condition_for_the_main_call() -> None:
    reading = read("""
    def draw(image, finer):
        if image is None:
            return None
        if not finer:
            return pipe(image=image, num_inference_steps=8).frames[0]
        return pipe(image=image, num_inference_steps=50).frames[0]
    gr.Interface(draw, [gr.Image(), gr.Checkbox(False)], gr.Video()).launch()
    """)
    assert reading.settings.value("call.num_inference_steps") == 8
    assert not reading.undecided


@pytest.mark.parametrize("ending", ["sys.exit(1)", "exit()", "parser.error('no')", "raise ValueError", "os._exit(2)"])
def test_a_branch_that_ends_the_program_is_no_alternative(ending: str) -> None:
    reading = read(f"""
    import argparse, sys
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int)
    a = parser.parse_args()
    steps = 20
    if a.steps == 3:
        steps = None
        {ending}
    pipe("a kite", num_inference_steps=steps)
    """)
    assert reading.settings["call.num_inference_steps"].value == 20
    assert "call.num_inference_steps" not in reading.alternatives


def test_calls_of_separate_events_are_undecided_unless_they_are_alike() -> None:
    app = """
    def one(prompt):
        return pipe(prompt, num_inference_steps=8).frames[0]
    def two(prompt):
        return pipe(prompt, num_inference_steps={steps}).frames[0]
    with gr.Blocks() as demo:
        text, a, b, out = gr.Textbox(), gr.Button(), gr.Button(), gr.Video()
        a.click(one, text, out)
        b.click(two, text, out)
    """
    reading = read(app.format(steps=30))
    assert reading.settings.value("call.num_inference_steps") == 8
    assert [call.role for call in reading.calls] == ["main", "alternative"]
    assert "app.py:11" in reading.undecided[0]
    assert "--call LINE" in reading.undecided[0]
    assert not read(app.format(steps=8)).undecided


def test_an_unexported_call_before_the_exported_one_warms_up() -> None:
    reading = read("""
    pipe("warm up", num_inference_steps=1)
    export_to_video(pipe("a kite", num_inference_steps=30).frames[0], "a.mp4", fps=8)
    """)
    assert [call.role for call in reading.calls] == ["other", "main"]
    assert reading.settings.value("call.num_inference_steps") == 30
    assert not reading.undecided


def test_one_of_two_classes_leaves_the_class_unknown() -> None:
    reading = read("""
    class Runner:
        def __init__(self, kind: str):
            kinds = {"t2v": CogVideoXPipeline, "i2v": CogVideoXImageToVideoPipeline}
            self.pipe = kinds[kind].from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16)
        def run(self, prompt):
            keywords = {"prompt": prompt, "generator": torch.Generator().manual_seed(42)}
            return self.pipe(**keywords).frames[0]
    """, HEAD.rpartition("pipe =")[0])  # fmt: skip
    assert reading.settings["model.pipeline"].origin is Origin.UNKNOWN
    assert [(one.setting.value, one.only_if) for one in reading.alternatives["model.pipeline"]] == [
        ("CogVideoXPipeline", "kind == 't2v'"), ("CogVideoXImageToVideoPipeline", "kind == 'i2v'"),
    ]  # fmt: skip
    assert reading.settings.value("rng.seed") == 42
    assert "reused generator" not in kinds(reading)
    assert reading.undecided


def test_a_call_is_chosen_by_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.py"
    path.write_text(f"{HEAD}{FINER}gr.Interface(draw, [gr.Textbox(), gr.Checkbox(False)], gr.Video()).launch()\n")
    for line in ("12", "app.py:12"):
        assert read_source(path, call=line).settings.value("call.num_inference_steps") == 10
    with pytest.raises(CallNotFound) as error:
        read_source(path, call="4")
    assert "LTXConditionPipeline (app.py:9), LTXConditionPipeline (app.py:12)" in str(error.value.hint)
    assert main(["read", str(path), "--call", "12", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["settings"]["call.num_inference_steps"]["value"] == 10
    assert shown["calls"][1]["role"] == "main"
    assert shown["coverage"]["read"] > 5
    assert main(["read", str(path), "--call", "4"]) == 2
    assert "call-not-found" in capsys.readouterr().err


def test_the_coverage_counts_what_is_known() -> None:
    reading = read("pipe('a kite', num_inference_steps=steps(), height=480)")
    assert reading.coverage.unknown == 2  # the number of steps, and the seed
    assert reading.coverage.read == len(reading.settings) - 2


def test_a_line_of_several_cells_is_asked_about() -> None:
    load = "from diffusers import FluxPipeline\npipe = FluxPipeline.from_pretrained('a/b')"
    cells = [load, "pipe('x', num_inference_steps=4)", "pipe('x', num_inference_steps=9)"]
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()
    with pytest.raises(CallNotFound, match="several cells call a pipeline at line 1") as caught:
        read_fetched(notebook, "n.ipynb", lambda _: None, call="1")
    assert "cell 3, line 1" in caught.value.hint
    for call in ("cell 3, line 1", "n.ipynb, cell 3, line 1"):
        reading = read_fetched(notebook, "n.ipynb", lambda _: None, call=call)
        assert reading.settings.value("call.num_inference_steps") == 9


def test_the_last_of_several_calls_in_a_row_counts_and_the_one_that_is_exported_before_it() -> None:
    warm_up = 'first = pipe("warm up", num_inference_steps=1)\nsecond = pipe("a kite", num_inference_steps=9)\n'
    assert read(warm_up).settings.value("call.num_inference_steps") == 9
    exported = read(warm_up + 'export_to_video(first.frames[0], "o.mp4")\n')
    assert exported.settings.value("call.num_inference_steps") == 1


def test_a_source_that_only_refines_has_a_main_call() -> None:
    refines = """
        up = LTXLatentUpsamplePipeline.from_pretrained("org/up")
        up(latents=load("a.pt"))
    """
    assert roles(read(refines)) == [("main", "LTXLatentUpsamplePipeline")]


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ('model = load_rife_model("rife")', False),
        ("frames = load_rife_model(frames)", True),
        ("frames = rife_inference(frames)", True),
    ],
)
def test_a_model_that_is_only_loaded_changes_no_frames(line: str, noted: bool) -> None:  # noqa: FBT001
    reading = read(f'frames = pipe("a kite").frames[0]\n{line}\nexport_to_video(frames, "o.mp4")\n')
    assert ("frame interpolation" in kinds(reading)) is noted
