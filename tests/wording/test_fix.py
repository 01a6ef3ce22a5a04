"""The fix as lines of a script."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.record import CauseRecord, Standing, SuspectRecord
from spacediff.wording import fix_code


def fix(*members: tuple[str, Any], unset: str = "") -> list[str]:
    suspects = [SuspectRecord(path=path, start=0, target=value, standing=Standing.CAUSE) for path, value in members]
    if unset:
        suspects.append(SuspectRecord(path=unset, start=0, target=None, standing=Standing.CAUSE))
    other = SuspectRecord(path="call.height", start=1, target=2, standing=Standing.NUMERIC)
    return fix_code(CauseRecord(prompt="p", start="a", target="b", finished=True, suspects=[*suspects, other]))


def test_members_of_one_call_share_its_line() -> None:
    assert fix(
        ("scheduler.class", "CogVideoXDPMScheduler"),
        ("call.use_dynamic_cfg", True),
        ("scheduler.timestep_spacing", "trailing"),
        ("call.guidance_scale", 7.0),
    ) == [
        'pipe.scheduler = CogVideoXDPMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")',
        "pipe(..., use_dynamic_cfg=True, guidance_scale=7.0)",
    ]


def test_only_members_of_the_cause_are_changed() -> None:
    assert fix() == []


@pytest.mark.parametrize(
    ("path", "target", "line"),
    [
        ("scheduler.timestep_spacing", "trailing",
         'pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, timestep_spacing="trailing")'),
        ("placement", "cuda", 'pipe.to("cuda")'),
        ("placement", "model_cpu_offload", "pipe.enable_model_cpu_offload()"),
        ("placement", "group_offload", "# placement = group_offload"),
        ("vae.tiling", True, "pipe.vae.enable_tiling()"),
        ("vae.slicing", False, "pipe.vae.disable_slicing()"),
        ("vae.tile_overlap_factor_height", 0.2, "# vae.tile_overlap_factor_height = 0.2"),
        ("rng.device", "cuda", 'generator = torch.Generator("cuda").manual_seed(seed)'),
        ("model.dtype", "bfloat16", "pipe = Pipeline.from_pretrained(..., torch_dtype=torch.bfloat16)"),
        ("model.revision", "main", 'pipe = Pipeline.from_pretrained(..., revision="main")'),
        ("load.variant", "fp16", 'pipe = Pipeline.from_pretrained(..., variant="fp16")'),
        ("output.fps", 8, "export_to_video(..., fps=8)"),
        ("numerics.attention", "native", "# numerics.attention = native"),
        ("env.diffusers", "0.36.0", "# pip install diffusers==0.36.0"),
        ("env.python", "3.10", "# with Python 3.10"),
        ("env.requirements", "r.txt", "# env.requirements = r.txt"),
        ("env.space", "org/space", "# env.space = org/space"),
    ],
)  # fmt: skip
def test_a_setting_has_its_line(path: str, target: Any, line: str) -> None:
    assert fix((path, target)) == [line]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("call.guidance_scale", "pipe(...)  # without guidance_scale"),
        ("scheduler.class", "# scheduler.class left unset"),
        ("vae.tiling", "# vae.tiling left unset"),
    ],
)
def test_what_the_target_leaves_unset_is_no_argument(path: str, line: str) -> None:
    assert fix(unset=path) == [line]


def test_hostile_names_and_values_are_no_code() -> None:
    lines = fix(
        ("scheduler.class", "X; import os\nos.system('x')"),
        ("call.a=1); evil(", 1),
        ("call.text", 'a"\n"); evil('),
        ("placement", "x\ny"),
    )
    for line in lines:
        assert "\n" not in line
        assert line.startswith("#") or line == "pipe(..., text='a\"\\n\"); evil(')"
    assert sum(line.startswith("#") for line in lines) == 3
