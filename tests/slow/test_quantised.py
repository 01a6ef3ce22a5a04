"""Quantised components, with real backends that need no accelerator, give the frames of a plain script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BACKENDS = ("optimum-quanto==0.2.7", "torchao==0.18.0")

PROGRAM = """
import sys
import numpy as np
import torch
from spacediff.torchvision_shim import shim_torchvision
shim_torchvision()
from diffusers import CogVideoXPipeline, CogVideoXTransformer3DModel, {kind}
from spacediff.progress import SilentListener
from spacediff.settings import Origin, Settings
from spacediff.sources.local.generate import LocalSource

checkpoint, call = sys.argv[1], dict(num_inference_steps=2, num_frames=5)

def plain():
    {imported}
    part = CogVideoXTransformer3DModel.from_pretrained(
        checkpoint, subfolder="transformer", quantization_config={kind}({argument}), dtype=torch.float32)
    pipe = CogVideoXPipeline.from_pretrained(checkpoint, transformer=part, dtype=torch.float32)
    made = pipe("a lemon", generator=torch.Generator().manual_seed(42), output_type="np", **call)
    return np.rint(made.frames[0].clip(0, 1) * 255).astype(np.uint8)

def ours(quantization):
    settings = dict(model=dict(id=checkpoint, dtype="float32"), placement="cpu", call=call)
    settings |= dict(components=dict(transformer=dict(quantization=quantization))) if quantization else dict()
    declared = Settings.of(settings, Origin.DECLARED)
    return source.generate(declared, "a lemon", 42, SilentListener()).clip.frames

source = LocalSource()
quantised = ours({said})
print("first", np.array_equal(quantised, plain()))
print("plain weights", np.array_equal(quantised, ours(None)))
print("again", np.array_equal(quantised, ours({said})))
"""
QUANTO = {
    "kind": "QuantoConfig",
    "imported": "pass",
    "argument": "weights_dtype='int8'",
    "said": {"backend": "quanto", "weights_dtype": "int8"},
}
TORCHAO = {
    "kind": "TorchAoConfig",
    "imported": "from torchao.quantization import Int8WeightOnlyConfig",
    "argument": "Int8WeightOnlyConfig(version=2)",
    "said": {"backend": "torchao", "quant_type": {"class": "Int8WeightOnlyConfig", "version": 2}},
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the backends; skip without a registry."""
    folder = tmp_path_factory.mktemp("backends")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--retries", "1", "--target", str(folder)]
    try:
        done = subprocess.run([*pip, *BACKENDS], capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the backends cannot be installed within five minutes")
    if done.returncode:
        pytest.skip(f"the backends cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.mark.parametrize("how", [QUANTO, TORCHAO], ids=["quanto", "torchao"])
def test_a_quantised_denoiser_gives_the_frames_of_a_plain_script(how: dict[str, object], packages: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "harness"), str(packages)])}
    program = [sys.executable, "-c", PROGRAM.format(**how), str(ensure_checkpoint(RANDOM))]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith(("first", "plain weights", "again"))]
    assert said == ["first True", "plain weights False", "again True"]
