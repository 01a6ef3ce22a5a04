"""Gradio apps: what a function receives for each component, and what one event hands to the next."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """
import random
import gradio as gr
from diffusers import FluxPipeline

pipe = FluxPipeline.from_pretrained("org/flux")
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "app.py")


def value(reading: Reading, path: str) -> Any:
    """Return the value of a setting, "unknown" for an unknown one, "not given" for one that is missing."""
    setting = reading.settings.get(path)
    if setting is None:
        return "not given"
    return "unknown" if setting.origin is Origin.UNKNOWN else setting.value


@pytest.mark.parametrize(
    ("component", "received"),
    [
        ("gr.Slider(1, 50, 28, step=1)", 28),
        ("gr.Slider(4, 50)", 4),
        ("gr.Slider(maximum=9)", 0),
        ("gr.Slider(1, 9, randomize=True)", "unknown"),
        ("gr.Number(7)", 7),
        ("gr.Number()", "unknown"),
        ("gr.Number(value=lambda: 12)", 12),
        ("gr.Checkbox()", False),
        ("gr.Checkbox(True, label='x')", True),
        ("gr.Dropdown([3, 5])", 3),
        ("gr.Dropdown([('three', 3), ('five', 5)])", 3),
        ("gr.Dropdown([3, 5], value=None)", "unknown"),
        ("gr.Dropdown(choices=[3, 5], value=5, visible=False)", 5),
        ("gr.Dropdown([3, 5], multiselect=True)", []),
        ("gr.Radio([3, 5])", "unknown"),
        ("gr.Radio([3, 5], value=5)", 5),
        ("gr.Radio(['a', 'b'], value='b', type='index')", 1),
        ("gr.Dropdown([('a', 1), ('b', 2)], value=2, type='index')", 1),
        ("gr.Dropdown(['a', 'b'], type='index')", 0),
        ("gr.Radio(choices(), value='b', type='index')", "unknown"),
        ("gr.Slider(value=5 if sys.argv else 30)", "unknown"),
        ("gr.State(6)", 6),
        ("gr.Slider(**settings())", "unknown"),
        ("gr.Slider(1, 9, value=3).render()", 3),
    ],
)
def test_a_function_receives_what_a_component_shows_at_first(component: str, received: object) -> None:
    reading = read(f"""
        def draw(prompt, steps):
            return pipe(prompt, num_inference_steps=steps).images[0]
        gr.Interface(draw, [gr.Textbox(label="Prompt"), {component}], gr.Image()).launch()
    """)
    assert value(reading, "call.num_inference_steps") == received
    assert reading.inputs["call.num_inference_steps"].kind in component


def test_a_default_by_a_condition_is_that_of_the_default_inputs() -> None:
    reading = read("""
        import argparse
        def main(fast=False):
            def draw(prompt, steps):
                return pipe(prompt, num_inference_steps=steps).images[0]
            gr.Interface(draw, [gr.Textbox(), gr.Slider(value=5 if fast else 30)], gr.Image()).launch()
        parser = argparse.ArgumentParser()
        parser.add_argument("--fast", type=bool, default=False)
        main(parser.parse_args().fast)
    """)
    assert value(reading, "call.num_inference_steps") == 30
    assert reading.inputs["call.num_inference_steps"].default == 30
    assert [one.setting.value for one in reading.alternatives["call.num_inference_steps"]] == [30, 5]


def test_only_the_other_choice_of_a_radio_by_index_makes_a_value_random() -> None:
    reading = read("""
        def draw(prompt, shuffled, scale):
            scale = random.uniform(6, 9) if shuffled else scale
            return pipe(prompt, guidance_scale=scale).images[0]
        shuffled = gr.Radio(["Fixed", "Random"], value="Fixed", type="index")
        gr.Interface(draw, [gr.Textbox(), shuffled, gr.Number(7.5)], gr.Image()).launch()
    """)
    assert value(reading, "call.guidance_scale") == 7.5


SHUFFLE = """
    def shuffle(seed, shuffled):
        return random.randint(0, 99) if shuffled else seed
    def draw(prompt, seed):
        import torch
        return pipe(prompt, generator=torch.Generator("cuda").manual_seed(seed)).images[0]
    with gr.Blocks() as demo:
        prompt, seed, box = gr.Textbox(), gr.Slider(value=5, label="Seed"), gr.Checkbox(value={ticked})
        picture, go = gr.Image(), gr.Button()
        {events}
    demo.launch()
"""


@pytest.mark.parametrize(
    "events",
    [
        "go.click(shuffle, inputs=[seed, box], outputs=seed).then(draw, inputs=[prompt, seed], outputs=picture)",
        "go.click(shuffle, [seed, box], [seed]).success(draw, [prompt, seed], [picture])",
        "gr.on([go.click], shuffle, [seed, box], seed).then(lambda: 1, None, go).then(draw, [prompt, seed], picture)",
        "first = go.click(fn=shuffle, inputs=[seed, box], outputs=seed); first.then(draw, [prompt, seed], picture)",
        "demo.load(shuffle, [seed, box], seed); go.click(draw, [prompt, seed], picture)",
        "go.click(draw, [prompt, seed], picture); demo.load(shuffle, [seed, box], seed)",
    ],
)
def test_an_event_hands_its_result_to_the_next_one(events: str) -> None:
    source = SHUFFLE.replace("{events}", events)
    if "{prompt, seed}" in events:
        source = source.replace(
            "def draw(prompt, seed):", "def draw(data):\n        prompt, seed = data[prompt], data[seed]"
        )
        source = source.replace(
            "prompt, seed = data[prompt], data[seed]", "seed = data[globals()['seed']]; prompt = ''"
        )
    ticked, free = read(source.replace("{ticked}", "True")), read(source.replace("{ticked}", "False"))
    assert value(ticked, "rng.seed") == "unknown"
    assert "random" in [note.kind for note in ticked.notes]
    assert value(free, "rng.seed") == 5


@pytest.mark.parametrize(
    "events",
    [
        "box.change(shuffle, [seed, box], seed); go.click(draw, [prompt, seed], picture)",
        "gr.Button('dice').click(shuffle, [seed, box], seed); go.click(draw, [prompt, seed], picture)",
        "go.click(lambda: gr.update(visible=True), None, seed).then(draw, [prompt, seed], picture)",
        "go.click(lambda: gr.Slider(visible=True), None, seed).then(draw, [prompt, seed], picture)",
        "go.click(lambda: (None, gr.skip()), None, [picture, seed]).then(draw, [prompt, seed], picture)",
        "go.click(lambda: {picture: None}, None, [picture, seed]).then(draw, [prompt, seed], picture)",
        "go.click(None, None, seed, js='() => 1').then(draw, [prompt, seed], picture)",
    ],
)
def test_what_the_user_does_not_trigger_leaves_a_component_as_it_is(events: str) -> None:
    reading = read(SHUFFLE.replace("{events}", events).replace("{ticked}", "True"))
    assert value(reading, "rng.seed") == 5


@pytest.mark.parametrize(
    ("result", "seed"),
    [
        ("7", 7),
        ("gr.update(value=7)", 7),
        ("gr.Slider(value=7)", 7),
        ("{seed: 7}", 7),
        ("{seed: gr.update(value=7)}", 7),
        ("unknown_function()", "unknown"),
    ],
)
def test_an_earlier_event_of_the_chain_sets_a_component(result: str, seed: object) -> None:
    events = f"go.click(lambda: {result}, None, seed).then(draw, [prompt, seed], picture)"
    assert value(read(SHUFFLE.replace("{events}", events)), "rng.seed") == seed


def test_the_result_of_a_function_that_is_not_followed_is_unknown() -> None:
    events = "go.click(unknown_function, None, seed).then(draw, [prompt, seed], picture)"
    assert value(read(SHUFFLE.replace("{events}", events)), "rng.seed") == "unknown"


def test_a_set_of_inputs_is_received_as_one_dict() -> None:
    reading = read("""
        with gr.Blocks() as demo:
            words, steps, go, picture = gr.Textbox(), gr.Slider(1, 9, value=4), gr.Slider(0, 9, value=2), gr.Image()
            def draw(data):
                return pipe(data[words], num_inference_steps=data[steps], guidance_scale=data.get(go)).images[0]
            gr.Button().click(draw, {words, steps, go}, picture)
    """)
    assert value(reading, "call.num_inference_steps") == 4
    assert value(reading, "call.prompt") == "unknown"


@pytest.mark.parametrize(
    "wiring",
    [
        "@gr.Button().click(inputs=[words, steps], outputs=picture)",
        "@words.submit(inputs=[words, steps], outputs=picture)",
        "@gr.on([words.submit], inputs=[words, steps], outputs=picture)",
        "@gr.on(triggers=[words.submit, steps.release], inputs=[words, steps], outputs=picture)",
    ],
)
def test_a_decorator_registers_an_event(wiring: str) -> None:
    reading = read(f"""
        with gr.Blocks() as demo:
            words, steps, picture = gr.Textbox(), gr.Slider(1, 9, value=4), gr.Image()
            {wiring}
            def draw(prompt, steps):
                return pipe(prompt, num_inference_steps=steps).images[0]
    """)
    assert value(reading, "call.num_inference_steps") == 4


def test_a_parameter_that_gradio_fills_in_receives_no_input() -> None:
    reading = read("""
        def draw(prompt, request: gr.Request, steps, progress=gr.Progress(track_tqdm=True)):
            return pipe(prompt, num_inference_steps=steps).images[0]
        gr.Interface(draw, [gr.Textbox(), gr.Slider(value=4)], gr.Image()).launch()
    """)
    assert value(reading, "call.num_inference_steps") == 4


@pytest.mark.parametrize(
    "events",
    [
        "words.submit(draw, words, picture, api_name='run'); go.click(draw, words, picture, api_name=False)",
        "go.click(draw, words, picture, api_name=False); words.submit(draw, words, picture, api_name='run')",
        "go.click(draw, words, picture, api_visibility='private'); words.submit(draw, words, picture, api_name='run')",
    ],
)
def test_of_two_events_the_one_with_a_name_in_the_api_is_the_endpoint(events: str) -> None:
    reading = read(f"""
        def draw(prompt):
            return pipe(prompt).images[0]
        with gr.Blocks() as demo:
            words, picture, go = gr.Textbox(), gr.Image(), gr.Button()
            {events}
    """)
    assert reading.endpoint is not None
    assert reading.endpoint.name == "run"


def test_the_prompt_is_the_box_that_the_user_must_fill() -> None:
    reading = read("""
        def joined(prompt, extra):
            return extra if not prompt else f"{prompt}, {extra}"
        def draw(prompt, extra, negative):
            return pipe(joined(prompt, extra), negative_prompt=negative).images[0]
        boxes = [gr.Textbox(label="Prompt"), gr.Textbox(label="Extra", value="sharp")]
        gr.Interface(draw, [*boxes, gr.Textbox(label="Negative prompt")], gr.Image()).launch()
    """)
    assert value(reading, "call.prompt") == "unknown"
    assert value(reading, "call.negative_prompt") == ""
    assert reading.inputs["call.prompt"].label == "Prompt"
    assert reading.endpoint is not None
    assert reading.endpoint.prompt == "prompt"
    assert "None, sharp" not in [one.setting.value for one in reading.alternatives.get("call.prompt", [])]
