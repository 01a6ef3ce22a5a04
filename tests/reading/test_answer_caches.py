"""Functions that keep their answers."""

from __future__ import annotations

import pytest

from spacediff.reading import read_text

APP = """
import functools
import gradio as gr
from functools import lru_cache
from diffusers import CogVideoXPipeline
{decorator}
def load():
    return CogVideoXPipeline.from_pretrained("a/b")
pipe = load()
{decorator}
def generate(prompt, seed=0):
    return pipe(prompt, num_inference_steps=7).frames[0]
generate("x")
"""


@pytest.mark.parametrize(
    "decorator", ["@functools.lru_cache(maxsize=8)", "@lru_cache", "@functools.cache", "@gr.cache", "@gr.cache()"]
)
def test_what_keeps_answers_to_a_prompt_is_named_and_what_loads_once_is_not(decorator: str) -> None:
    reading = read_text(APP.format(decorator=decorator), "app.py")
    assert reading.answer_caches == (f"{decorator} of generate (app.py:10)",)
    assert reading.as_json()["answer_caches"] == [*reading.answer_caches]
    assert reading.settings.value("call.num_inference_steps") == 7


def test_a_function_without_a_cache_keeps_no_answers() -> None:
    assert read_text(APP.format(decorator=""), "app.py").answer_caches == ()
