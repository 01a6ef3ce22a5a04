"""Endpoints as read from a source, compared with those that Gradio creates from the same source."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from spacediff.reading import read_text

APP = """
import gradio as gr

def load():
    from diffusers import CogVideoXPipeline
    return CogVideoXPipeline.from_pretrained("a/b")

def generate(words, state, steps: int = 4, request: gr.Request = None, progress=gr.Progress()):
    return load()(prompt=words, num_inference_steps=steps).frames[0], state, 3

def other(words):
    return words

with gr.Blocks() as demo:
    words, steps, memory = gr.Textbox(label="Words"), gr.Slider(1, 9, value=4), gr.State(3)
    log, clip, used = gr.JSON(), gr.Video(), gr.Number(label="Used")
    button = gr.Button("Go")
    words.change(other, words, words, api_name="generate")
    words.submit(lambda text: text, words, words)
    words.blur(other, words, words)
    {event}
"""
EVENTS = {
    "a name that is taken": "button.click(generate, [words, memory, steps], [clip, memory, used])",
    "a name of its own": "button.click(fn=generate, inputs=[words, memory, steps], outputs=[clip], api_name='draw')",
    "several triggers": "gr.on([button.click, words.submit], generate, [words, memory, steps], [log, button, used])",
    "a chain": "button.click(other, words, words).then(generate, [words, memory, steps], [clip, memory, used])",
    "a decorator": "@button.click(inputs=[words, memory, steps], outputs=[clip, memory, used], api_name='x y')\n"
    "    def wired(words, state, steps):\n"
    "        return generate(words, state, steps)",
}
SOURCES = {name: APP.replace("{event}", event) for name, event in EVENTS.items()}
INTERFACE = APP.partition("with gr.Blocks")[0].replace("words, state, steps", "words, steps")
SOURCES["an interface"] = f"{INTERFACE}demo = gr.Interface(generate, ['text', gr.Slider(1, 9)], ['video', 'number'])\n"

OFFERED = """
import json, sys
found = {}
for name, text in json.load(sys.stdin).items():
    space = {"__name__": "app"}
    exec(text, space)
    found[name] = space["demo"].get_api_info()["named_endpoints"]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def offered() -> dict[str, Any]:
    """What Gradio offers; in a process of its own, because Gradio leaves event loops unclosed."""
    done = subprocess.run(
        [sys.executable, "-c", OFFERED], input=json.dumps(SOURCES), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", SOURCES)
def test_an_endpoint_is_read_as_gradio_creates_it(name: str, offered: dict[str, Any]) -> None:
    endpoint = read_text(SOURCES[name], "app.py").endpoint
    assert endpoint
    api = offered[name][f"/{endpoint.name}"]
    assert [each["parameter_name"] for each in api["parameters"]] == list(endpoint.inputs)
    assert [each["component"].lower() for each in api["returns"]] == [one.kind.lower() for one in endpoint.outputs]
    assert endpoint.prompt == "words"
    assert endpoint.seed == ""


@pytest.mark.parametrize(
    "event",
    [
        "button.click(lambda given: generate(given[words], 0), {words, memory, steps}, [clip])",
        "button.click(generate, [words, memory, *more()], [clip])",
        "button.click(generate, [words, memory, steps], [clip, unknown])",
        "words.unheard_of(generate, [words, memory, steps], [clip])",
    ],
)
def test_an_endpoint_that_the_source_does_not_show_is_none(event: str) -> None:
    reading = read_text(APP.replace("{event}", event), "app.py")
    assert reading.settings.value("model.id") == "a/b"
    assert reading.endpoint is None
