"""The trace of a program: written with torch in its own process, read with limits, and compared by step."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacediff import trace
from spacediff.comparing.traces import compare_traces
from spacediff.observer.sketch import sketch
from spacediff.observer.tensors import digest, statistics
from spacediff.progress import SilentListener
from spacediff.record import FactKind, Role, RunRecord, Stage, StepRecord, TraceRecord
from spacediff.settings import Origin
from spacediff.sources.command import run_command
from spacediff.sources.command_trace import read_trace
from spacediff.wording import trace_text
from support.input_files import picture
from support.programs import program

SOURCE = """
import shutil, sys
sys.path = [each for each in sys.path if not each.endswith("harness")]  # as where spacediff is not installed
import torch
from spacediff import trace
out, file = sys.argv[1:]
noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
trace.write(file, noise=noise, settings={"call": {"num_inference_steps": 2}})
for step in (1, 2):
    trace.write(file, step=step, timestep=1000 - 400 * step, latents=noise * step)
shutil.copyfile("given.png", out)
"""


def lines(*found: dict[str, Any]) -> str:
    return "\n".join(json.dumps(each) for each in ({"spacediff_trace": trace.VERSION}, *found))


def test_a_program_writes_what_the_observer_would_have_seen(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "given.png")
    (tmp_path / "kept").mkdir()
    run = program(tmp_path, SOURCE, "{out}", "{trace}", suffix=".png")
    found = run_command(run, tmp_path / "kept", tmp_path / "audit", SilentListener())
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    assert found.trace is not None
    assert found.trace.noise is not None
    assert (found.trace.noise.digest, found.trace.noise.dtype) == (digest(noise), "float32")
    assert [(each.timestep, each.digest) for each in found.trace.steps] == [
        (600.0, digest(noise)),
        (200.0, digest(noise * 2)),
    ]
    last = found.trace.steps[-1]
    assert (last.mean, last.std, last.norm, last.nonfinite) == pytest.approx(statistics(noise * 2))
    assert last.sketch == pytest.approx(list(sketch(noise * 2)))
    assert found.trace.unobserved == ["text", "inputs", "conditions", "decoding"]
    assert found.settings["call.num_inference_steps"].origin is Origin.OBSERVED


def test_arrays_and_tensors_of_any_device_give_one_digest(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float16).reshape(3, 4)
    for step, each in enumerate((values, torch.from_numpy(values)), 1):
        trace.write(tmp_path / "t", step=step, latents=each)
    found, _, notes = read_trace(tmp_path / "t")
    assert found is not None
    assert found.steps[0].digest == found.steps[1].digest == digest(torch.from_numpy(values))
    assert notes == ()


@pytest.mark.parametrize("given", [{"step": 1}, {"latents": np.zeros(3)}, {"step": 0, "latents": np.zeros(3)}])
def test_a_step_needs_a_number_and_latents(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a number from 1 and its latents"):
        trace.write(tmp_path / "t", **given)
    assert not (tmp_path / "t").exists()


STEP = {"number": 1, "timestep": 1.0, "guidance": None, "digest": "a", "mean": 0, "std": 1, "norm": 1, "nonfinite": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("not json", "cannot be read"),
        ('{"spacediff_trace": 9}', "not that of version 1"),
        (lines({"step": {**STEP, "number": 2}}), "step 2 where step 1 is expected"),
        (lines({"step": {**STEP, "norm": "big"}}), "cannot be read"),
        (lines({"step": {**STEP, "more": 1}}), "cannot be read"),
        (lines({"noise": {}}), "cannot be read"),
        (lines({"settings": {"machine": {"torch": "1"}}}), "settings under 'machine'"),
        (lines() + "\n[1]", "cannot be read"),
        (lines({"step": {**STEP, "norm": math.nan}}), "cannot be read"),
        (lines({"step": {**STEP, "norm": "N"}}).replace('"N"', "1e999"), "cannot be read"),
        (lines({"step": {**STEP, "norm": 10**400}}), "cannot be read"),
        (lines({"settings": {"call": {"scale": -math.inf}}}), "cannot be read"),
        (lines({"settings": {"call": {"mode": "\ud800"}}}), "cannot be read"),
        (lines({"scaling": "linear"}), "its scaling is 'linear'"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_trace_is_a_warning_and_nothing_of_it_is_used(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_text(text)
    found, settings, notes = read_trace(tmp_path / "t")
    assert (found, len(settings)) == (None, 0)
    assert said in notes[0]


def test_of_a_private_prompt_a_trace_gives_only_numbers_and_no_reason(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(lines({"settings": {"call": {"prompt": "a lime", "guidance_scale": 6.0}}}))
    _, settings, _ = read_trace(tmp_path / "t", private=True)
    assert dict(settings.table("call")) == {"guidance_scale": 6.0}
    (tmp_path / "t").write_text(lines({"settings": {"a lime": 1}}))
    assert read_trace(tmp_path / "t", private=True)[2] == ("the trace that the program wrote cannot be read",)


def test_numbers_that_are_not_finite_are_left_out_or_refused(tmp_path: Path) -> None:
    trace.write(tmp_path / "t", step=1, timestep=math.inf, guidance=math.nan, latents=np.array([1.0, math.nan]))
    found, _, notes = read_trace(tmp_path / "t")
    assert found is not None
    assert (found.steps[0].timestep, found.steps[0].guidance, found.steps[0].nonfinite, notes) == (None, None, 1, ())
    with pytest.raises(ValueError, match="not JSON compliant"):
        trace.write(tmp_path / "t", settings={"call": {"scale": math.inf}})
    assert read_trace(tmp_path / "t")[2] == ()


IMPORTING = """
import shutil, sys
sys.path = [each for each in sys.path if not each.endswith("harness")]
from spacediff import trace
import spacediff
print(getattr(spacediff, "installed", "the copy"), trace.VERSION)
shutil.copyfile("given.png", sys.argv[-1])
"""


def test_an_installed_spacediff_comes_before_the_copy_of_its_trace(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "given.png")
    (tmp_path / "kept").mkdir()
    installed = tmp_path / "site" / "spacediff"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("installed = 'the installed one'\n")
    (installed / "trace.py").write_text("VERSION = 7\n")
    for source in (IMPORTING.replace("from spa", f"sys.path.append({str(installed.parent)!r})\nfrom spa"), IMPORTING):
        run_command(program(tmp_path, source, "{trace}", "{out}", suffix=".png"), tmp_path / "kept", tmp_path / "audit",
                    SilentListener())  # fmt: skip
        log = (tmp_path / "audit" / "programs" / "p-reference.log").read_text()
        assert log == ("the installed one 7\n" if source is not IMPORTING else f"the copy {trace.VERSION}\n")


def test_a_trace_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    assert "wrote no trace" in read_trace(tmp_path / "t")[2][0]


def run(name: str, **given: Any) -> RunRecord:
    source = "command" if name == "reference" else "diffusers"
    return RunRecord(
        name=name, role=Role.REFERENCE, prompt="p", key=name, source=source, measured=True, trace=TraceRecord(**given)
    )


def step(digest: str, **more: Any) -> StepRecord:
    return StepRecord(**{"timestep": 1.0, "guidance": None, "mean": 0, "std": 1, "norm": 1, "nonfinite": 0,
                         "digest": digest, "sketch": [1.0, 0.0], **more})  # fmt: skip


UNSAID = ["text", "noise", "inputs", "conditions", "decoding"]
SEEN = {"embeddings": ["e"], "inputs": ["i"], "decoded": "d"}


def test_what_a_program_does_not_say_is_neither_equal_nor_different(tmp_path: Path) -> None:
    reference = run("reference", steps=[step("a", timestep=None), step("b")], unobserved=UNSAID)
    ours = step("a", noise="drawn", predictions=2, guidance=6.0), step("x", noise="drawn", predictions=2, guidance=6.0)
    found = compare_traces(reference, run("candidate", steps=list(ours), **SEEN), tmp_path)
    assert found is not None
    assert (found.stage, found.step, found.differing) == (Stage.STEP, 2, [])
    assert trace_text(found).startswith("Identical up to step 1 of 2.")


def test_a_difference_in_the_first_step_may_have_come_before(tmp_path: Path) -> None:
    reference = run("reference", steps=[step("a", guidance=3.0)], unobserved=UNSAID)
    found = compare_traces(reference, run("candidate", steps=[step("x", guidance=6.0)], **SEEN), tmp_path)
    assert found is not None
    assert [each.kind for each in found.differing] == [FactKind.CONDITION_DIFFERS, FactKind.UNOBSERVED_BEFORE]
    assert "the text embeddings and the initial noise, which may differ already" in trace_text(found)


def test_equal_steps_of_an_encoded_reference_are_identical_where_its_pictures_are_reproduced(tmp_path: Path) -> None:
    reference = run("reference", steps=[step("a")], unobserved=UNSAID)
    candidate = run("candidate", steps=[step("a", sketch=[2.0, 0.0])], **SEEN)
    other = compare_traces(reference, candidate, tmp_path)
    same = compare_traces(reference, candidate, tmp_path, equal_once_encoded=True)
    assert other is not None
    assert same is not None
    assert (other.stage, same.stage) == (Stage.UNOBSERVED, Stage.NOWHERE)
    assert "not observed: the text embeddings" in trace_text(same)
    assert same.distances == [None, 0.0]


def test_sketches_estimate_the_distance_where_digests_differ(tmp_path: Path) -> None:
    reference = run("reference", steps=[step("a")], unobserved=UNSAID)
    found = compare_traces(reference, run("candidate", steps=[step("b", sketch=[1.0, 0.5])], **SEEN), tmp_path)
    assert found is not None
    assert found.estimated
    assert math.isclose(found.distances[1] or 0, 0.5)


def test_the_module_needs_nothing_else_of_spacediff() -> None:
    imported = "from spacediff import trace; import sys; print([m for m in sys.modules if m.startswith('spacediff')])"
    said = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True).stdout
    names = {name for name in json.loads(said.replace("'", '"')) if not name.startswith("spacediff.observer")}
    assert names == {"spacediff", "spacediff.trace"}
