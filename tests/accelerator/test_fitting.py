"""What was measured on tensors without data, compared with a device that counts its memory."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from spacediff.fitting.activations import Activations, Call, measure
from spacediff.tiny.checkpoint import RANDOM, ensure_checkpoint
from support.standin import StandIn

SIZES = {"num_frames": 9, "height": 64, "width": 96}


@pytest.mark.slow
def test_the_measured_need_is_what_a_device_counts(standin: StandIn) -> None:
    folder = ensure_checkpoint(RANDOM)
    (found,) = measure(folder, [Call(SIZES, {}, fused=False)], dtype="bfloat16", device=None).calls
    assert isinstance(found, Activations)
    code = f"""
        import json
        from spacediff.torchvision_shim import shim_torchvision

        shim_torchvision()
        import torch
        from diffusers import DiffusionPipeline

        pipeline = DiffusionPipeline.from_pretrained({str(folder)!r}, dtype=torch.bfloat16).to("npu")
        pipeline.set_progress_bar_config(disable=True)
        weights = torch.npu.memory_allocated()
        peaks = {{}}
        vae = pipeline.vae
        for name, model, method in (("transformer", pipeline.transformer, "forward"), ("vae", vae, "decode")):
            def counted(*args, name=name, original=getattr(model, method), **kwargs):
                torch.npu.reset_peak_memory_stats()
                try:
                    return original(*args, **kwargs)
                finally:
                    peaks[name] = torch.npu.max_memory_allocated() - weights
            setattr(model, method, counted)
        with torch.no_grad():
            pipeline("a prompt", num_inference_steps=2, output_type="pt", **{SIZES!r})
        print(json.dumps(peaks))
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, env=standin.environment(), check=True, text=True, stdout=subprocess.PIPE)
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["vae"] == pytest.approx(found.peaks["vae"], rel=0.1)
    assert counted["transformer"] == pytest.approx(found.peaks["transformer"], rel=0.2)
