"""Parts of a pipeline that are loaded by themselves, and where their weights come from."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import Reading, read_text

HEAD = """import argparse, os, subprocess, torch
from diffusers import *
from transformers import T5EncoderModel, T5Tokenizer
from huggingface_hub import hf_hub_download, snapshot_download
from safetensors.torch import load_file
ID = "org/cog"
p = argparse.ArgumentParser(); p.add_argument("--dtype", default="bfloat16"); p.add_argument("--model", default=ID)
a = p.parse_args()
"""
PIPE = "pipe = CogVideoXPipeline.from_pretrained(ID, torch_dtype=torch.bfloat16)\n"
VAE = {"class": "AutoencoderKLCogVideoX"}
WITH_MOTION = """
motion = MotionAdapter.from_pretrained('org/m')
pipe = AnimateDiffPipeline.from_pretrained(ID, motion_adapter=motion)"""
WITH_CONTROL = """
control = [ControlNetModel.from_pretrained('org/a'), ControlNetModel.from_pretrained('org/b')]
pipe = StableDiffusionControlNetPipeline.from_pretrained(ID, controlnet=control)"""
CALL = "\npipe('a cat', generator=torch.Generator().manual_seed(1))\n"


def read(lines: str) -> Reading:
    return read_text(HEAD + lines + CALL, "run.py")


def loaded(lines: str) -> dict[str, Any]:
    settings = read(lines).settings
    return {path: settings.value(path) for path in settings if path.startswith("load.")}


def with_vae(
    vae: str, pipeline: str = "CogVideoXPipeline.from_pretrained(ID, vae=vae, torch_dtype=torch.bfloat16)"
) -> str:
    return f"vae = AutoencoderKLCogVideoX.from_pretrained({vae})\npipe = {pipeline}"


@pytest.mark.parametrize(
    "lines",
    [
        with_vae("ID, subfolder='vae', torch_dtype=torch.bfloat16"),
        with_vae("'org/cog', subfolder='vae', torch_dtype='bfloat16'"),
        with_vae("ID, subfolder='vae', torch_dtype=torch.float32", "CogVideoXPipeline.from_pretrained(ID, vae=vae)"),
        with_vae("a.model, subfolder='vae'", "CogVideoXPipeline.from_pretrained(a.model, vae=vae)"),
        PIPE + "pipe.vae.to(torch.bfloat16)",
    ],
)
def test_a_part_that_the_pipeline_would_load_alike_is_no_setting(lines: str) -> None:
    assert loaded(lines) == {}


@pytest.mark.parametrize(
    ("lines", "part", "expected"),
    [
        (with_vae("ID, subfolder='vae'"), "vae", {**VAE, "id": "org/cog", "subfolder": "vae"}),
        (with_vae("'org/vae', torch_dtype=torch.bfloat16"), "vae", {**VAE, "id": "org/vae", "dtype": "bfloat16"}),
        (PIPE + "pipe.vae.to(dtype=torch.float32)", "vae", {"dtype": "float32"}),
        (PIPE + "pipe.vae.float()", "vae", {"dtype": "float32"}),
        (PIPE + "pipe.text_encoder.half()", "text_encoder", {"dtype": "float16"}),
        (WITH_MOTION, "motion_adapter", {"class": "MotionAdapter", "id": "org/m"}),
        ("pipe = StableDiffusionPipeline.from_pretrained(ID, safety_checker=None)", "safety_checker", None),
        ("pipe = StableDiffusionPipeline.from_pretrained(ID)\npipe.safety_checker = None", "safety_checker", None),
        (WITH_CONTROL, "controlnet", [{"class": "ControlNetModel", "id": f"org/{name}"} for name in "ab"]),
    ],
)  # fmt: skip
def test_a_part_that_differs_is_a_setting_with_all_that_is_known_of_it(lines: str, part: str, expected: Any) -> None:
    assert loaded(lines) == {f"load.{part}": expected}


def test_the_dtype_of_a_part_follows_the_default_of_an_argument() -> None:
    lines = "kind = torch.float16 if a.dtype == 'float16' else torch.float32\n"
    reading = read(lines + with_vae("'org/vae', torch_dtype=kind"))
    assert reading.settings.value("load.vae")["dtype"] == "float32"
    assert reading.alternatives["load.vae"][1].setting.value["dtype"] == "float16"


def test_a_part_whose_dtype_a_branch_decides_is_listed_with_the_usual_one() -> None:
    kind = "kind = torch.float16 if a.dtype == 'float16' else torch.bfloat16\n"
    vae = with_vae(
        "ID, subfolder='vae', torch_dtype=kind", "CogVideoXPipeline.from_pretrained(ID, vae=vae, torch_dtype=kind)"
    )
    assert loaded(kind + vae)["load.vae"] == {**VAE, "id": "org/cog", "subfolder": "vae", "dtype": "bfloat16"}


def test_a_part_that_something_unknown_creates_is_unknown() -> None:
    reading = read(PIPE + "pipe.transformer = compressed()")
    assert "load.transformer" in reading.unknowns


def test_parts_from_the_subfolders_of_one_folder_name_this_folder() -> None:
    lines = """
pipe = StableDiffusionXLPipeline(
    vae=AutoencoderKL.from_pretrained(f"{a.model}/vae").half(),
    unet=UNet2DConditionModel.from_pretrained(f"{a.model}/unet").half(),
    scheduler=EulerDiscreteScheduler.from_pretrained(f"{a.model}/scheduler"))"""
    reading = read(lines)
    assert reading.settings.value("model.id") == "org/cog"
    assert reading.settings.value("model.dtype") == "float16"
    assert not [path for path in reading.settings if path.startswith("load.")]


def test_parts_of_different_checkpoints_have_no_common_one() -> None:
    lines = """
pipe = StableDiffusionXLPipeline(
    vae=AutoencoderKL.from_pretrained("org/a"), unet=UNet2DConditionModel.from_pretrained("org/b"))"""
    assert "model.id" in read(lines).unknowns


def test_a_model_that_is_constructed_and_filled_is_named_by_its_weights() -> None:
    lines = """
motion = MotionAdapter().to("cuda", torch.float16)
motion.load_state_dict(load_file(hf_hub_download("org/fast", "4step.safetensors")))
pipe = AnimateDiffPipeline.from_pretrained(ID, motion_adapter=motion)"""
    assert loaded(lines)["load.motion_adapter"] == {
        "class": "MotionAdapter",
        "dtype": "float16",
        "weights": "org/fast/4step.safetensors",
    }


def test_a_pipeline_of_parts_has_the_checkpoint_of_most_and_the_dtype_of_all() -> None:
    each = (
        "transformer=CogVideoXTransformer3DModel.from_pretrained('org/mine', torch_dtype={0}),"
        "text_encoder=T5EncoderModel.from_pretrained(ID, subfolder='text_encoder', torch_dtype={0}),"
        "vae=AutoencoderKLCogVideoX.from_pretrained(ID, subfolder='vae', torch_dtype={1}),"
        "tokenizer=T5Tokenizer.from_pretrained(ID, subfolder='tokenizer'),"
        "scheduler=CogVideoXDDIMScheduler.from_pretrained(ID, subfolder='scheduler')"
    )
    alike = read(f"pipe = CogVideoXPipeline({each.format('torch.float16', 'torch.float16')})")
    assert alike.settings.value("model.dtype") == "float16"
    assert alike.settings.value("model.id") == "org/cog"
    assert [path for path in alike.settings if path.startswith("load.")] == ["load.transformer"]
    mixed = read(f"pipe = CogVideoXPipeline({each.format('torch.float16', 'torch.float32')})")
    assert "model.dtype" not in mixed.settings
    assert mixed.settings.value("load.text_encoder")["dtype"] == "float16"


@pytest.mark.parametrize(
    ("download", "source", "expected"),
    [
        ("snapshot_download(repo_id='org/x', local_dir='ckpts')", "'ckpts'", "org/x"),
        ("snapshot_download('org/x', local_dir='./ckpts/x')", "'ckpts/x/'", "org/x"),
        ("folder = snapshot_download('org/x')", "folder", "org/x"),
        ("folder = snapshot_download(a.model, local_dir='ckpts')", "folder", "org/cog"),
        ("subprocess.run(['huggingface-cli', 'download', 'org/x', '--local-dir', 'ckpts'])", "'ckpts'", "org/x"),
        ("os.system('git clone https://huggingface.co/org/x')", "'x'", "org/x"),
        ("", "'ckpts'", "ckpts"),
    ],
)
def test_a_downloaded_folder_stands_for_its_repository(download: str, source: str, expected: str) -> None:
    reading = read(f"{download}\npipe = CogVideoXPipeline.from_pretrained({source})")
    assert reading.settings.value("model.id") == expected


def test_a_folder_inside_a_download_is_a_subfolder_of_its_repository() -> None:
    lines = "snapshot_download('org/x', local_dir='ckpts')\n" + with_vae("os.path.join('ckpts', 'vae')")
    assert loaded(lines) == {"load.vae": {"class": "AutoencoderKLCogVideoX", "id": "org/x", "subfolder": "vae"}}


def test_a_single_file_is_named_with_its_repository() -> None:
    lines = "pipe = CogVideoXPipeline.from_single_file(hf_hub_download('org/x', 'a.safetensors'))"
    assert read(lines).settings.value("model.id") == "org/x/a.safetensors"


@pytest.mark.parametrize(
    "weights",
    [
        "load_file(hf_hub_download('org/fast', 'fast.safetensors'), device='cuda')",
        "torch.load(hf_hub_download(repo_id='org/fast', filename='fast.safetensors'), map_location='cpu')",
    ],
)
def test_replaced_weights_are_named_by_their_file(weights: str) -> None:
    reading = read(PIPE + f"missing = pipe.transformer.load_state_dict({weights}, strict=False)")
    assert reading.settings.value("load.transformer") == {"weights": "org/fast/fast.safetensors"}
    assert [note.kind for note in reading.notes] == ["weights replaced"]


def test_replaced_weights_from_an_unknown_source_are_unknown() -> None:
    assert "load.transformer" in read(PIPE + "pipe.transformer.load_state_dict(averaged())").unknowns
