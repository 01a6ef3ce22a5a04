"""Cases that were once answered wrongly: a rounding difference called a cause, and other seeds numeric drift."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.audit import audit
from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.record import AuditRecord, CauseRecord, GateStatus, Standing, Verdict
from spacediff.scenario.scenario import parse_scenario
from spacediff.wording import fix_code
from support.in_process import InProcess
from support.tiny_pipelines.libraries import diffusers
from support.tiny_pipelines.parts import made, t5, with_contrast

pytestmark = pytest.mark.slow

OBJECTS = """
[prompts.p]
text = "a blue cone and a green box meet over a brown floor"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox", dtype = "float32" }
call = { num_inference_steps = STEPS, guidance_scale = 6.0 }
placement = "cpu"
output.fps = 8
[explain]
from = "baseline"
to = "target"
[reference]
variant = "target"
"""

MATERIAL = """
title = "a guidance scale that is seen, an attention kernel that is not, and a placement"
[variants.guidance]
call.guidance_scale = 12.0
[variants.math]
numerics.attention = "math"
[variants.target]
from = ["guidance", "math"]
placement = "model_cpu_offload"
"""

RANKED = """
title = "a small step of guidance among variants that only round otherwise"
[variants.math]
numerics.attention = "math"
[variants.flash]
numerics.attention = "flash"
[variants.threads]
numerics.threads = 2
[variants.slicing]
vae.slicing = true
[variants.tiling]
vae.tiling = true
[variants.guidance]
call.guidance_scale = 7.0
[variants.target]
from = ["guidance", "math"]
[gate]
variant = "guidance"
"""

SEEDS = """
title = "seeds of a random checkpoint, whose noise no codec keeps"
[prompts.p]
text = "a red cone and a green box meet"
seed = 42
[baseline]
model = { id = "CHECKPOINT", dtype = "float32" }
placement = "cpu"
output.fps = 8
[baseline.call]
num_inference_steps = 4
height = 64
width = 64
num_frames = 9
guidance_scale = 4.0
max_sequence_length = 32
[variants.guidance]
call.guidance_scale = 9.0
[variants.shift]
scheduler.flow_shift = 8.0
[variants.as-hosted]
from = ["guidance"]
placement = "model_cpu_offload"
call.negative_prompt = "blurry, ugly"
[reference]
variant = "as-hosted"
[explain]
from = "baseline"
to = "as-hosted"
[steps]
alone = ["guidance"]
"""


def audited(text: str, folder: Path) -> AuditRecord:
    plan = plan_scenario(parse_scenario(text, folder / "s.toml"))
    return audit(plan, folder / "audit", SilentListener(), InProcess({"device": "cpu"}))


def cause_of(record: AuditRecord) -> CauseRecord:
    assert record.cause is not None
    assert record.cause.finished
    return record.cause


def test_an_attention_kernel_that_nobody_can_see_is_no_part_of_the_cause(tmp_path: Path) -> None:
    record = audited(MATERIAL + OBJECTS.replace("STEPS", "8"), tmp_path)
    cause = cause_of(record)
    assert cause.cause == ["call.guidance_scale"]
    assert cause.standing(Standing.NUMERIC) == ["numerics.attention"]
    assert cause.standing(Standing.NO_EFFECT) == ["placement"]
    assert cause.members[0].weight is not None
    assert fix_code(cause) == ["pipe(..., guidance_scale=12.0)"]


def test_rounding_variants_keep_their_place_and_the_gate_passes_the_one_with_the_cause(tmp_path: Path) -> None:
    record = audited(RANKED + OBJECTS.replace("STEPS", "20"), tmp_path)
    cause = cause_of(record)
    assert cause.cause == ["call.guidance_scale"]
    assert cause.standing(Standing.NUMERIC) == ["numerics.attention"]
    assert cause.members[0].weight is not None
    assert fix_code(cause) == ["pipe(..., guidance_scale=7.0)"]
    verdicts = {each.candidate: each.verdict for each in record.comparisons}
    assert verdicts["guidance"] is Verdict.NUMERIC_DRIFT
    assert verdicts["math"] is Verdict.SETTINGS_DIFFER
    assert record.gate.status is GateStatus.PASSED, record.gate.reasons


@pytest.fixture(scope="module")
def random_wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wan 2.2 in small and random, with the autoencoder of its 5B model and latents that are not scaled."""
    vae = made(
        diffusers.AutoencoderKLWan, base_dim=3, z_dim=48, in_channels=12, out_channels=12, is_residual=True,
        patch_size=2, latents_mean=[0.0] * 48, latents_std=[1.0] * 48, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        scale_factor_spatial=16, scale_factor_temporal=4, temperal_downsample=[False, True, True],
    )  # fmt: skip
    denoiser = made(
        diffusers.WanTransformer3DModel, gain=1.5, patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12,
        in_channels=48, out_channels=48, text_dim=32, freq_dim=256, ffn_dim=32, num_layers=2, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )  # fmt: skip
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    vae = with_contrast(vae, 1, 48, 3, 4, 4)
    pipeline = diffusers.WanPipeline(
        **t5(), vae=vae, transformer=denoiser, scheduler=scheduler, boundary_ratio=None, expand_timesteps=True
    )
    folder = tmp_path_factory.mktemp("checkpoint") / "wan-2.2-5b"
    pipeline.save_pretrained(folder)
    return folder


def test_another_seed_is_another_sample_before_any_codec_is_asked(random_wan: Path, tmp_path: Path) -> None:
    record = audited(SEEDS.replace("CHECKPOINT", str(random_wan)), tmp_path)
    of_seeds = {each.candidate: each for each in record.comparisons if each.candidate.startswith("seed-")}
    assert len(of_seeds) == 3
    assert {each.verdict for each in of_seeds.values()} == {Verdict.DIFFERENT_SAMPLE}
    assert all(control.passed for control in record.controls)
    assert cause_of(record).cause
