"""Presets, caches and other lists and dicts of constants: what Python computes from them is read."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """import itertools, torch
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("org/flux")
"""


def read(text: str) -> Reading:
    return read_text(START + textwrap.dedent(text), "run.py")


def value_of(reading: Reading, path: str = "call.width") -> Any:
    setting = reading.settings[path]
    return "?" if setting.origin is Origin.UNKNOWN else setting.value


ROWS = 'ROWS = [{"name": "Wide", "w": 1024, "h": 576}, {"name": "Tall", "w": 576, "h": 1024}]\n'
COMPUTED = {
    "a dict comprehension": (ROWS + 'SIZES = {row["name"]: (row["w"], row["h"]) for row in ROWS}', 'SIZES["Wide"][0]'),
    "its first key": (ROWS + 'SIZES = {row["name"]: row["w"] for row in ROWS}\nNAMES = list(SIZES)', "SIZES[NAMES[0]]"),
    "a condition": (ROWS + 'W = [row["w"] for row in ROWS if row["w"] > 600]', "W[0]"),
    "two loops": ("P = [a * b for a in (2, 4) for b in (64, 128, 256)]", "P[-1]"),
    "pairs of a dict": ('D = {"a": 512, "b": 1024}\nW = [v for k, v in D.items() if k == "b"]', "W[0]"),
    "the items of another dict": ('D = {"a": 512, "b": 1024}\nE = {v: k for k, v in D.items()}', "list(E)[1]"),
    "a text that is split": ('W, H = (int(n) for n in "1024x576".split("x"))', "W"),
    "map": ('W, H = map(int, "1024x576".split("x"))', "W"),
    "numbers in steps": ("W = [n for n in range(256, 1025, 256)]", "W[3]"),
    "a slice": ("W = [256, 512, 768, 1024]", "W[2:][1]"),
    "a slice of a text": ('NAME = "1024x576"', "int(NAME[:4])"),
    "the rest": ("FIRST, *REST = [256, 512, 1024]", "REST[-1]"),
    "the first of the rest": ("*REST, LAST = [256, 512, 1024]", "LAST"),
    "next of iter": ('D = {"a": 1024, "b": 512}', "next(iter(D.values()))"),
    "the first key": ("D = {1024: 1, 512: 2}", "next(iter(D))"),
    "reversed": ("W = list(reversed([1024, 512]))", "W[1]"),
    "sorted": ("W = sorted({512, 1024, 256})", "W[-1]"),
    "sorted downwards": ("W = sorted([512, 1024, 256], reverse=True)", "W[0]"),
    "sorted by a key": ("W = sorted([(2, 512), (1, 1024)], key=lambda row: row[0])", "W[0][1]"),
    "the largest": ("W = [512, 1024]", "max(W)"),
    "the largest by a key": ('D = {"a": 512, "b": 1024}', "D[max(D, key=D.get)]"),
    "a sum": ("W = [512, 512]", "sum(W)"),
    "merged dicts": ('D = {"w": 512} | {"w": 1024}', 'D["w"]'),
    "unpacked dicts": ('D = {**{"w": 512}, **dict(w=1024)}', 'D["w"]'),
    "zip": ('D = dict(zip(["a", "b"], [512, 1024]))', 'D["b"]'),
    "enumerate": ("D = {n: w for n, w in enumerate([512, 1024])}", "D[1]"),
    "chained": ("W = list(itertools.chain([512], [1024]))", "W[1]"),
    "a product": ("W = list(itertools.product([1, 2], [512, 1024]))", "W[3][1]"),
    "dict.fromkeys": ('D = dict.fromkeys(["a", "b"], 1024)', 'D["b"]'),
    "a dict of pairs": ('D = dict([("a", 1024)])', 'D["a"]'),
    "a tuple as key": ("D = {(16, 9): 1024, (1, 1): 512}", "D[(16, 9)]"),
    "a type as key": ("D = {torch.float16: 1024, torch.float32: 512}", "D[torch.float16]"),
    "a class as key": ("D = {FluxPipeline: 1024}", "D[FluxPipeline]"),
    "a function as item": ('D = {"a": lambda: 1024}', 'D["a"]()'),
    "the place of an item": ("W = [512, 1024]", "W[W.index(1024)]"),
    "the text of a key": ('D = {"w": 1024}\nKEY = "{}".format("w")', "D[KEY]"),
    "get of get": ('D = {"a": {"w": 1024}}', 'D.get("a", {}).get("w", 512)'),
    "filtered": ("W = list(filter(lambda n: n > 600, [512, 1024]))", "W[0]"),
    "the first that fits": ("W = next(n for n in [512, 1024] if n > 600)", "W"),
}


@pytest.mark.parametrize("kind", list(COMPUTED))
def test_a_preset_is_computed(kind: str) -> None:
    lines, width = COMPUTED[kind]
    assert value_of(read(f"{lines}\npipe('x', width={width})")) == 1024


UNKNOWN = {
    "an unknown list": "W = [n for n in some()]",
    "an unknown condition": "W = [n for n in [512, 1024] if ok(n)]",
    "too many items": "W = [a for a in range(100) for b in range(100)]",
    "an unknown slice": "W = [512, 1024][some():]",
}


@pytest.mark.parametrize("kind", list(UNKNOWN))
def test_what_is_not_known_of_a_list_is_not_computed(kind: str) -> None:
    assert value_of(read(f"{UNKNOWN[kind]}\npipe('x', width=W[1])")) == "?"


def test_a_comprehension_over_unknown_things_is_unknown_by_its_text() -> None:
    reading = read("""
        clip = load_video("car.mp4")[:49]
        frames = [edges(f) for f in clip]
        pipe("a cat", control_frames=frames)
    """)
    assert reading.unknowns["call.control_frames"] == "[edges(f) for f in clip]"


def test_a_comprehension_that_calls_a_pipeline_is_one_call() -> None:
    reading = read("""
        images = [pipe(p, width=1024).images[0] for p in ["a kite", "a hat"]]
        images[0].save("k.png")
    """)
    assert len(reading.calls) == 1
    assert value_of(reading) == 1024


CACHES = {
    "a key that the user gives": ("""
        def fetch(kind):
            if kind not in LOADED:
                LOADED[kind] = FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
            return LOADED[kind]
    """, "fetch(kind)"),
    "get": ("""
        def fetch(kind):
            found = LOADED.get(kind)
            if found is None:
                found = LOADED[kind] = FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
            return found
    """, "fetch(kind)"),
    "setdefault": ("""
        def fetch(kind):
            return LOADED.setdefault(kind, FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16))
    """, "fetch(kind)"),
    "several keys": ("""
        def fetch(kind, dtype):
            if (kind, dtype) not in LOADED:
                LOADED[(kind, dtype)] = FluxPipeline.from_pretrained(kind, torch_dtype=dtype)
            return LOADED[(kind, dtype)]
    """, "fetch(kind, torch.bfloat16)"),
    "try": ("""
        def fetch(kind):
            try:
                return LOADED[kind]
            except KeyError:
                LOADED[kind] = FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
                return LOADED[kind]
    """, "fetch(kind)"),
    "a cached function": ("""
        import functools
        @functools.lru_cache(maxsize=1)
        def fetch(kind):
            return FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
    """, "fetch(kind)"),
    "streamlit's cache": ("""
        import streamlit as st
        @st.cache_resource
        def fetch(kind):
            return FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
    """, "fetch(kind)"),
    "a class": ("""
        class Models:
            loaded = {}
            @classmethod
            def fetch(cls, kind):
                if kind not in cls.loaded:
                    cls.loaded[kind] = FluxPipeline.from_pretrained(kind, torch_dtype=torch.bfloat16)
                return cls.loaded[kind]
    """, "Models.fetch(kind)"),
    "a dict of loaded pipelines": ("""
        MODELS = {name: FluxPipeline.from_pretrained(name, torch_dtype=torch.bfloat16) for name in ["org/big", "org/s"]}
    """, "MODELS[kind]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(CACHES))
def test_a_pipeline_in_a_cache_is_found(kind: str) -> None:
    lines, fetched = CACHES[kind]
    app = f"""
import gradio as gr
def draw(prompt, kind):
    return {fetched}(prompt, num_inference_steps=4).images[0]
gr.Interface(draw, [gr.Textbox(), gr.Radio(["org/big", "org/small"], value="org/big")], gr.Image()).launch()
"""
    reading = read_text(
        "import torch\nfrom diffusers import FluxPipeline\nLOADED = {}\n" + textwrap.dedent(lines) + app, "app.py"
    )
    assert value_of(reading, "call.num_inference_steps") == 4
    assert value_of(reading, "model.id") == "org/big"
    assert value_of(reading, "model.dtype") == "bfloat16"


def test_a_pipeline_under_an_unknown_key_is_found() -> None:
    reading = read("""
        LOADED = {}
        def draw(request):
            if request.kind not in LOADED:
                LOADED[request.kind] = FluxPipeline.from_pretrained(request.kind, torch_dtype=torch.bfloat16)
            return LOADED[request.kind]("a kite", width=1024)
        draw(some())
    """)
    assert value_of(reading) == 1024
    assert reading.unknowns["model.id"] == "some().kind"


def test_an_item_under_an_unknown_key_may_replace_any_other_one() -> None:
    reading = read('D = {"w": 512}\nD[some()] = 1024\npipe("x", width=D["w"])')
    assert value_of(reading) == "?"
