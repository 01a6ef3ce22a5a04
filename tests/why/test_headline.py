"""The first sentence of a comparison: it acquits only where both sides were read, and says how much of them was."""

from __future__ import annotations

import pytest

from spacediff.reading import read_text
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources
from spacediff.why.headline import headline

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
video = pipe("a cat", num_inference_steps=40, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
"""


def compared(script: str, space: str) -> ComparedSettings:
    return compare_sources(read_text(script, "run.py"), read_text(space, "app.py"))


def test_an_acquittal_counts_what_was_read() -> None:
    found = compared(SCRIPT, SCRIPT)
    assert found.decided
    assert headline(found) == (
        f"No difference among the {found.equal} settings that are known on both sides "
        f"({found.by_default} of them by default). "
        "Read: all 6 settings of the script and all 6 of the Space, prompt and seed aside."
    )


def test_an_acquittal_counts_what_was_not_read() -> None:
    found = compared(SCRIPT, SCRIPT.replace("num_inference_steps=40", "num_inference_steps=steps_of(2)"))
    assert headline(found).startswith("No difference among the")
    assert headline(found).endswith("Not read: 0 of 6 in the script, 1 of 6 in the Space (call.num_inference_steps).")
    assert len(found.questions) == 1


def test_a_difference_that_changes_no_clip_is_no_difference() -> None:
    ours, theirs = (
        SCRIPT.replace("video =", f"pipe.vae.{switch}_slicing()\nvideo =") for switch in ("enable", "disable")
    )
    found = compared(ours, theirs)
    assert "and 1 difference that changes no clip" in headline(found)
    assert [row.path for row in found.differences] == ["vae.slicing"]


def test_a_difference_that_is_listed_and_not_counted_is_named() -> None:
    ours, theirs = (
        SCRIPT.replace("video =", f"pipe.vae.{switch}_slicing()\nvideo =") for switch in ("enable", "disable")
    )
    found = compared(ours, theirs.replace("40", "30"))
    assert len(found.differences) == 2
    said = headline(found)
    assert said.startswith("1 setting differs; ")
    assert ". Not counted, since no clip changes with it: vae.slicing differs, too. Read: " in said


@pytest.mark.parametrize(
    ("changed", "beginning"),
    [
        ([("40", "30")], "1 setting differs; "),
        ([("40", "30"), ("bfloat16", "float32")], "2 settings differ; "),
        ([("video =", "frames = upscale(pipe)\nvideo =")], "1 thing besides the settings differs (upscaling); "),
        (
            [("40", "30"), ("video =", "frames = upscale(pipe)\nvideo =")],
            "1 setting and 1 other thing (upscaling) differ; ",
        ),
    ],
)
def test_what_differs_is_counted(changed: list[tuple[str, str]], beginning: str) -> None:
    space = SCRIPT
    for old, new in changed:
        space = space.replace(old, new)
    assert headline(compared(SCRIPT, space)).startswith(beginning)


TWO_CALLS = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt):
    if busy():
        return pipe(prompt, num_inference_steps=40, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
    else:
        return pipe(prompt, num_inference_steps=8, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
gr.Interface(draw, gr.Textbox(), gr.Video()).launch()
"""


@pytest.mark.parametrize("argument", ["negative_prompt=text_of(2)", "timesteps=steps()", "guidance_rescale=rate"])
def test_what_only_one_side_gives_may_differ_if_its_value_is_unknown(argument: str) -> None:
    given = SCRIPT.replace('"a cat"', f'"a cat", {argument}')
    for ours, theirs in ((SCRIPT, given), (given, SCRIPT)):
        found = compared(ours, theirs)
        beginning, _, end = headline(found).partition(", but this may differ: ")
        assert beginning.startswith("No certain difference among the ")
        assert end.startswith(f"{argument.partition('=')[0]}. Not read: ")
    assert headline(compared(given, given)).startswith("No difference among the ")


def test_nothing_is_acquitted_while_the_main_call_is_not_decided() -> None:
    for ours, theirs in ((SCRIPT, TWO_CALLS), (TWO_CALLS, SCRIPT)):
        found = compared(ours, theirs)
        assert not found.decided
        assert "No difference" not in headline(found)
        assert "app.py:" in headline(found) or "run.py:" in headline(found)


def test_a_call_of_which_no_argument_is_known_is_not_compared() -> None:
    space = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def work(jobs):
    while job := jobs.get():
        pipe(job["prompt"], num_inference_steps=job["steps"], generator=torch.Generator("cpu").manual_seed(42))
"""
    found = compared(SCRIPT, space)
    assert not found.decided
    assert headline(found).startswith(
        "Nothing can be said yet: no argument of the call could be compared, since none that the Space gives"
    )


def test_without_anything_known_on_both_sides_nothing_is_compared() -> None:
    unknown = "from diffusers import WanPipeline\npipe = WanPipeline.from_pretrained(name())\npipe(prompt=text())\n"
    found = compared(unknown, unknown)
    assert not found.comparable
    assert headline(found).startswith("Nothing could be compared")


def test_a_condition_is_listed_and_is_no_difference() -> None:
    space = """
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, finer):
    steps = 80 if finer else 40
    return pipe(prompt, num_inference_steps=steps, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Checkbox(False)], gr.Video()).launch()
"""
    found = compared(SCRIPT, space)
    assert headline(found).startswith("No difference")
    (condition,) = found.conditions
    assert condition.startswith("the Space, only if finer")
    assert "call.num_inference_steps = 80" in condition
