"""How a script computes, changed and seen in its process: attention, compilation, the dtype of the VAE, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit

from spacediff.errors import UnsupportedSetting
from spacediff.plan import plan_scenario
from spacediff.progress import SilentListener
from spacediff.run import Run
from spacediff.scenario.scenario import load_scenario
from spacediff.sources import Produced
from spacediff.sources.script import run_script
from spacediff.sources.script_look import refuse_beforehand
from support.script_styles import STYLES
from support.tiny_pipelines import checkpoint

pytestmark = pytest.mark.slow

SHIM = "from spacediff.torchvision_shim import shim_torchvision\nshim_torchvision()\n"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "math": {"numerics": {"attention": "math"}},
    "backend": {"numerics": {"attention": "_native_math"}},
    "compiled": {"numerics": {"compile": {"backend": "eager"}}},
    "half-vae": {"vae": {"dtype": "bfloat16"}},
    "safe": {"load": {"use_safetensors": True}},
    "no-such-backend": {"numerics": {"attention": "diffusers:own"}},
    "no-such-part": {"numerics": {"compile": {"components": ["prior"]}}},
    "revision": {"model": {"revision": "v2"}},
    "unseen": {"load": {"low_cpu_mem_usage": True}},
}


@dataclass(frozen=True)
class Script:
    """A script whose baseline has been run.

    Attributes:
        folder: Its folder, with what the call of the baseline offers.
        runs: The runs of its scenario by name.
        frames: Those of the baseline.
    """

    folder: Path
    runs: Mapping[str, Run]
    frames: Any

    def run(self, name: str) -> Produced:
        return run_script(self.runs[name], self.folder, SilentListener())


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    place = tmp_path_factory.mktemp("numerics")
    (place / "checkpoints").mkdir()
    (place / "checkpoints" / "wan-2.1").symlink_to(checkpoint("wan-2.1"))
    style = STYLES["wan"]
    text = SHIM + style.written(place / "checkpoints").replace("from kept import keep", "keep = print")
    (place / "run.py").write_text(text)
    tables = {
        "title": "numerics",
        "prompts": {"p": {"seed": style.seed, "text": style.prompt}},
        "baseline": {"script": "run.py"},
        "variants": VARIANTS,
        "reference": {"variant": "baseline"},
    }
    (place / "s.toml").write_text(tomlkit.dumps(tables))
    runs = {run.name: run for run in plan_scenario(load_scenario(place / "s.toml")).runs}
    return Script(place, runs, run_script(runs["baseline"], place, SilentListener()).clip.frames)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("math", "numerics.attention", "math"),
        ("backend", "numerics.attention", "_native_math"),
        ("compiled", "numerics.compile.backend", "eager"),
        ("half-vae", "vae.dtype", "bfloat16"),
        ("safe", "load.use_safetensors", True),
    ],
)
def test_what_the_process_shows_is_in_force(name: str, path: str, value: Any, script: Script) -> None:
    refuse_beforehand(script.runs[name], script.folder)
    found = script.run(name)
    assert found.settings.value(path) == value
    if path != "numerics.attention":  # its kernels may round alike on this processor
        assert np.array_equal(found.clip.frames, script.frames) == (name != "half-vae")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-such-backend", "has no attention backend own"),
        ("no-such-part", "WanPipeline has no denoiser prior"),
        ("revision", "the script loads a folder, which has no revisions"),
        ("unseen", "the loaded pipeline would not show whether it acts"),
    ],
)
def test_what_has_no_place_is_refused_by_a_look_at_the_baseline(name: str, said: str, script: Script) -> None:
    with pytest.raises(UnsupportedSetting, match=rf"\(s\.toml:\d+\) cannot be put into run\.py: .*{said}"):
        refuse_beforehand(script.runs[name], script.folder)
