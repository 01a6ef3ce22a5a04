"""What users give: fields of nested requests, texts that code shortens, and seeds that are not given."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """
import gradio as gr, runpod, torch
from diffusers import WanPipeline
pipe = WanPipeline.from_pretrained("a/b", torch_dtype=torch.float16).to("cuda")
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "app.py")


@pytest.mark.parametrize(
    "fields",
    ['job.get("input", {})', 'job.get("input") or {}', 'job["input"]', 'job.get("input", {}).get("options", {})'],
)
@pytest.mark.parametrize(
    "prompt",
    ['fields.get("prompt", "")', 'str(fields.get("prompt", "")).strip()', 'fields.get("prompt", "")[:500]'],
)
def test_prompt_in_nested_request_is_the_users(fields: str, prompt: str) -> None:
    reading = read(f"""
        def handler(job):
            fields = {fields}
            prompt = {prompt}
            if not prompt:
                raise ValueError("no prompt")
            prompt = f"{{prompt}}, sharp"
            if len(prompt) > 500:
                prompt = prompt[:500]
            return pipe(prompt=prompt, height=fields.get("height", 480)).frames[0]
        runpod.serverless.start({{"handler": handler}})
    """)

    assert reading.settings["call.prompt"].origin is Origin.UNKNOWN
    assert reading.settings.value("call.height") == 480
    assert [(note.text, note.usual) for note in reading.notes if note.kind == "prompt template"] == [
        ("{prompt}, sharp", True)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "if seed is not None:\n    torch.manual_seed(seed)\ngenerator = None",
        "generator = None if seed is None else torch.manual_seed(seed)",
        "generator = torch.manual_seed(seed) if seed is not None else None",
    ],
)
def test_seed_that_is_none_by_default_leaves_the_noise_random(lines: str) -> None:
    body = textwrap.indent(lines, " " * 12)
    reading = read(f"""
        def run(prompt, seed=None):
{body}
            return pipe(prompt, generator=generator).frames[0]
        runpod.serverless.start({{"handler": run}})
    """)

    assert reading.settings["rng.seed"].origin is Origin.UNKNOWN
    assert [(note.only_if, note.usual) for note in reading.notes if note.kind == "random"] == [("seed is None", True)]


def test_seed_of_the_side_that_is_not_taken_is_an_alternative() -> None:
    reading = read("""
        def run(prompt, seed):
            generator = torch.manual_seed(seed) if seed != -1 else None
            return pipe(prompt, generator=generator).frames[0]
        gr.Interface(run, [gr.Textbox(), gr.Number(value=7)], gr.Video()).launch()
    """)

    assert reading.settings.value("rng.seed") == 7
    assert [note.usual for note in reading.notes if note.kind == "random"] == [False]
