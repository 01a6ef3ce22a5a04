"""Branches, early exits and events: what default inputs do not lead to is an alternative with its condition."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

HEAD = """
import argparse, os, random, torch
import gradio as gr
from diffusers import *
from diffusers.utils import export_to_video
"""


def read(text: str) -> Reading:
    return read_text(HEAD + textwrap.dedent(text), "app.py")


def alternatives(reading: Reading, path: str) -> list[tuple[object, str]]:
    return [(one.setting.value, one.only_if) for one in reading.alternatives.get(path, [])]


def notes(reading: Reading, kind: str) -> list[tuple[str, bool]]:
    return [(note.only_if, note.usual) for note in reading.notes if note.kind == kind]


def test_a_switch_of_the_environment_is_evaluated_with_its_default() -> None:
    reading = read("""
    OFFLOAD = os.getenv("OFFLOAD", "0") == "1"
    pipe = FluxPipeline.from_pretrained("org/flux", torch_dtype=torch.bfloat16)
    if OFFLOAD:
        pipe.enable_model_cpu_offload()
    else:
        pipe.to("cuda")
    pipe("a kite")
    """)
    assert reading.settings.value("placement") == "cuda"
    assert alternatives(reading, "placement") == [("cuda", "not OFFLOAD"), ("model_cpu_offload", "OFFLOAD")]


@pytest.mark.parametrize(
    "made",
    [
        'torch.Generator("cuda").manual_seed(a.seed) if a.seed else None',
        'None if not a.seed else torch.Generator("cuda").manual_seed(a.seed)',
    ],
)
def test_a_generator_that_is_made_by_default_is_random_only_under_its_condition(made: str) -> None:
    reading = read(f"""
    p = argparse.ArgumentParser(); p.add_argument("--seed", type=int, default=42); a = p.parse_args()
    pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b")
    g = {made}
    pipe("a cat", generator=g)
    """)
    assert reading.settings.value("rng.seed") == 42
    assert reading.settings.value("rng.device") == "cuda"
    assert notes(reading, "random") == [("not a.seed", False)]


@pytest.mark.parametrize("before", ["", "del pipe; ", "pipe = None; "])
def test_a_generator_of_one_call_on_one_of_two_pipelines_is_not_reused(before: str) -> None:
    reading = read(f"""
    def draw(prompt, kind):
        global pipe, loaded
        if kind != loaded:
            {before}pipe = FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
            loaded = kind
        fresh = torch.Generator("cpu").manual_seed(7)
        return pipe(prompt, num_inference_steps=4, generator=fresh).images[0]
    loaded = "org/big"
    pipe = FluxPipeline.from_pretrained(loaded, torch_dtype=torch.bfloat16)
    gr.Interface(draw, [gr.Textbox(), gr.Radio(["org/big", "org/small"], value="org/big")], gr.Image()).launch()
    """)
    assert reading.settings.value("rng.seed") == 7
    assert reading.settings.value("model.id") == "org/big"
    assert reading.settings.value("call.num_inference_steps") == 4
    assert notes(reading, "reused generator") == []


@pytest.mark.parametrize("generator", ["torch.Generator().manual_seed(a.seed)", "torch.manual_seed(a.seed)"])
def test_generators_of_exclusive_branches_are_not_reused(generator: str) -> None:
    reading = read(f"""
    p = argparse.ArgumentParser()
    p.add_argument("--mode", default="t2v"); p.add_argument("--seed", type=int, default=42)
    a = p.parse_args()
    cls = CogVideoXImageToVideoPipeline if a.mode == "i2v" else CogVideoXPipeline
    pipe = cls.from_pretrained("THUDM/CogVideoX-5b").to("cuda")
    if a.mode == "i2v":
        v = pipe(image="a.png", prompt="a cat", generator={generator})
    else:
        v = pipe(prompt="a cat", num_inference_steps=20, generator={generator})
    export_to_video(v.frames[0], "o.mp4", fps=8)
    """)
    assert [(call.role, call.pipeline) for call in reading.calls] == [
        ("main", "CogVideoXPipeline"), ("alternative", "CogVideoXImageToVideoPipeline"),
    ]  # fmt: skip
    assert notes(reading, "reused generator") == []
    assert reading.settings.value("rng.seed") == 42
    assert reading.settings.value("call.num_inference_steps") == 20


@pytest.mark.parametrize(
    "start",
    [
        "for prompt in captions:",
        "for i, (prompt, image) in enumerate(zip(captions, images)):",
        "while True:",
        'for prompt in open("prompts.txt"):',
    ],
)
def test_a_generator_made_before_a_loop_is_reused_in_it(start: str) -> None:
    reading = read(f"""
    pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b")
    captions, images = [], []
    for i in range(5):
        captions.append(input()); images.append(None)
    prompt = "a"
    generator = torch.Generator().manual_seed(42)
    {start}
        video = pipe(prompt=prompt, generator=generator).frames[0]
    """)
    assert notes(reading, "reused generator") == [("", True)]


def test_a_generator_that_may_have_drawn_before_has_both_seeds_as_alternatives() -> None:
    reading = read("""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(prompt, first):
        g = torch.Generator().manual_seed(5)
        if first:
            pipe("warm", generator=g)
        return pipe(prompt, num_inference_steps=9, generator=g).images[0]
    gr.Interface(draw, [gr.Textbox(), gr.Checkbox(False)], gr.Image()).launch()
    """)
    assert reading.settings.value("rng.seed") == 5
    assert alternatives(reading, "rng.seed") == [(5, "not first"), (None, "first")]
    assert notes(reading, "reused generator") == []


def test_an_event_does_not_see_what_another_event_would_change() -> None:
    reading = read("""
    pipe = FluxPipeline.from_pretrained("org/flux").to("cuda")
    steps = 4
    def add(name):
        global steps
        steps = 50
        pipe.load_lora_weights(name)
    def draw(prompt):
        return pipe(prompt, num_inference_steps=steps).images[0]
    with gr.Blocks() as demo:
        text, name, out, a, b = gr.Textbox(), gr.Textbox("org/lora"), gr.Image(), gr.Button(), gr.Button()
        a.click(add, name)
        b.click(draw, text, out)
    """)
    assert reading.settings.value("call.num_inference_steps") == 4
    assert "lora.default_0.id" not in reading.settings
    assert alternatives(reading, "lora.default_0.id") == [(None, ""), ("org/lora", "the event at app.py:17 happens")]


def test_events_of_a_chain_and_the_loading_of_the_page_come_before() -> None:
    reading = read("""
    pipe = None
    def load():
        global pipe
        pipe = FluxPipeline.from_pretrained("org/flux").to("cuda")
    def shuffle(seed, shuffled):
        return random.randint(0, 99999) if shuffled else seed
    def draw(prompt, seed):
        return pipe(prompt, generator=torch.Generator("cuda").manual_seed(seed)).images[0]
    with gr.Blocks() as demo:
        prompt, seed, box = gr.Textbox(), gr.Slider(value=5, label="Seed"), gr.Checkbox(value=True)
        picture, go = gr.Image(), gr.Button()
        demo.load(load)
        go.click(shuffle, inputs=[seed, box], outputs=seed).then(draw, inputs=[prompt, seed], outputs=picture)
    """)
    assert reading.settings.value("model.id") == "org/flux"
    assert reading.settings["rng.seed"].origin is Origin.UNKNOWN
    assert notes(reading, "random") == [("shuffled", True)]


@pytest.mark.parametrize(
    ("subject", "placement"),
    [('"a"', "cuda"), ('"c"', "sequential_cpu_offload"), ('os.getenv("X", "b")', "model_cpu_offload")],
)
def test_a_match_is_evaluated_case_by_case(subject: str, placement: str) -> None:
    reading = read(f"""
    pipe = FluxPipeline.from_pretrained("org/flux")
    match {subject}:
        case "a":
            pipe.to("cuda")
        case "b" | "bb":
            pipe.enable_model_cpu_offload()
        case _:
            pipe.enable_sequential_cpu_offload()
    pipe("a kite")
    """)
    assert reading.settings.value("placement") == placement


@pytest.mark.parametrize("handler", ["steps = 50", "print('no')", "pass", "return pipe('a', num_inference_steps=50)"])
def test_what_only_an_error_leads_to_is_an_alternative(handler: str) -> None:
    reading = read(f"""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(prompt):
        steps = 4
        try:
            steps = 8
            if fast:
                return pipe(prompt, num_inference_steps=steps)
        except Exception:
            {handler}
        return pipe(prompt, num_inference_steps=steps, guidance_scale=2.0)
    fast = True
    draw("a kite")
    """)
    assert reading.settings.value("call.num_inference_steps") == 8
    assert all(call.usual is False for call in reading.calls if call.role != "main")
    assert not reading.undecided


def test_an_undecided_branch_gives_no_value() -> None:
    reading = read("""
    if unknown():
        pipe = LTXPipeline.from_pretrained("a/b", torch_dtype=torch.bfloat16)
    else:
        pipe = LTXPipeline.from_pretrained("a/c", torch_dtype=torch.bfloat16)
    pipe("x", generator=torch.manual_seed(2025))
    """)
    assert reading.settings["model.id"].origin is Origin.UNKNOWN
    assert alternatives(reading, "model.id") == [("a/b", "unknown()"), ("a/c", "not unknown()")]
    assert reading.settings.value("rng.seed") == 2025
    assert reading.settings.value("model.dtype") == "bfloat16"


@pytest.mark.parametrize(
    "asks", ["enhance and rewrite_prompt(prompt)", "rewrite_prompt(prompt) if enhance else prompt"]
)
@pytest.mark.parametrize("default", [False, True])
def test_a_part_of_an_expression_has_the_condition_of_those_before_it(asks: str, default: bool) -> None:  # noqa: FBT001 - a parameter
    reading = read(f"""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(prompt, enhance):
        prompt = {asks} or prompt
        return pipe(prompt).images[0]
    gr.Interface(draw, [gr.Textbox("a kite"), gr.Checkbox({default})], gr.Image()).launch()
    """)
    assert notes(reading, "prompt rewriting") == [("enhance", default)]


def test_what_another_button_does_is_not_usual() -> None:
    reading = read("""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(prompt):
        return pipe(prompt).images[0]
    with gr.Blocks() as demo:
        text, out, a, b = gr.Textbox(), gr.Image(), gr.Button(), gr.Button()
        a.click(draw, text, out)
        b.click(lambda text: enhance_prompt(text), text, text)
    """)
    assert notes(reading, "prompt rewriting") == [("the event at app.py:13 happens", False)]


def test_the_conditions_of_the_main_call_hold_for_all_notes() -> None:
    reading = read("""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(image, finer):
        if image is None:
            return None
        frames = pipe(image=image).images[0]
        if finer:
            frames = upscale(frames)
        return interpolate_frames(frames)
    gr.Interface(draw, [gr.Image(), gr.Checkbox(False)], gr.Image()).launch()
    """)
    assert notes(reading, "upscaling") == [("finer", False)]
    assert notes(reading, "frame interpolation") == [("", True)]


def test_of_several_events_the_one_that_changes_no_input_counts() -> None:
    reading = read("""
    pipe = FluxPipeline.from_pretrained("org/flux")
    def run(prompt, seed):
        return pipe(prompt, generator=torch.Generator().manual_seed(seed)).images
    with gr.Blocks() as demo:
        prompt, seed, dice, go, out = gr.Textbox(), gr.Slider(value=233), gr.Button(), gr.Button(), gr.Image()
        dice.click(lambda: random.randint(0, 9), outputs=seed).then(run, [prompt, seed], out)
        gr.on([prompt.submit, go.click], fn=run, inputs=[prompt, seed], outputs=out)
    """)
    assert reading.settings.value("rng.seed") == 233
    assert notes(reading, "random") == [("the event at app.py:12 happens", False)]


def test_a_function_of_a_branch_that_is_not_taken_is_an_alternative() -> None:
    reading = read("""
    p = argparse.ArgumentParser(); p.add_argument("--model", default="fast"); a = p.parse_args()
    pipe = FluxPipeline.from_pretrained("org/flux")
    if a.model == "fast":
        def draw(prompt):
            return pipe(prompt, num_inference_steps=4).images
    else:
        def draw(prompt):
            return pipe(prompt, num_inference_steps=50).images
    gr.Button().click(draw, gr.Textbox(), gr.Image())
    """)
    assert reading.settings.value("call.num_inference_steps") == 4
    assert [call.usual for call in reading.calls] == [True, False]
    assert not reading.undecided


def test_the_default_inputs_choose_one_of_several_pipelines() -> None:
    reading = read("""
    class Predictor:
        def setup(self):
            self.text = StableDiffusionXLPipeline.from_pretrained("a/b")
            self.image = StableDiffusionXLImg2ImgPipeline.from_pretrained("a/b")
            self.mask = StableDiffusionXLInpaintPipeline.from_pretrained("a/b")
        def predict(self, prompt: str, image: str = None, mask: str = None, seed: int = 3):
            more = {}
            if image and mask:
                more["strength"] = 0.8
                pipe = self.mask
            elif image:
                more["image"] = image
                pipe = self.image
            else:
                more["width"] = 1024
                pipe = self.text
            return pipe(prompt, **more, generator=torch.Generator("cuda").manual_seed(seed)).images
    """)
    assert reading.settings.value("model.pipeline") == "StableDiffusionXLPipeline"
    assert {path for path in reading.settings if path.startswith("call.")} == {"call.prompt", "call.width"}
    assert alternatives(reading, "call.strength") == [
        (None, "not (image and mask) and not image"), (None, "not (image and mask) and image"), (0.8, "image and mask"),
    ]  # fmt: skip
    assert reading.settings.value("rng.seed") == 3
    assert not reading.undecided


def test_isinstance_shows_the_class_of_a_scheduler() -> None:
    reading = read("""
    pipe = StableDiffusionPipeline.from_pretrained("a/b")
    if not isinstance(pipe.scheduler, DPMSolverMultistepScheduler):
        pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe("x")
    """)
    assert reading.settings.value("scheduler.class") == "DPMSolverMultistepScheduler"


def test_a_generator_may_be_among_arguments_that_are_not_known() -> None:
    reading = read('FluxPipeline.from_pretrained("a/b")("x", **settings())')
    assert reading.settings["rng.device"].origin is Origin.UNKNOWN
    assert reading.undecided == ("the call at app.py:6 may be given more arguments: **settings()",)


@pytest.mark.parametrize(
    "loop", ["for i, name in enumerate(a.names)", "for name in a.names", "for name, _ in zip(a.names, a.names)"]
)
def test_a_loop_over_a_list_that_is_an_input_goes_through_its_default(loop: str) -> None:
    reading = read(f"""
    p = argparse.ArgumentParser(); p.add_argument("--names", default=["int4"], nargs="*"); a = p.parse_args()
    pipelines = []
    {loop}:
        pipe = FluxPipeline.from_pretrained("org/flux")
        if name == "bf16":
            pipe.enable_model_cpu_offload()
        else:
            pipe.to("cuda")
        pipelines.append(pipe)
    for pipe in pipelines:
        pipe("a kite", num_inference_steps=4)
    """)
    assert reading.settings.value("placement") == "cuda"
    assert reading.settings.value("call.num_inference_steps") == 4


@pytest.mark.parametrize("start", ["1", "start=1"])
def test_enumerate_counts_from_its_start(start: str) -> None:
    reading = read(f"""
    pipe = FluxPipeline.from_pretrained("org/flux")
    for i, steps in enumerate([30], {start}):
        pipe("a kite", num_inference_steps=steps, max_sequence_length=i)
    """)
    assert reading.settings.value("call.max_sequence_length") == 1
    assert reading.settings.value("call.num_inference_steps") == 30


def test_the_inputs_of_an_event_are_those_of_the_branch_of_its_function() -> None:
    reading = read("""
    p = argparse.ArgumentParser(); p.add_argument("--model", default="fast"); a = p.parse_args()
    pipe = FluxPipeline.from_pretrained("org/flux")
    prompt, button = gr.Textbox(), gr.Button()
    if a.model == "fast":
        def draw(prompt, steps):
            return pipe(prompt, num_inference_steps=steps).images
        steps = gr.Slider(value=4)
        inputs = [prompt, steps]
    else:
        def draw(prompt, steps, scale):
            return pipe(prompt, num_inference_steps=steps, guidance_scale=scale).images
        steps = gr.Slider(value=25)
        inputs = [prompt, steps, gr.Slider(value=3.5)]
    button.click(draw, inputs, gr.Image())
    """)
    assert reading.settings.value("call.num_inference_steps") == 4
    assert "call.guidance_scale" not in reading.settings


def test_a_component_of_a_branch_has_the_value_that_default_inputs_lead_to() -> None:
    reading = read("""
    p = argparse.ArgumentParser(); p.add_argument("--model", default="fast"); a = p.parse_args()
    pipe = FluxPipeline.from_pretrained("org/flux")
    def draw(prompt, steps):
        return pipe(prompt, num_inference_steps=steps).images
    if a.model == "fast":
        steps = gr.Slider(value=4)
    else:
        steps = gr.Slider(value=25)
    gr.Button().click(draw, [gr.Textbox(), steps], gr.Image())
    """)
    assert reading.settings.value("call.num_inference_steps") == 4
    assert alternatives(reading, "call.num_inference_steps") == [(4, 'a.model == "fast"'), (25, 'a.model != "fast"')]
