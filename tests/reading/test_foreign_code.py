"""Code of other packages and of PyTorch that works on a pipeline: wrappers, loaders, weights, hooks, widgets."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.settings import Origin

START = """
import torch, streamlit as st
from diffusers import FluxPipeline
pipe = FluxPipeline.from_pretrained("a/b", torch_dtype=torch.bfloat16).to("cuda")
g = torch.Generator("cpu").manual_seed(0)
"""
CALL = '\nimage = pipe("a cat", num_inference_steps=28, generator=g).images[0]\n'


def read(text: str, call: str = CALL) -> Reading:
    return read_text(START + textwrap.dedent(text) + call, "app.py")


def kinds(reading: Reading) -> list[str]:
    return [note.kind for note in reading.notes if note.usual]


@pytest.mark.parametrize(
    "lines",
    [
        "for n, p in pipe.transformer.named_parameters():\n    p.data.mul_(0.9)",
        "for p in list(pipe.transformer.parameters())[:2]:\n    p.data.mul_(0.9)",
        "for key, weight in pipe.transformer.state_dict().items():\n    weight.copy_(other[key])",
        "for block in pipe.transformer.transformer_blocks:\n    block.scale = 2",
        "for p in pipe.transformer.parameters():\n    p.data *= 0.9",
        "pipe.transformer.transformer_blocks[0].register_forward_hook(lambda m, a, o: o)",
        "handle = pipe.transformer.proj_out.register_forward_pre_hook(hook)",
        "pipe.transformer.transformer_blocks[3] = torch.nn.Identity()",
        "pipe.transformer.get_parameter('proj_out.weight').data.copy_(weight)",
        "torch.nn.init.normal_(pipe.transformer.proj_out.weight)",
        "from dfloat11 import DFloat11Model\nDFloat11Model.from_pretrained('a/c', bfloat16_model=pipe.transformer)",
        "from tool import Packed\nPacked.from_pretrained('a/c', pipe.transformer)",
    ],
)
def test_weights_changed_in_place_are_a_patched_part(lines: str) -> None:
    assert kinds(read(lines)) == ["patched part"]


@pytest.mark.parametrize(
    "lines",
    [
        "for p in pipe.vae.parameters():\n    p.requires_grad = False\n    p.requires_grad_(False)",
        "count = sum(p.numel() for p in pipe.transformer.parameters())",
        "latents = pipe.vae.encode(x).sample()\nlatents = latents / pipe.vae.config.scale\nlatents.mul_(2)",
        "for block in pipe.transformer.transformer_blocks:\n    print(block.norm1.weight)",
        "from transformers import CLIPProcessor\np = CLIPProcessor.from_pretrained('a/c', tokenizer=pipe.tokenizer)",
    ],
)
def test_what_only_looks_at_weights_is_not_noted(lines: str) -> None:
    assert kinds(read(lines)) == []


@pytest.mark.parametrize("made", ["IPAdapter(pipe, 'encoder', 'ip.bin', 'cuda')", "ip.IPAdapter(pipe, 'ip.bin')"])
@pytest.mark.parametrize("method", ["generate", "sample", "inference"])
def test_the_method_of_an_object_that_has_the_pipeline_is_the_call(made: str, method: str) -> None:
    reading = read(
        f"""
        from ip_adapter import IPAdapter
        import ip_adapter as ip
        from compel import Compel
        compel = Compel(pipe)
        embeds = compel.run(prompt="x")
        model = {made}
        images = model.{method}(pil_image="x.png", prompt="x", num_inference_steps=50, seed=42)
        images[0].save("out.png")
        """,
        "",
    )

    found = {path: setting.value for path, setting in reading.settings.items() if setting.origin is Origin.READ}
    assert found["model.pipeline"] == "IPAdapter"
    assert (found["model.id"], found["model.dtype"]) == ("a/b", "bfloat16")
    assert (found["call.num_inference_steps"], found["rng.seed"]) == (50, 42)


@pytest.mark.parametrize(
    "places",
    [
        "a, b = st.columns(2)",
        "a, b = st.columns([3, 1])",
        "a, b = st.tabs(['one', 'two'])",
        "a = b = st.sidebar",
        "a, b = st.container(), st.expander('more')",
        "a = b = st.form('f')",
    ],
)
def test_widgets_in_columns_and_containers_of_streamlit_are_inputs(places: str) -> None:
    reading = read(
        f"""
        {places}
        steps = a.number_input(label="Steps", min_value=1, value=16)
        height = b.slider(label="Height", min_value=16, max_value=1024, value=256, step=8)
        with a:
            width = st.slider("Width", 16, 1024, 320)
        pipe("x", num_inference_steps=int(steps), height=height, width=width)
        """,
        "",
    )

    assert [reading.settings.value(f"call.{name}") for name in ("num_inference_steps", "height", "width")] == [
        16,
        256,
        320,
    ]


@pytest.mark.parametrize(
    "line", ["pipe.vae.to(torch.float32)", "pipe.vae.float()", "pipe.vae.load_state_dict(torch.load('vae.pt'))"]
)
def test_what_changes_a_part_names_its_own_line(line: str) -> None:
    assert read(line).settings["load.vae"].where == "app.py:6"
