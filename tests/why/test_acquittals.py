"""What two sources say in different words and is the same: it is no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.reading import read_text
from spacediff.why.compared import ComparedSettings
from spacediff.why.differences import compare_sources

SCRIPT = """
import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
video = pipe("a cat", generator=torch.Generator("cpu").manual_seed(42)).frames[0]
"""


def compared(script: str, space: str) -> ComparedSettings:
    return compare_sources(read_text(script, "run.py"), read_text(space, "app.py"))


def differing(found: ComparedSettings) -> list[str]:
    return [
        *(row.path for row in found.differences if row.changes_the_clip),
        *(effect.kind for effect in found.effects),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        "num_inference_steps=50",
        "guidance_scale=6.0",
        "use_dynamic_cfg=False",
        "negative_prompt=None",
        'negative_prompt=""',
        "height=480, width=720",
        "num_frames=49",
        "height=None, num_frames=None",
        "num_videos_per_prompt=1",
        "max_sequence_length=226",
        "eta=0",
        "callback_steps=1",
    ],
)
def test_a_default_that_is_written_out_is_no_difference(arguments: str) -> None:
    explicit = SCRIPT.replace('"a cat"', f'"a cat", {arguments}')
    for one, other in ((SCRIPT, explicit), (explicit, SCRIPT)):
        found = compared(one, other)
        assert differing(found) == []
        assert found.questions == []


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ('negative_prompt="blurry"', "call.negative_prompt"),
        ("num_frames=48", "call.num_frames"),
        ("height=720, width=480", "call.height"),
        ("use_dynamic_cfg=True", "call.use_dynamic_cfg"),
    ],
)
def test_another_value_than_the_default_is_a_difference(argument: str, path: str) -> None:
    assert path in differing(compared(SCRIPT, SCRIPT.replace('"a cat"', f'"a cat", {argument}')))


@pytest.mark.parametrize("pipeline", ["StableDiffusionXLPipeline", "FluxPipeline", "QwenImagePipeline"])
def test_an_empty_negative_prompt_is_another_one_than_none_where_the_pipeline_says_so(pipeline: str) -> None:
    plain = SCRIPT.replace("CogVideoXPipeline", pipeline).replace("THUDM/CogVideoX-5b", "org/model")
    empty = plain.replace('"a cat"', 'prompt="a cat", negative_prompt=""')
    assert differing(compared(plain.replace('"a cat"', 'prompt="a cat"'), empty)) == ["call.negative_prompt"]


@pytest.mark.parametrize(
    "name",
    ["ZhipuAI/CogVideoX-5b", "zai-org/CogVideoX-5b", "zai-org/CogVideoX-5B", "AI-ModelScope/CogVideoX-5b"],
)
def test_one_checkpoint_under_two_names_is_no_difference(name: str) -> None:
    found = compared(SCRIPT.replace("THUDM/CogVideoX-5b", name), SCRIPT)
    assert differing(found) == []
    assert any(name in note and "THUDM/CogVideoX-5b" in note for note in found.notes)


def test_another_checkpoint_is_a_difference() -> None:
    for name in ("ZhipuAI/CogVideoX-2b", "someone/CogVideoX-5b", "AI-ModelScope/CogVideoX-2b"):
        assert "model.id" in differing(compared(SCRIPT.replace("THUDM/CogVideoX-5b", name), SCRIPT))


PART = "AutoencoderKLCogVideoX.from_pretrained({name}, subfolder='vae', torch_dtype=torch.{dtype})"
BY_ITSELF = """
from diffusers import AutoencoderKLCogVideoX
vae = {part}
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", vae=vae, torch_dtype=torch.bfloat16).to("cuda")
video ="""


@pytest.mark.parametrize(
    ("name", "dtype", "expected"),
    [
        ("'THUDM/CogVideoX-5b'", "bfloat16", []),
        ("'zai-org/CogVideoX-5b'", "bfloat16", []),
        ("'THUDM/CogVideoX-5b'", "float32", ["load.vae"]),
        ("'THUDM/CogVideoX-2b'", "bfloat16", ["load.vae"]),
    ],
)
def test_a_part_loaded_by_itself_differs_only_in_what_it_is(name: str, dtype: str, expected: list[str]) -> None:
    own = SCRIPT.replace("\nvideo =", BY_ITSELF.format(part=PART.format(name=name, dtype=dtype)))
    assert differing(compared(own, SCRIPT)) == expected
    assert differing(compared(SCRIPT, own)) == expected


@pytest.mark.parametrize("generic", ["DiffusionPipeline", "AutoPipelineForText2Image"])
def test_a_generic_class_loads_the_class_of_the_same_checkpoint(generic: str) -> None:
    found = compared(SCRIPT.replace("CogVideoXPipeline", generic), SCRIPT)
    assert differing(found) == []
    assert any(generic in note and "CogVideoXPipeline" in note for note in found.notes)
    other = SCRIPT.replace("CogVideoXPipeline", generic).replace("CogVideoX-5b", "CogVideoX-2b")
    assert "model.id" in differing(compared(other, SCRIPT))


def test_a_generic_class_for_another_task_is_another_class() -> None:
    found = compared(SCRIPT.replace("CogVideoXPipeline", "AutoPipelineForImage2Image"), SCRIPT)
    assert "model.pipeline" in differing(found)


def test_the_class_that_a_checkpoint_names_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    local = SCRIPT.replace("THUDM/CogVideoX-5b", tmp_path.as_posix())
    generic = read_text(local.replace("CogVideoXPipeline", "DiffusionPipeline"), "run.py")
    concrete = read_text(local.replace("CogVideoXPipeline", "WanPipeline"), "app.py")
    assert differing(compare_sources(generic, concrete, ask=True)) == []


@pytest.mark.parametrize("lora", ["''", "None"])
def test_no_lora_is_no_difference(lora: str) -> None:
    space = f"""
import torch, gradio as gr
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
def draw(prompt, lora):
    if lora:
        pipe.load_lora_weights(lora)
    return pipe(prompt, generator=torch.Generator("cpu").manual_seed(42)).frames[0]
gr.Interface(draw, [gr.Textbox(), gr.Dropdown(["", "org/lora"], value={lora})], gr.Video()).launch()
"""
    assert differing(compared(SCRIPT, space)) == []


def test_a_variant_in_the_dtype_that_is_loaded_is_no_difference() -> None:
    half = SCRIPT.replace("CogVideoX-5b", "CogVideoX-2b").replace("bfloat16", "float16")
    variant = half.replace("torch_dtype", "variant='fp16', torch_dtype")
    assert differing(compared(half, variant)) == []
    assert differing(compared(half.replace("float16", "float32"), variant.replace("float16", "float32"))) == [
        "model.variant"
    ]


@pytest.mark.parametrize(("one", "other"), [('"cuda"', '"cuda:0"'), ('"cuda"', 'torch.device("cuda", 0)')])
def test_two_names_of_one_device_are_no_difference(one: str, other: str) -> None:
    assert differing(compared(SCRIPT, SCRIPT.replace(one, other))) == []


@pytest.mark.parametrize(
    "switch",
    [
        "torch.backends.cudnn.benchmark = False",
        "torch.backends.cuda.matmul.allow_tf32 = False",
        "torch.backends.cudnn.allow_tf32 = True",
        "torch.use_deterministic_algorithms(False)",
        "torch.set_default_dtype(torch.float32)",
    ],
)
def test_a_switch_of_torch_that_stays_as_it_is_is_no_difference(switch: str) -> None:
    switched = SCRIPT.replace("\nvideo =", f"\n{switch}\nvideo =")
    assert differing(compared(SCRIPT, switched)) == []
    assert differing(compared(switched, SCRIPT)) == []


def test_a_switch_of_torch_that_is_changed_is_a_difference() -> None:
    switched = SCRIPT.replace("\nvideo =", "\ntorch.backends.cuda.matmul.allow_tf32 = True\nvideo =")
    (row,) = compared(SCRIPT, switched).differences
    assert (row.path, row.left.value, row.right.value) == ("numerics.tf32_matmul", False, True)


def test_a_list_of_one_prompt_is_the_prompt() -> None:
    assert differing(compared(SCRIPT, SCRIPT.replace('"a cat"', '["a cat"]'))) == []
    assert differing(compared(SCRIPT, SCRIPT.replace('"a cat"', '["a cat", "a dog"]'))) == ["call.prompt"]


def test_a_part_of_another_revision_is_another_part() -> None:
    part = PART.format(name="'THUDM/CogVideoX-5b'", dtype="bfloat16").replace(
        "subfolder=", "revision='old', subfolder="
    )
    assert differing(compared(SCRIPT.replace("\nvideo =", BY_ITSELF.format(part=part)), SCRIPT)) == ["load.vae"]


@pytest.mark.parametrize(("callback", "expected"), [("", []), ("callback=watch, ", ["call.callback_steps"])])
def test_how_often_a_callback_is_called_matters_only_with_one(callback: str, expected: list[str]) -> None:
    source = "from diffusers import StableDiffusionPipeline\ndef watch(*a): pass\n"
    source += "pipe = StableDiffusionPipeline.from_pretrained('a/b')\npipe('x', CALLBACK callback_steps=5)\n"
    each = source.replace("CALLBACK ", callback)
    assert differing(compared(each, each.replace("callback_steps=5", "callback_steps=2"))) == [
        *expected,
        "random seed",
    ]


def test_a_script_that_moves_nothing_computes_on_the_cpu_and_of_a_space_that_is_asked() -> None:
    unmoved = SCRIPT.replace('.to("cuda")', "")
    (row,) = compared(unmoved, SCRIPT).differences
    assert (row.path, row.left.value, row.right.value) == ("placement", "cpu", "cuda")
    found = compared(SCRIPT, unmoved)
    assert found.differences == []
    assert [row.path for row in found.unknown] == ["placement"]


def test_the_names_of_several_adapters_make_no_difference() -> None:
    lines = "".join(f'pipe.load_lora_weights("me/{one}", adapter_name="NAME{one}")\n' for one in "ab")
    lines += 'pipe.set_adapters(["NAMEa", "NAMEb"], [0.5, 0.8])\nvideo ='
    ours, theirs = (SCRIPT.replace("video =", lines.replace("NAME", name)) for name in ("x", "y"))
    assert differing(compared(ours, theirs)) == []
    assert differing(compared(ours, theirs.replace("0.8", "0.9"))) == ["lora.xb.scale"]
