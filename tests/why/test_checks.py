"""A patched script is accepted only if the wanted difference is gone and nothing else became other or worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.reading import read_source, read_text
from spacediff.why.checks import Checker
from spacediff.why.differences import compare_sources

SCRIPT = """import torch
from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("THUDM/CogVideoX-5b", torch_dtype=torch.bfloat16).to("cuda")
noise = torch.Generator("cpu").manual_seed(42)
video = pipe("a cat", num_inference_steps=30, guidance_scale=6.0, generator=noise).frames[0]
"""
SPACE = SCRIPT.replace("num_inference_steps=30", "num_inference_steps=50").replace("6.0", "7.0")
PATCHED = SCRIPT.replace("num_inference_steps=30", "num_inference_steps=50")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    main = tmp_path / "run.py"
    main.write_text(SCRIPT)
    script, space = read_source(main), read_text(SPACE, "app.py")
    return Checker(main, script, space, compare_sources(script, space), ask=False)


def test_a_patched_script_without_the_difference_is_accepted(checker: Checker) -> None:
    steps = {"call.num_inference_steps"}
    assert checker.removed_by(PATCHED.encode(), steps) == steps
    both = PATCHED.replace("guidance_scale=6.0", "guidance_scale=7.0")
    assert checker.removed_by(both.encode(), {"call.guidance_scale"}) == {"call.guidance_scale"}, "after the first"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("num_inference_steps=50", "num_inference_steps=40"),
        ('.to("cuda")', ""),
        ("torch_dtype=torch.bfloat16", "torch_dtype=torch.float16"),
        ("torch_dtype=torch.bfloat16", "torch_dtype=torch.bfloat16, guidance_scale=7.0"),
        ("guidance_scale=6.0", "guidance_scale=6.0, guidance=2"),
        ("guidance_scale=6.0", "guidance_scale=6.0, eta=0.5"),
        ("guidance_scale=6.0", "guidance_scale=chosen()"),
        ("manual_seed(42)", "manual_seed(43)"),
        (", generator=noise", ""),
        ("video =", "boost(pipe)\nvideo ="),
        ("video =", "other = pipe('a dog', generator=noise)\nvideo ="),
        ("video = pipe(", "video = print("),
    ],
)
def test_a_patched_script_that_is_worse_is_refused(checker: Checker, old: str, new: str) -> None:
    assert old in PATCHED
    assert checker.removed_by(PATCHED.replace(old, new).encode(), {"call.num_inference_steps"}) is None
