"""`torch.compile` of the denoiser: as in a plain script, watched, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Origin, Settings
from spacediff.sources import Produced
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.numerics.compilation import compilation
from support.listeners import RememberingListener
from support.paths import ROOT
from support.tiny_wan import CALL, PROMPT, frames_of, load_wan

EAGER = {"backend": "eager"}
"""Traces the model and computes with torch's own operations: quick, and no compiler is needed."""

COMPILER = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


@pytest.fixture(scope="module")
def source() -> LocalSource:
    return LocalSource()


def declared(**tables: Any) -> Settings:
    return Settings.of({"placement": "cpu", "call": CALL, **tables}, Origin.DECLARED)


def generate(source: LocalSource, model: Path, how: Any) -> Produced:
    tables = declared(model={"id": str(model)}, **({"numerics": {"compile": how}} if how else {}))
    return source.generate(tables, PROMPT, 42, RememberingListener())


@pytest.fixture
def compiled_frames() -> Callable[[], int]:
    """Return how many frames of Python code torch has compiled since the test began."""
    from torch._dynamo.utils import counters

    counters.clear()
    return lambda: counters["frames"]["ok"]


def test_a_compiled_denoiser_is_watched(
    source: LocalSource, wan_checkpoint: Path, compiled_frames: Callable[[], int]
) -> None:
    default = generate(source, wan_checkpoint, None)
    assert compiled_frames() == 0
    compiled = generate(source, wan_checkpoint, EAGER)
    assert compiled_frames() > 0, "the eager backend computes as torch does, so the frames cannot show that it ran"
    assert compiled.trace is not None
    assert len(compiled.trace.steps) == CALL["num_inference_steps"]
    assert np.array_equal(compiled.clip.frames, default.clip.frames)
    assert compiled.settings["numerics.compile.backend"].value == "eager"
    assert default.settings["numerics.compile"].value is False


def test_what_was_compiled_is_discarded_after_the_run() -> None:
    seen: list[Any] = []

    def backend(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Any:
        seen.append(graph)
        return graph.forward

    model = torch.nn.Linear(2, 2)
    for _ in range(3):
        with compilation(declared(numerics={"compile": EAGER})):
            torch.compile(model, backend=backend)(torch.zeros(1, 2))
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({**EAGER, "components": ["transfomer"]}, "has no denoiser of this name; did you mean 'transformer'?"),
        ({**EAGER, "components": ["vae"]}, "numerics.compile cannot be used for 'vae'"),
        ({"backend": "nothing"}, "numerics.compile cannot be used for transformer: "),
    ],
)
def test_what_cannot_be_compiled_is_refused(source: LocalSource, wan_checkpoint: Path, how: Any, message: str) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        generate(source, wan_checkpoint, how)
    assert message in caught.value.message


def test_a_machine_without_a_compiler_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import cpp_builder

    def none() -> str:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", none)
    with pytest.raises(UnsupportedSetting, match="torch finds no C\\+\\+ compiler"):
        compilation(declared(numerics={"compile": True})).__enter__()


SCRIPT = """
import sys, numpy as np, torch
from pathlib import Path
from support.tiny_wan import frames_of, load_wan
pipe = load_wan(Path(sys.argv[1]))
pipe.transformer = torch.compile(pipe.transformer)
np.save(sys.argv[2], frames_of(pipe))
"""


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler imports what torch deprecates
def test_the_clip_is_that_of_a_script_that_compiles(source: LocalSource, wan_checkpoint: Path, tmp_path: Path) -> None:
    path = os.pathsep.join((str(ROOT / "tests"), str(ROOT / "harness")))
    command = [sys.executable, "-c", SCRIPT, str(wan_checkpoint), str(tmp_path / "frames.npy")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})
    ours = generate(source, wan_checkpoint, how=True)
    assert np.array_equal(ours.clip.frames, np.load(tmp_path / "frames.npy"))
    default = generate(source, wan_checkpoint, None)
    assert ours.trace is not None
    assert default.trace is not None
    assert ours.trace.steps[0].digest != default.trace.steps[0].digest, "else this proves nothing"
    assert np.array_equal(default.clip.frames, frames_of(load_wan(wan_checkpoint)))
