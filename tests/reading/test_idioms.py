"""Idioms that are read as a person reads them: each with its siblings."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text

HEAD = """import argparse, os, sys, torch
from pathlib import Path
import gradio as gr
from diffusers import CogVideoXPipeline, DiffusionPipeline, StableDiffusionXLPipeline
"""
LOADED = 'pipe = StableDiffusionXLPipeline.from_pretrained("org/base").to("cuda")\n'


def read(source: str, name: str = "run.py") -> Reading:
    return read_text(HEAD + textwrap.dedent(source), name)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('f"{os.path.dirname(os.path.abspath(__file__))}/weights"', "./weights"),
        ('f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/weights"', "../weights"),
        ('os.path.join(os.path.dirname(__file__), "weights")', "weights"),
        ('os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "weights")', "../weights"),
        ('os.path.dirname("models/base/unet")', "models/base"),
        ('str(Path(__file__).parent / "weights")', "weights"),
        ('str(Path(__file__).resolve().parent.parent / "weights")', "../weights"),
        ('"/".join(["org", "base"])', "org/base"),
    ],
)
def test_a_path_from_the_folder_of_the_file_stays_relative(expression: str, expected: str) -> None:
    reading = read(f'pipe = DiffusionPipeline.from_pretrained({expression})\npipe("a kite")')
    assert reading.settings.value("model.id") == expected


@pytest.mark.parametrize(
    ("prompt", "template"),
    [
        ('", ".join([prompt, "sharp"])', "{prompt}, sharp"),
        ('" ".join(("photo of", prompt))', "photo of {prompt}"),
        ('prompt + ", sharp"', "{prompt}, sharp"),
        ('f"photo of {prompt}"', "photo of {prompt}"),
    ],
)
@pytest.mark.parametrize("box", ['gr.Textbox("a kite")', "gr.Textbox()"])
def test_text_around_the_prompt_is_a_template(prompt: str, template: str, box: str) -> None:
    reading = read(f"{LOADED}def run(prompt):\n    return pipe({prompt}).images[0]\n"
                   f"gr.Interface(run, {box}, gr.Image()).launch()")  # fmt: skip
    assert [note.text for note in reading.notes if note.kind == "prompt template"] == [template]


def test_the_default_of_a_parameter_of_a_lambda_holds() -> None:
    reading = read(f'{LOADED}draw = lambda words, steps=9: pipe(words, num_inference_steps=steps)\ndraw("a kite")')
    assert reading.settings.value("call.num_inference_steps") == 9


@pytest.mark.parametrize(
    "imports",
    [
        "try:\n    from fast import FastPipeline as Made\nexcept ImportError:\n    Made = CogVideoXPipeline",
        (
            "try:\n    from fast import FastPipeline as Made\nexcept ImportError:\n"
            "    from diffusers import CogVideoXPipeline as Made"
        ),
    ],
)
def test_a_class_that_depends_on_an_installed_package_is_undecided(imports: str) -> None:
    reading = read(f'{imports}\nMade.from_pretrained("org/base")("a kite")')
    assert reading.settings["model.pipeline"].origin == "unknown"
    found = {one.setting.value: one.only_if for one in reading.alternatives["model.pipeline"]}
    assert found == {"FastPipeline": "fast is installed", "CogVideoXPipeline": "fast is not installed"}
    assert reading.undecided


def test_a_class_that_has_moved_is_decided() -> None:
    reading = read(
        """
        try:
            from diffusers.pipelines import CogVideoXPipeline
        except ImportError:
            from diffusers import CogVideoXPipeline
        CogVideoXPipeline.from_pretrained("org/base")("a kite")
        """
    )
    assert reading.settings.value("model.pipeline") == "CogVideoXPipeline"
    assert not reading.undecided


@pytest.mark.parametrize(
    ("option", "use", "expected"),
    [
        ("default=None", "pipe.load_lora_weights(args.lora)", None),
        ("", "if args.lora:\n    pipe.load_lora_weights(args.lora)", None),
        ('default="org/toy"', "pipe.load_lora_weights(args.lora)", "org/toy"),
    ],
)
def test_a_lora_that_is_none_by_default_is_none(option: str, use: str, expected: str | None) -> None:
    reading = read(f"{LOADED}parser = argparse.ArgumentParser()\nparser.add_argument('--lora', {option})\n"
                   f"args = parser.parse_args()\n{use}\npipe('a kite')")  # fmt: skip
    assert ("lora.id" in reading.settings) is (expected is not None)
    assert reading.settings.value("lora.id") == expected


def test_a_required_lora_is_unknown() -> None:
    reading = read(f"{LOADED}parser = argparse.ArgumentParser()\nparser.add_argument('--lora', required=True)\n"
                   f"pipe.load_lora_weights(parser.parse_args().lora)\npipe('a kite')")  # fmt: skip
    assert reading.settings["lora.id"].origin == "unknown"


@pytest.mark.parametrize("names", [("a", "b"), ("c", "b", "a")])
def test_a_cache_that_a_loop_fills_holds_what_the_loop_made(names: tuple[str, ...]) -> None:
    reading = read(
        f"""
        made = {{}}
        for name in {names!r}:
            made[name] = StableDiffusionXLPipeline.from_pretrained("org/base", torch_dtype=torch.float16)
        def draw(words, kind="b"):
            return made[kind](words, num_inference_steps=4).images[0]
        draw("a kite")
        """
    )
    assert reading.settings.value("model.id") == "org/base"
    assert reading.settings.value("model.dtype") == "float16"
    assert reading.settings.value("call.num_inference_steps") == 4
