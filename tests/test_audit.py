"""Whole audits by the real command: a real Gradio server, the tiny checkpoint, real files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from spacediff.cli.commands import main
from spacediff.clip import read_clip
from spacediff.comparing.verdict import Scale
from spacediff.metrics import METRICS
from spacediff.record import (
    SCHEMA_VERSION,
    AuditRecord,
    GateStatus,
    Role,
    RunRecord,
    Stage,
    Standing,
    Verdict,
    read_record,
)
from spacediff.reporting.view import prompt_view
from spacediff.shipped import shipped
from support.fresh_process import FreshProcess
from support.quickstart import Finished

SCENARIO = """
title = "Small"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 3, num_frames = 5 }
placement = "cpu"
[variants.guidance-7]
call.guidance_scale = 7.0
[variants.on-gpu]
placement = "sequential_cpu_offload"
[variants.as-hosted]
from = "guidance-7"
[reference]
variant = "guidance-7"
[scale]
seeds = 1
[gate]
variant = "as-hosted"
"""


class Audit(Protocol):
    """Runs `spacediff audit` in this process; returns its exit code, standard output and standard error."""

    def __call__(self, scenario: Path, folder: Path, *arguments: str) -> tuple[int, str, str]: ...


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    def run(scenario: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
        code = main(["audit", str(scenario), "--out", str(folder), *arguments])
        printed = capsys.readouterr()
        return code, " ".join(printed.out.split()), printed.err

    return run


def written(folder: Path, text: str = SCENARIO) -> Path:
    (folder / "small.toml").write_text(text)
    return folder / "small.toml"


def digests(record: AuditRecord) -> dict[str, str | None]:
    return {run.name: run.clip.digest if run.clip else None for run in record.runs}


def the(record: AuditRecord, name: str) -> RunRecord:
    return next(run for run in record.runs if run.name == name)


def test_quickstart_passes_its_gate_and_names_its_report(quickstart: Finished) -> None:
    assert quickstart.code == 0, quickstart.stdout + quickstart.stderr
    assert quickstart.record.gate.status is GateStatus.PASSED
    assert f"report: {quickstart.folder / 'report.html'}" in quickstart.stdout.replace("\n", "")
    assert (quickstart.folder / "report.html").stat().st_size > 50_000
    assert not any(run.failed for run in quickstart.record.runs)
    assert quickstart.record.environment.hosted["device"] == "cpu", "as as-hosted, whatever this machine has"


def test_quickstart_finds_settings_without_an_effect(quickstart: Finished) -> None:
    found = digests(quickstart.record)
    assert found["resident"] == found["baseline"]
    assert found["dynamic-cfg-at-load"] == found["baseline"]
    assert found["rerun"] == found["baseline"]
    (ignored,) = the(quickstart.record, "dynamic-cfg-at-load").ignored
    assert ignored.argument == "load.use_dynamic_cfg"
    assert "accepted by CogVideoXPipeline.from_pretrained but ignored" in quickstart.stdout.replace("\n", " ")


def test_quickstart_finds_what_changes_the_clip(quickstart: Finished) -> None:
    found = digests(quickstart.record)
    changed = ["baseline", "dynamic-cfg", "guidance-7", "dpm", "dpm-linspace", "noise-of-older-torch", "as-hosted"]
    assert len({found[name] for name in changed}) == len(changed)


def test_quickstart_finds_the_cause_and_proves_it(quickstart: Finished) -> None:
    cause = quickstart.record.cause
    assert cause
    assert cause.finished
    assert set(cause.cause) == {"scheduler.class", "call.guidance_scale", "call.use_dynamic_cfg"}
    without_effect = {suspect.path for suspect in cause.suspects if suspect.standing is Standing.NO_EFFECT}
    assert without_effect == {"placement", "scheduler.timestep_spacing"}
    verdicts = {comparison.candidate: comparison.verdict for comparison in quickstart.record.comparisons}
    assert verdicts[cause.proof] is Verdict.CODEC_ONLY
    assert verdicts[cause.counter_proof] not in {Verdict.CODEC_ONLY, Verdict.IDENTICAL}
    assert cause.counter_reproduced is False
    drifts = {comparison.candidate: comparison.drift for comparison in quickstart.record.comparisons}
    weights = [suspect.weight for suspect in cause.suspects if suspect.weight is not None]
    assert sum(weights) == pytest.approx(drifts["baseline"]), "the members share out all of the drift"
    assert all(suspect.left_out for suspect in cause.suspects if suspect.standing is Standing.CAUSE)
    assert "differs from the Space because of three settings: " in quickstart.stdout


def test_quickstart_reproduces_the_hosted_clip_up_to_the_codec(quickstart: Finished) -> None:
    compared = {c.candidate: c for c in quickstart.record.comparisons}
    assert compared["as-hosted"].verdict is Verdict.CODEC_ONLY
    assert compared["as-hosted"].drift is not None
    assert compared["as-hosted"].drift < 0.02
    as_hosted, reference = the(quickstart.record, "as-hosted").clip, the(quickstart.record, "reference").clip
    assert as_hosted is not None
    assert reference is not None
    assert as_hosted.delivered is not None
    assert reference.original is not None
    ours, hosted = (read_clip(quickstart.folder / file) for file in (as_hosted.delivered, reference.original))
    assert np.array_equal(ours.frames, hosted.frames)
    assert not np.array_equal(read_clip(quickstart.folder / as_hosted.lossless).frames, hosted.frames)
    for name in ("baseline", "resident", "dynamic-cfg", "guidance-7", "dpm", "dpm-linspace", "noise-of-older-torch"):
        drift = compared[name].drift
        assert drift is not None
        assert drift > 0.2, name


def test_each_seed_of_the_quickstart_is_near_the_ceiling_of_the_other_seeds(quickstart: Finished) -> None:
    seeds = [c for c in quickstart.record.comparisons if the(quickstart.record, c.candidate).role is Role.SEED]
    assert len(seeds) == 3
    for held_out in seeds:
        drifts = []
        for metric in METRICS:
            floor = held_out.metrics[metric.name].floor
            assert floor is not None
            others = (metric.error(c.metrics[metric.name].pooled) for c in seeds if c is not held_out)
            scale = Scale(metric.error(floor), tuple(others))
            drifts.append(scale.drift(metric.error(held_out.metrics[metric.name].pooled)))
        drift = max(drift for drift in drifts if drift is not None)
        assert 0.5 < drift < 2, held_out.candidate


def test_the_audit_folder_contains_no_names(quickstart: Finished) -> None:
    texts = [path.read_text("utf-8") for path in quickstart.folder.rglob("*") if path.suffix in {".json", ".html"}]
    assert len(texts) > 10
    home = str(Path.home())
    assert not any(home + os.sep in text for text in texts)
    assert not any(re.search(r"127\.0\.0\.1:\d+", text) for text in texts), "a port differs from audit to audit"


def test_a_report_is_written_again_without_the_heavy_libraries(quickstart: Finished, tmp_path: Path) -> None:
    before = (quickstart.folder / "report.html").read_bytes()
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "diffusers", "transformers", "gradio", "gradio_client", "lpips"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from spacediff.cli.commands import main
sys.exit(main(["report", {str(quickstart.folder)!r}]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert (quickstart.folder / "report.html").read_bytes() == before


def test_a_second_audit_generates_nothing_and_finds_the_same(audit: Audit, tmp_path: Path) -> None:
    scenario = written(tmp_path)
    code, _, _ = audit(scenario, tmp_path / "out")
    assert code == 0
    before = read_record(tmp_path / "out")
    _, _, said = audit(scenario, tmp_path / "out")
    after = read_record(tmp_path / "out")
    assert said.count("taken from the store") == len([run for run in before.runs if run.measured])
    assert after.comparisons == before.comparisons
    _, _, said = audit(scenario, tmp_path / "out", "--fresh", "--only", "guidance-7")
    assert "taken from the store" not in said
    assert "on-gpu" not in digests(read_record(tmp_path / "out"))


def test_equal_settings_under_two_names_are_one_run(audit: Audit, tmp_path: Path) -> None:
    audit(written(tmp_path), tmp_path / "out", "--only", "as-hosted")
    record = read_record(tmp_path / "out")
    assert the(record, "as-hosted").key == the(record, "guidance-7").key
    assert {run.name for run in record.runs} == {"baseline", "as-hosted", "guidance-7", "rerun", "seed-43"}
    assert len(list((tmp_path / "out" / "runs").iterdir())) == len(record.runs) - 1
    view = prompt_view(record, record.prompts[0])
    assert view.reference is not None
    assert view.reference.name == "guidance-7", "a variant may be the reference"
    assert all(row.comparison is not None for row in view.rows)


def test_a_run_that_this_machine_cannot_do_is_shown_and_fails_strict(audit: Audit, tmp_path: Path) -> None:
    code, printed, _ = audit(written(tmp_path), tmp_path / "out", "--strict")
    record = read_record(tmp_path / "out")
    if the(record, "on-gpu").measured:
        pytest.skip("sequential offload runs here")
    assert code == 3
    assert record.gate.status is GateStatus.PASSED
    assert "not measured: on-gpu (lemon)" in printed
    comparison = next(c for c in record.comparisons if c.candidate == "on-gpu")
    assert comparison.verdict is Verdict.NOT_MEASURED


def test_a_failed_gate_is_exit_code_1(audit: Audit, tmp_path: Path) -> None:
    text = SCENARIO.replace('[gate]\nvariant = "as-hosted"', '[gate]\nvariant = "baseline"\nmax_drift = 0.0001')
    code, printed, _ = audit(written(tmp_path, text), tmp_path / "out", "--only", "guidance-7")
    assert code == 1
    assert "Gate failed (baseline)" in printed


def test_an_unreachable_space_is_exit_code_3(audit: Audit, tmp_path: Path) -> None:
    text = SCENARIO.replace(
        '[reference]\nvariant = "guidance-7"',
        '[reference.space]\nid = "http://127.0.0.1:9"\nendpoint = "/generate"\ninputs = { prompt = "{prompt}" }',
    )
    stop = "--stop-without-reference"
    code, printed, _ = audit(written(tmp_path, text), tmp_path / "out", "--only", "as-hosted", stop)
    assert code == 3
    assert "not measured: reference" in printed
    assert not the(read_record(tmp_path / "out"), "baseline").measured
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_broken_reference_video_is_exit_code_3(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    text = SCENARIO.replace('[reference]\nvariant = "guidance-7"', '[reference.video]\nfile = "broken.mp4"')
    code, printed, _ = audit(written(tmp_path, text), tmp_path / "out", "--only", "as-hosted")
    assert code == 3
    assert "broken.mp4 cannot be opened as a video" in printed


def test_the_large_scenario_reports_what_this_machine_lacks(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine may run it")
    offline = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    scenario = shipped("scenarios") / "cogvideox-5b-space.toml"
    command = [sys.executable, "-m", "spacediff", "audit", str(scenario), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=offline)
    assert done.returncode == 3, done.stdout + done.stderr
    printed = " ".join(done.stdout.split())
    assert "'model_cpu_offload:0' cannot be used: this machine has no accelerator" in printed
    assert "not measured: reference (lemon): Space zai-org/CogVideoX-5B-Space" in printed
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_interrupted_audit_continues_where_it_stopped(
    audit: Audit, tmp_path: Path, sign: signal.Signals, code: int
) -> None:
    scenario = written(tmp_path, SCENARIO.replace("num_inference_steps = 3", "num_inference_steps = 10"))
    folder = tmp_path / "out"
    process = FreshProcess("audit", scenario, "--out", folder)
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/[!.]*/files.json")):
        assert time.monotonic() < deadline
        assert process.returncode is None, process.ended()
        time.sleep(0.02)
    process.send_signal(sign)
    done = process.ended(timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if sign is signal.SIGINT:
        record = read_record(folder)
        assert not record.finished
        assert record.gate.status is GateStatus.NOT_MEASURED
        assert "run the same command again to continue" in done.stdout
    kept = {path.parent.name for path in folder.glob("runs/[!.]*/files.json")}
    made = {name: (folder / "runs" / name / "clip.mkv").stat().st_mtime_ns for name in kept}
    again, _, said = audit(scenario, folder)
    assert again == 0
    assert "guidance-7: taken from the store" in said
    assert {name: (folder / "runs" / name / "clip.mkv").stat().st_mtime_ns for name in kept} == made
    assert read_record(folder).finished
    assert json.loads((folder / "audit.json").read_text())["schema_version"] == SCHEMA_VERSION
    assert list(folder.glob("runs/.*")) == []


FRAMES = {"digest", "delivered_digest"}
SHARING = (
    SCENARIO.split("[variants.on-gpu]", maxsplit=1)[0]
    + """
[variants.sliced]
vae.slicing = true
[variants.truncated]
output.rounding = "truncate"
[variants.dpm]
scheduler.class = "CogVideoXDPMScheduler"
[reference]
variant = "baseline"
[scale]
seeds = 1
[steps]
alone = ["guidance-7"]
"""
)


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> AuditRecord:
    folder = tmp_path_factory.mktemp("sharing")
    assert main(["audit", str(written(folder, SHARING)), "--out", str(folder / "out")]) == 0
    return read_record(folder / "out")


def test_shared_results_are_computed_once_and_give_the_same_bytes(
    tmp_path: Path, audit: Audit, sharing: AuditRecord
) -> None:
    code, _, _ = audit(written(tmp_path, SHARING), tmp_path / "recomputed", "--no-reuse")
    assert code == 0
    shared, recomputed = (
        {run.name: run for run in record.runs} for record in (sharing, read_record(tmp_path / "recomputed"))
    )
    for name, run in shared.items():
        other = recomputed[name]
        assert run.clip
        assert other.clip
        assert run.clip.model_dump(include=FRAMES) == other.clip.model_dump(include=FRAMES)
        assert run.trace
        assert other.trace
        assert run.trace.steps == other.trace.steps
        assert run.trace.decoded == other.trace.decoded
    taken = {name: run.trace.shared for name, run in shared.items() if run.trace}
    assert taken == {
        "baseline": [],
        "guidance-7": ["text embeddings"],
        "sliced": ["text embeddings", "latents"],
        "truncated": ["text embeddings", "latents"],
        "dpm": ["text embeddings"],
        "rerun": [],
        "seed-43": ["text embeddings"],
        "guidance-7-alone": [],
    }
    assert not any(run.trace.shared for run in recomputed.values() if run.trace)


def test_the_record_has_the_first_divergence_and_the_error_of_each_step(sharing: AuditRecord) -> None:
    record = sharing
    assert {trace.candidate: (trace.stage, trace.step) for trace in record.traces} == {
        "guidance-7": (Stage.STEP, 1),
        "sliced": (Stage.NOWHERE, None),
        "truncated": (Stage.ENCODING, None),
        "dpm": (Stage.STEP, 1),
        "rerun": (Stage.NOWHERE, None),
        "seed-43": (Stage.NOISE, None),
    }
    alone = record.run("lemon", "guidance-7-alone")
    assert alone.role is Role.STEPS
    assert alone.trace
    assert len(alone.trace.own_errors) == 3
    assert alone.trace.own_errors[0] == pytest.approx(record.traces[0].distances[1], rel=1e-2), (
        "step 1 inherits nothing"
    )
    assert "guidance-7-alone" not in {comparison.candidate for comparison in record.comparisons}
