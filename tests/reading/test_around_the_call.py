"""What is done before the call and after it: only the former changes what the call makes."""

from __future__ import annotations

import textwrap

import pytest

from spacediff.reading import Reading, read_text
from spacediff.reading.installed import method

HEAD = """import sys, torch
import moviepy.editor as mp
from compel import Compel, TextualInversionManager
from diffusers import DiffusionPipeline, StableDiffusionXLPipeline
from diffusers.utils import export_to_video
pipe = StableDiffusionXLPipeline.from_pretrained("org/base", torch_dtype=torch.float16)
"""


def read(source: str) -> Reading:
    return read_text(HEAD + textwrap.dedent(source), "run.py")


def kinds(reading: Reading) -> list[str]:
    return [note.kind for note in reading.notes if note.kind != "random"]


@pytest.mark.parametrize(
    "change", ["pipe.enable_free_init()", "boost(pipe)", "pipe.unet.freeze_all()", "pipe.disable_free_init()"]
)
def test_what_changes_the_pipeline_after_the_call_is_no_note(change: str) -> None:
    assert kinds(read(f"{change}\npipe('a kite')"))
    assert not kinds(read(f"pipe('a kite')\n{change}"))


def test_a_change_between_two_calls_is_a_note_of_the_second() -> None:
    source = HEAD + "pipe('a kite', num_inference_steps=3)\nboost(pipe)\npipe('a kite', num_inference_steps=4)\n"
    assert "patched part" in kinds(read_text(source, "run.py"))


def test_a_preview_of_the_exported_clip_is_no_input() -> None:
    reading = read(
        """
        export_to_video(pipe("a kite").frames[0], "kite.mp4", fps=8)
        clip = mp.VideoFileClip("kite.mp4").resize(height=240)
        """
    )
    assert "input resizing" not in kinds(reading)


@pytest.mark.parametrize(
    ("saves", "fps", "notes"),
    [
        ('frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=100)', 10, []),
        ('frames[0].save("a.gif", save_all=True, append_images=frames[1:], duration=80)', 12.5, []),
        ('frames[0].save("a.png")', None, []),
        ('export_to_video(frames[1:], "a.mp4", fps=8)', 8, ["post-processing"]),
    ],
)
def test_an_animation_has_all_frames(saves: str, fps: float | None, notes: list[str]) -> None:
    reading = read(f"frames = pipe('a kite', num_frames=14).frames[0]\n{saves}")
    assert reading.settings.value("output.fps") == fps
    assert kinds(reading) == notes


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ('pipe.to("cuda", silence_dtype_warnings=True)', "cuda"),
        ('pipe.to("cuda", torch.float16, True)', "cuda"),
        ('pipe.to(device="cuda:1", silence_dtype_warnings=False)', "cuda:1"),
        ("pipe.to(1)", "cuda:1"),
    ],
)
def test_a_switch_is_no_number_of_a_card(moved: str, expected: str) -> None:
    assert read(f"{moved}\npipe('a kite')").settings.value("placement") == expected


@pytest.mark.parametrize("condition", ["unknown()", "torch.cuda.is_available()"])
def test_a_dtype_that_only_one_branch_puts_into_keyword_arguments_is_unknown(condition: str) -> None:
    reading = read(
        f"""
        options = {{}}
        if {condition}:
            options["torch_dtype"] = torch.bfloat16
        DiffusionPipeline.from_pretrained("org/base", **options)("a kite", num_inference_steps=3)
        """
    )
    assert reading.settings["model.dtype"].origin == "unknown"
    assert [one.setting.value for one in reading.alternatives["model.dtype"]] == ["bfloat16", None]


@pytest.mark.parametrize(
    "encoder",
    [
        "Compel(tokenizer=pipe.tokenizer, textual_inversion_manager=TextualInversionManager(pipe))",
        "Compel(pipe)",
    ],
)
def test_an_encoder_of_prompts_is_not_the_pipeline_that_it_is_given(encoder: str) -> None:
    reading = read(
        f"""
        encoder = {encoder}
        conditioning, pooled = encoder("a kite")
        pipe(prompt_embeds=conditioning, pooled_prompt_embeds=pooled, num_inference_steps=4)
        """
    )
    assert [call.where for call in reading.calls] == ["run.py:10"]
    assert reading.settings.value("call.num_inference_steps") == 4


def test_a_pipeline_of_one_branch_is_not_called_in_another_branch_of_the_same_question() -> None:
    reading = read(
        """
        def draw(kind="text", adapter=None):
            if kind == "picture":
                made = DiffusionPipeline.from_pretrained("org/picture")
            elif kind == "text":
                made = StableDiffusionXLPipeline.from_pretrained("org/base")
            else:
                made = DiffusionPipeline.from_pretrained("org/other")
            if adapter:
                made.load_lora_weights(adapter)
            if kind == "picture":
                made("a kite", num_inference_steps=3)
            elif kind == "text":
                made("a kite", num_inference_steps=4)
            else:
                made("a kite", num_inference_steps=5)
        draw(*sys.argv[1:])
        """
    )
    found = {(call.pipeline, call.where) for call in reading.calls}
    assert ("StableDiffusionXLPipeline", "run.py:18") not in found
    assert ("StableDiffusionXLPipeline", "run.py:20") in found


@pytest.mark.parametrize(
    ("lines", "call", "scale", "kept"),
    [
        ("", "cross_attention_kwargs={'scale': 0.6}", 0.6, None),
        ("pipe.set_adapters('toy', 0.5)", "cross_attention_kwargs={'scale': 0.6}", 0.3, None),
        ("pipe.set_adapters('toy', 0.5)", "cross_attention_kwargs={'scale': 0.6, 'other': 1}", 0.3, {"other": 1}),
        (
            "pipe.set_adapters('toy', 0.5)",
            "joint_attention_kwargs={'scale': 0.6}",
            0.5,
            None,
        ),
        ("pipe.fuse_lora(lora_scale=0.5)", "cross_attention_kwargs={'scale': 0.6}", 0.5, None),
        ("pipe.unload_lora_weights()", "cross_attention_kwargs={'scale': 0.6}", None, {"scale": 0.6}),
    ],
)
def test_a_scale_of_the_call_multiplies_that_of_the_adapters(
    lines: str, call: str, scale: float | None, kept: dict[str, float] | None
) -> None:
    reading = read(f"pipe.load_lora_weights('org/toy', adapter_name='toy')\n{lines}\npipe('a kite', {call})")
    assert reading.settings.value("lora.toy.scale") == scale
    assert reading.settings.value(f"call.{call.partition('=')[0]}") == kept


@pytest.mark.parametrize("decorators", ["@torch.autocast('cuda', dtype=torch.bfloat16)",
                                        "@torch.no_grad()\n@torch.autocast('cuda', torch.bfloat16)"])  # fmt: skip
def test_autocast_as_a_decorator_holds_inside_the_function(decorators: str) -> None:
    reading = read(f"{decorators}\ndef draw(words):\n    return pipe(words).images[0]\ndraw('a kite')")
    assert reading.settings.value("numerics.autocast") == "bfloat16"
    reading = read(f"{decorators}\ndef prepare():\n    pass\nprepare()\npipe('a kite')")
    assert "numerics.autocast" not in reading.settings


@pytest.mark.parametrize(("made", "refused"), [("StableDiffusionPipeline", True), ("OwnPipeline", False)])
def test_a_method_that_the_installed_class_does_not_have_is_refused(made: str, refused: bool) -> None:  # noqa: FBT001 - a column of the table
    imports = "from other import OwnPipeline\nfrom diffusers import StableDiffusionPipeline"
    source = f"{imports}\nmade = {made}.from_pretrained('a/b')"
    reading = read(f"{source}\nmade.enable_vae_slicing()\nmade('a kite')")
    assert ("refused argument" in kinds(reading)) is (refused and method(made, "enable_vae_slicing") is None)
    assert reading.settings.value("vae.slicing") is True
