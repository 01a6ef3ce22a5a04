"""What a source does besides its settings is a difference too, if the other one does not do it."""

from __future__ import annotations

import pytest

from spacediff.reading import read_text
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.effects import Agreement
from spacediff.why.headline import headline

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
video = pipe("a cat", generator=torch.Generator("cpu").manual_seed(42)).frames[0]
"""


def with_line(line: str) -> str:
    return SCRIPT.replace("\nvideo =", f"\n{line}\nvideo =")


def compared(script: str, space: str) -> ComparedSettings:
    return compare_sources(read_text(script, "run.py"), read_text(space, "app.py"))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("frames = upscale(pipe)", "upscaling"),
        ("frames = rife_inference(pipe)", "frame interpolation"),
        ("pipe.enable_free_init(order=0.9)", "pipeline"),
        ("apply_cache_on_pipe(pipe)", "caching"),
    ],
)
def test_what_one_side_does_prevents_an_acquittal(line: str, kind: str) -> None:
    found = compared(SCRIPT, with_line(line))
    assert [(effect.kind, effect.agreement) for effect in found.effects] == [(kind, Agreement.SPACE_ONLY)]
    assert headline(found).startswith(f"1 thing besides the settings differs ({kind}); ")
    assert [effect.agreement for effect in compared(with_line(line), SCRIPT).effects] == [Agreement.SCRIPT_ONLY]
    assert compared(with_line(line), with_line(line)).effects == []


def test_the_name_of_a_variable_makes_no_difference() -> None:
    line = "pipe.enable_free_init(order=4, method='ideal')"
    renamed = with_line("pipe.enable_free_init(method='ideal', order=4)").replace("pipe", "generator_of_clips")
    assert compared(with_line(line), renamed).effects == []


def test_other_values_are_a_difference_and_other_names_are_left_open() -> None:
    (literal,) = compared(
        with_line("pipe.enable_free_init(order=0.9)"), with_line("pipe.enable_free_init(order=0.3)")
    ).effects
    assert literal.agreement is Agreement.DIFFERENT
    found = compared(
        with_line("pipe.enable_free_init(order=0.9)"), with_line("pipe.enable_free_init(order=strength())")
    )
    (named,) = found.effects
    assert named.agreement is Agreement.UNDECIDED
    assert headline(found).startswith("No certain difference among the ")
    assert "but this may differ: " in headline(found)


def test_the_scale_of_an_adapter_is_compared() -> None:
    lora = 'pipe.load_lora_weights("me/lora", adapter_name="x")\npipe.set_adapters(["x"], [{}])\npipe.fuse_lora()'
    found = compared(with_line(lora.format(0.8)), with_line(lora.format(0.5)))
    assert not headline(found).startswith("No difference")
    same = compared(with_line(lora.format(0.8)), with_line(lora.format(0.8)))
    assert headline(same).startswith("No difference")


def test_what_only_other_inputs_switch_on_is_no_difference() -> None:
    space = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, larger):
    frames = pipe(prompt, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
    if larger:
        frames = upscale(frames)
    return frames
gr.Interface(draw, [gr.Textbox(), gr.Checkbox({})], gr.Video()).launch()
"""
    found = compared(SCRIPT, space.format("False"))
    assert headline(found).startswith("No difference")
    assert any("only if larger: upscaling" in condition for condition in found.conditions)


def test_an_input_of_a_branch_that_is_not_taken_is_no_setting() -> None:
    space = """
import torch, gradio as gr
from diffusers import CogVideoXDDIMScheduler, CogVideoXDPMScheduler, CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, kind, shift):
    if kind == "DPM":
        pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config)
    else:
        pipe.scheduler = CogVideoXDDIMScheduler.from_config(pipe.scheduler.config, snr_shift_scale=shift)
    return pipe(prompt, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Dropdown(["DPM", "DDIM"], value="DPM"), gr.Slider(value=3.0)], gr.Video()).launch()
"""
    found = compared(SCRIPT, space)
    assert {row.path for row in found.differences} == {"scheduler.class"}
    assert any("snr_shift_scale = 3.0" in condition for condition in found.conditions)


SEEDED = """
import random, torch
import gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def make(prompt, seed):
    if seed == -1:
        seed = random.randint(0, 255)
    return pipe(prompt, generator=torch.Generator("cpu").manual_seed(seed)).frames[0]
gr.Interface(make, [gr.Textbox(), gr.Number(label="Seed (-1 random)", value={})], gr.Video()).launch()
"""


def test_a_random_seed_of_the_space_is_a_difference_with_what_to_enter() -> None:
    found = compared(SCRIPT, SEEDED.format(-1))
    (effect,) = found.effects
    assert effect.kind == "random seed"
    assert any("enter 42 at 'Seed (-1 random)'" in note for note in found.notes)
    assert not headline(found).startswith("No difference")


def test_another_seed_by_default_is_to_be_entered() -> None:
    found = compared(SCRIPT, SEEDED.format(7))
    assert headline(found).startswith("No difference")
    assert any("seed is 7 by default: enter 42" in note for note in found.notes)
    assert not any("seed" in note for note in compared(SCRIPT, SEEDED.format(42)).notes)


def test_a_seed_that_nobody_can_enter_is_a_difference() -> None:
    found = compared(SCRIPT, SCRIPT.replace("42", "7"))
    assert [row.path for row in found.differences] == ["rng.seed"]


def test_two_sources_that_both_draw_a_random_seed_do_the_same() -> None:
    found = compared(SEEDED.format(-1), SEEDED.format(-1))
    (effect,) = found.effects
    assert (effect.kind, effect.agreement, effect.certain) == ("random seed", Agreement.BOTH, False)
    assert "but this may differ: random seed." in headline(found)


def test_a_script_without_a_seed_draws_other_noise_each_time() -> None:
    found = compared(SCRIPT.replace(', generator=torch.Generator("cpu").manual_seed(42)', ""), SCRIPT)
    assert "random seed" in [effect.kind for effect in found.effects]


def test_a_condition_that_the_default_inputs_meet_is_a_difference() -> None:
    space = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, larger):
    frames = pipe(prompt, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
    if {}:
        frames = upscale(frames)
    return frames
gr.Interface(draw, [gr.Textbox(), gr.Checkbox(True)], gr.Video()).launch()
"""
    (effect,) = compared(SCRIPT, space.format("larger")).effects
    assert effect.certain
    assert "if larger" in effect.space[0]
    found = compared(SCRIPT, space.format("is_small(frames)"))
    (effect,) = found.effects
    assert not effect.certain
    assert "but this may differ: upscaling." in headline(found)


def test_a_random_seed_by_a_box_is_to_be_switched_off() -> None:
    space = """
import random, torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, seed, randomize):
    if randomize:
        seed = random.randint(0, 99)
    return pipe(prompt, generator=torch.Generator("cpu").manual_seed(seed)).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Number(42, label="Seed"), gr.Checkbox(True)], gr.Video()).launch()
"""
    found = compared(SCRIPT, space)
    assert [effect.kind for effect in found.effects] == ["random seed"]
    assert any("switch that off, and enter 42 at 'Seed'" in note for note in found.notes)


REFINED = """
from diffusers import CogVideoXVideoToVideoPipeline
other = CogVideoXVideoToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
video = other(video=video, prompt="a cat", generator=torch.Generator("cpu").manual_seed(42)).frames[0]
"""


def test_another_pipeline_after_the_call_is_a_difference() -> None:
    assert [effect.kind for effect in compared(SCRIPT, SCRIPT + REFINED).effects] == ["second pipeline"]
    assert compared(SCRIPT + REFINED, SCRIPT + REFINED).effects == []


def test_a_prompt_that_the_space_computes_is_a_question() -> None:
    space = SEEDED.format(42).replace("pipe(prompt,", "pipe(STYLES[kind()].format(prompt),")
    found = compared(SCRIPT, space)
    assert any(question.startswith("what is call.prompt in the Space?") for question in found.questions)
    assert "Not read: 0 of" in headline(found)
    assert "but this may differ: prompt." in headline(found)


def test_what_the_user_gives_is_to_be_entered_and_no_question() -> None:
    i2v = SCRIPT.replace("CogVideoXPipeline", "CogVideoXImageToVideoPipeline")
    i2v = i2v.replace('"a cat"', 'image="a.png", prompt="a cat"')
    space = SEEDED.format(42).replace("CogVideoXPipeline", "CogVideoXImageToVideoPipeline")
    space = space.replace("pipe(prompt", "pipe(image=image, prompt=prompt").replace("make(prompt", "make(image, prompt")
    found = compared(i2v, space.replace("[gr.Textbox()", "[gr.Image(label='Start'), gr.Textbox(label='Text')"))
    assert found.questions == []
    assert any("call.image is the user's in the Space" in note and "'Start'" in note for note in found.notes)
    assert any("call.prompt is the user's in the Space" in note and "'a cat'" in note for note in found.notes)


@pytest.mark.parametrize("scale", ["0.8", "scale"])
def test_an_adapter_that_settings_describe_is_compared_by_them_alone(scale: str) -> None:
    lora = 'scale = 0.8\npipe.load_lora_weights("me/lora", adapter_name="x")\npipe.set_adapters(["x"], [{}])'
    assert compared(with_line(lora.format("0.8")), with_line(lora.format(scale))).effects == []


@pytest.mark.parametrize(
    ("argument", "kind", "certain"),
    [
        ("latents=torch.randn(1, 13, 16, 60, 90)", "argument latents", True),
        ("prompt_embeds=embeds()", "argument prompt_embeds", True),
        ('output_type="latent"', "argument output_type", True),
        ("callback_on_step_end=watch", "argument callback_on_step_end", False),
    ],
)
def test_tensors_and_functions_of_one_side_are_no_agreement(argument: str, kind: str, *, certain: bool) -> None:
    space = SCRIPT.replace('"a cat"', f'"a cat", {argument}')
    space = space.replace("\nvideo =", "\ndef watch(pipe, step, t, given):\n    return given\nvideo =")
    found = compared(SCRIPT, space)
    assert [(effect.kind, effect.certain) for effect in found.effects] == [(kind, certain)]
    assert not headline(found).startswith("No difference")
    assert compared(space, space).effects == []


@pytest.mark.parametrize("argument", ["num_videos_per_prompt=2", "num_videos_per_prompt=count()"])
def test_clips_of_one_call_are_a_setting(argument: str) -> None:
    found = compared(SCRIPT, SCRIPT.replace('"a cat"', f'"a cat", {argument}'))
    rows = found.differences if argument.endswith("2") else found.unknown
    assert [(row.path, row.left.value) for row in rows] == [("call.num_videos_per_prompt", 1)]


def test_a_seed_that_the_space_changes_is_a_difference() -> None:
    found = compared(SCRIPT, SEEDED.format(42).replace("manual_seed(seed)", "manual_seed(seed + 1)"))
    assert [(row.path, row.left.value, row.right.value) for row in found.differences] == [("rng.seed", 42, 43)]


@pytest.mark.parametrize(("default", "is_noted"), [("'a dog'", True), ("'a cat'", False), ("None", True)])
def test_another_prompt_by_default_is_to_be_replaced(default: str, *, is_noted: bool) -> None:
    found = compared(SCRIPT, SEEDED.format(42).replace("gr.Textbox()", f"gr.Textbox({default}, label='Text')"))
    assert found.differences == []
    assert any("enter the script's ('a cat', run.py:5) at 'Text'" in note for note in found.notes) is is_noted


def test_a_seed_that_is_random_only_on_request_is_none_by_default() -> None:
    space = """
import random, torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, seed, randomize):
    if randomize:
        seed = random.randint(0, 99)
    return pipe(prompt, generator=torch.Generator("cpu").manual_seed(seed)).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Number(label="Seed"), gr.Checkbox({})], gr.Video()).launch()
"""
    assert compared(SCRIPT, space.format("False")).effects == []
    assert [effect.kind for effect in compared(SCRIPT, space.format("True")).effects] == ["random seed"]


def test_a_second_pipeline_that_is_off_by_default_is_no_difference() -> None:
    space = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline, CogVideoXVideoToVideoPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
other = CogVideoXVideoToVideoPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, finer):
    frames = pipe(prompt, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
    if finer:
        frames = other(video=frames, prompt=prompt).frames[0]
    return frames
gr.Interface(draw, [gr.Textbox(), gr.Checkbox({})], gr.Video()).launch()
"""
    assert compared(SCRIPT, space.format("False")).effects == []
    assert [effect.kind for effect in compared(SCRIPT, space.format("True")).effects] == ["second pipeline"]
