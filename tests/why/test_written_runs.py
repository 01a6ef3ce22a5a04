"""Scripts over tiny checkpoints: what is written of each generates the bytes that the plain script gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spacediff.cli.commands import main
from spacediff.plan import plan_scenario
from spacediff.scenario.scenario import load_scenario
from spacediff.sources.local.generate import LocalSource
from support.listeners import RememberingListener
from support.paths import ROOT
from support.tiny_pipelines import checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # diffusers' pipelines call what diffusers deprecates
]

HEAD = """
import torch
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
import numpy as np
from diffusers import DiffusionPipeline, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from diffusers.utils import load_image
from PIL import Image, ImageOps
"""
TEXT = 'pipe = StableDiffusionPipeline.from_pretrained("MODEL")\npipe.set_progress_bar_config(disable=True)\n'
CALL = """pictures = pipe(
    "a red cone", num_inference_steps=2, height=64, width=64, generator=torch.Generator().manual_seed(3)
).images
pictures[0].save("0.png")
"""
FUSED_TWICE = (
    """for scale in (0.5, 0.25):
    pipe.load_lora_weights("LORA", weight_name="pytorch_lora_weights.safetensors")
    pipe.fuse_lora(lora_scale=scale)
    pipe.unload_lora_weights()
"""
    + CALL
)
FUSED = (
    """pipe.load_lora_weights("LORA", weight_name="pytorch_lora_weights.safetensors", adapter_name="tiny")
pipe.fuse_lora(lora_scale=0.5)
pipe.unload_lora_weights()
"""
    + CALL
)
SEVERAL = """for seed in range(3, 6):
    generator = torch.Generator().manual_seed(seed)
    pictures = pipe(
        "a red cone", num_inference_steps=2, height=64, width=64, num_images_per_prompt=2, generator=generator
    ).images
    if seed == 3:
        for number, picture in enumerate(pictures):
            picture.save(f"{number}.png")
"""
FROM_A_PICTURE = """pipe = StableDiffusionImg2ImgPipeline.from_pretrained("MODEL")
first = PREPARED
pictures = pipe(
    prompt="a red cone", image=first, num_inference_steps=4, strength=0.6, generator=torch.Generator().manual_seed(3)
).images
pictures[0].save("0.png")
"""
SPACE = HEAD + TEXT + CALL.replace("steps=2", "steps=3")


def run(script: str, folder: Path) -> list[np.ndarray]:
    """Run a script as its author does, and return the pictures that it saved."""
    folder.mkdir(exist_ok=True)
    y, x = np.mgrid[0:90, 0:120]
    Image.fromarray(np.stack([x * 2, y * 2, (x * y) % 256], axis=-1).astype(np.uint8)).save(folder / "first.png")
    (folder / "run.py").write_text(script)
    environment = {"PYTHONPATH": str(ROOT / "harness"), "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [np.asarray(Image.open(file)) for file in sorted(folder.glob("[0-9].png"))]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (TEXT + FUSED, ["lora.tiny.fused = true", "lora.tiny.unloaded = true"]),
        (TEXT + FUSED_TWICE, ["lora.default_0-fused.scale = 0.5", "lora.default_0.scale = 0.25"]),
        (TEXT + SEVERAL, ["seed = 3 # the first of the script's 3 seeds 3, 4, 5", "call.num_images_per_prompt = 2"]),
        (
            FROM_A_PICTURE.replace("PREPARED", 'load_image("first.png").resize((64, 96))'),
            ['inputs.image.resize = "stretch"', "inputs.image.size = [64, 96]", 'inputs.image.resample = "bicubic"'],
        ),
        (
            FROM_A_PICTURE.replace(
                "PREPARED",
                'ImageOps.fit(ImageOps.exif_transpose(Image.open("first.png")).convert("RGB").crop((10, 0, 100, 90)), '
                "(96, 64), Image.NEAREST)",
            ),
            ['inputs.image.resize = "cover"', "inputs.image.crop = [10, 0, 100, 90]"],
        ),
    ],
    ids=["fused", "fused twice", "several seeds and pictures", "stretched", "cropped"],
)
def test_the_written_baseline_generates_what_the_script_does(
    lines: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    names = {"MODEL": str(checkpoint("sd-1.5")), "LORA": str(checkpoint("sd-1.5-lora"))}
    script, space = HEAD + lines, SPACE
    for name, folder in names.items():
        script, space = script.replace(name, folder), space.replace(name, folder)
    pictures = run(script, tmp_path / "mine")
    (tmp_path / "app.py").write_text(space)
    written = tmp_path / "why.toml"
    command = ["why", "--script", str(tmp_path / "mine" / "run.py"), "--space", str(tmp_path / "app.py")]
    assert main([*command, "--plan-only", "--write", str(written)]) == 0
    text = written.read_text()
    assert [line for line in expected if line not in text] == [], text
    scenario = load_scenario(written)
    assert [each for each in scenario.approximations if each.of == "script"] == []
    (prompt,) = plan_scenario(scenario).prompts
    clip = (
        LocalSource()
        .generate(
            scenario.settings_of("baseline"), prompt.text, prompt.seed, RememberingListener(), inputs=prompt.inputs
        )
        .clip
    )
    assert np.array_equal(clip.frames, np.stack(pictures))
