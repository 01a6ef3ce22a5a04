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
    assert ("lora.default_0.id" in reading.settings) is (expected is not None)
    assert reading.settings.value("lora.default_0.id") == expected


def test_a_required_lora_is_unknown() -> None:
    reading = read(f"{LOADED}parser = argparse.ArgumentParser()\nparser.add_argument('--lora', required=True)\n"
                   f"pipe.load_lora_weights(parser.parse_args().lora)\npipe('a kite')")  # fmt: skip
    assert reading.settings["lora.default_0.id"].origin == "unknown"


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


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("total = 0\nfor steps in [3, 4, 5]:\n    total += steps", 12),
        ("total = 0\nfor place, steps in enumerate((3, 4)):\n    total += place * steps", 4),
        ("total = 1\nfor name, factor in {'a': 2, 'b': 3}.items():\n    total = total * factor", 6),
        ("total = 1\nfor _ in range(4):\n    total *= 2", 16),
    ],
)
def test_a_short_loop_over_known_items_is_followed_for_each(loop: str, expected: int) -> None:
    reading = read(f"{LOADED}{loop}\npipe('a kite', num_inference_steps=total)")
    assert reading.settings.value("call.num_inference_steps") == expected


def test_each_lora_that_a_loop_loads_is_known() -> None:
    reading = read(
        f"""
        {LOADED}
        for repository, name in [("org/one", "one"), ("org/two", "two")]:
            pipe.load_lora_weights(repository, adapter_name=name)
        pipe.set_adapters(["one", "two"], adapter_weights=[0.7, 0.3])
        pipe("a kite")
        """
    )
    assert reading.settings.table("lora") == {
        "one": {"id": "org/one", "scale": 0.7},
        "two": {"id": "org/two", "scale": 0.3},
        "order": ["one", "two"],
    }


@pytest.mark.parametrize("values", ["[3] * 9", "sys.argv", "[3, size()]"])
def test_a_loop_over_many_or_unknown_items_is_not(values: str) -> None:
    reading = read(f"{LOADED}total = 0\nfor steps in {values}:\n    total += steps\n"
                   "pipe('a kite', num_inference_steps=total)")  # fmt: skip
    assert reading.settings["call.num_inference_steps"].origin == "unknown"


def test_a_call_in_a_short_loop_is_one_call_with_alternatives() -> None:
    reading = read(f"{LOADED}for steps in [3, 4]:\n    pipe('a kite', num_inference_steps=steps)")
    assert len(reading.calls) == 1
    assert [one.setting.value for one in reading.alternatives["call.num_inference_steps"]] == [3, 4]


TILED = """
from contextlib import contextmanager
@contextmanager
def tiled(made):
    {before}
    yield made
    {after}
"""


@pytest.mark.parametrize(
    ("before", "after", "inside", "behind"),
    [
        ("made.vae.enable_tiling()", "made.vae.disable_tiling()", True, False),
        ("made.vae.disable_tiling()", "made.vae.enable_tiling()", False, True),
        ("pass", "made.vae.enable_tiling()", None, True),
    ],
)
def test_what_follows_a_yield_happens_after_the_block(before: str, after: str, inside: object, behind: object) -> None:
    start = LOADED + TILED.format(before=before, after=after)
    reading = read(f"{start}with tiled(pipe) as one:\n    one('a kite')")
    assert reading.settings.value("vae.tiling") is inside
    reading = read(f"{start}with tiled(pipe):\n    pass\npipe('a kite')")
    assert reading.settings.value("vae.tiling") is behind


def test_a_block_that_returns_still_leaves_its_context() -> None:
    reading = read(
        """
        from contextlib import contextmanager
        pipe = StableDiffusionXLPipeline.from_pretrained("org/base")
        class Swap:
            @contextmanager
            def tiled(self, made):
                try:
                    made.vae.enable_tiling()
                    yield
                finally:
                    made.vae.disable_tiling()
        def draw(steps=5):
            with Swap().tiled(pipe), torch.autocast("cuda"):
                return pipe("a kite", num_inference_steps=steps).images[0]
        draw().save("kite.png")
        """
    )
    found = {path: reading.settings.value(path) for path in ("vae.tiling", "numerics.autocast")}
    assert found == {"vae.tiling": True, "numerics.autocast": "float16"}


DRAWN = 'g = torch.Generator("cuda").manual_seed(1)\n'


@pytest.mark.parametrize(
    ("lines", "call"),
    [
        (DRAWN + 'torch.randn(3, generator=g, device="cuda")', "generator=g"),
        (DRAWN + "order = torch.randperm(4, generator=g)", "generator=g"),
        ("torch.manual_seed(5)\ntorch.rand(4)", ""),
        ("torch.manual_seed(5)\nnoise = torch.randn(1, 4)", ""),
    ],
)
def test_a_generator_that_was_drawn_from_is_not_at_its_seed(lines: str, call: str) -> None:
    reading = read(f"{LOADED}{lines}\npipe('a kite', {call})")
    assert reading.settings["rng.seed"].origin == "unknown"
    assert [note.kind for note in reading.notes if note.kind == "reused generator"] == ["reused generator"]


@pytest.mark.parametrize(
    ("lines", "call", "seed"),
    [
        (DRAWN + "latents = torch.randn(3, generator=g)", "generator=g, latents=latents", 1),
        (DRAWN + "latents = torch.randn(3, generator=g)", "latents=latents", 1),
        ("torch.manual_seed(5)\nlatents = torch.randn(3)", "latents=latents", 5),
        (DRAWN + "torch.randn(3, generator=g)\ng.manual_seed(2)", "generator=g", 2),
        ("torch.manual_seed(5)\ntorch.rand(4)\ntorch.manual_seed(6)", "", 6),
        (DRAWN + "torch.manual_seed(5)\ntorch.rand(4)", "generator=g", 1),
    ],
)
def test_noise_that_is_drawn_for_the_call_has_the_seed(lines: str, call: str, seed: int) -> None:
    reading = read(f"{LOADED}{lines}\npipe('a kite', {call})")
    assert reading.settings.value("rng.seed") == seed
    assert not [note for note in reading.notes if note.kind == "reused generator"]
