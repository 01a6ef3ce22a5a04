"""The library as other programs use it."""

from __future__ import annotations

import dataclasses
import html
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import spacediff
from spacediff.cli.commands import main
from spacediff.clip import write_preview
from spacediff.record import write_record
from support.clips import moving_ball
from support.paths import ROOT
from support.synthetic_audit import synthetic_audit

SCENARIO = """
title = "Small"
[prompts.lemon]
text = "a lemon"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox-random" }
call = { num_inference_steps = 2, num_frames = 5 }
placement = "cpu"
[variants.guidance-7]
call.guidance_scale = 7.0
[reference.video]
file = "broken.mp4"
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a scenario whose reference is unreadable, so that nothing is generated."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    path.with_name("broken.mp4").write_text("no video")
    return path


def in_fresh_python(program: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT / "harness"), "PATH": ""}
    )
    return done.stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'pydantic', 'rich', 'diffusers', 'av', 'cv2', 'gradio_client', 'huggingface_hub'}"
    assert in_fresh_python(f"import spacediff, sys; print({heavy} & set(sys.modules))") == "set()"
    assert in_fresh_python(f"import spacediff, sys; spacediff.run_audit; print({heavy} & set(sys.modules))") == "set()"


def test_every_public_name_can_be_imported_and_is_completed_by_an_editor() -> None:
    missing = "[name for name in spacediff.__all__ if not hasattr(spacediff, name) or name not in dir(spacediff)]"
    assert in_fresh_python(f"import spacediff; print({missing})") == "[]"


def test_importing_a_module_first_does_not_hide_a_public_name() -> None:
    program = "import spacediff.audit, spacediff.plan, spacediff.doctor, spacediff.results, spacediff.api, spacediff\n"
    modules = "[name for name in spacediff.__all__ if type(getattr(spacediff, name)) is type(spacediff)]"
    assert in_fresh_python(f"{program}print({modules})") == "['trace']", "which is public as a module"


def test_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = spacediff.nonsense  # type: ignore[attr-defined]


def test_plan_lists_the_runs_without_executing_any(scenario: Path) -> None:
    plan = spacediff.plan_audit(scenario)
    assert {run.name for run in plan.runs} >= {"reference", "baseline", "guidance-7", "rerun"}
    assert {run.name for run in spacediff.plan_audit(str(scenario), only=["baseline"]).runs}.isdisjoint({"guidance-7"})
    assert not (scenario.parent / "audits").exists()
    with pytest.raises(spacediff.UnknownName, match="guidance-8"):
        spacediff.plan_audit(spacediff.load_scenario(scenario), only=["guidance-8"])


@pytest.mark.parametrize("budget", [0, -0.5])
def test_a_budget_of_nothing_is_refused(scenario: Path, budget: float) -> None:
    with pytest.raises(spacediff.InvalidArgument, match="budget"):
        spacediff.run_audit(scenario, budget=budget)


def test_audit_prints_nothing_and_leaves_signal_handlers_alone(
    scenario: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    spacediff.run_audit(scenario)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert capfd.readouterr() == ("", "")


def test_unavailable_run_is_kept_in_the_record_and_can_be_raised(scenario: Path) -> None:
    result = spacediff.run_audit(scenario)
    assert result.folder == Path("audits/small")
    assert result.report.is_file()
    assert result.exit_code is spacediff.Exit.NOT_MEASURED
    assert not result.passed
    assert result.record.runs[0].code == "video-not-readable"
    with pytest.raises(spacediff.VideoNotReadable, match=r"broken\.mp4"):
        result.raise_for_unmeasured()
    assert {type(error) for error in result.unmeasured} == {spacediff.VideoNotReadable, spacediff.ReferenceMissing}
    with pytest.raises(spacediff.UnknownName, match="as-hosted"):
        result.comparison("as-hosted")


def test_record_names_the_command_that_repeats_the_call(scenario: Path) -> None:
    result = spacediff.run_audit(
        scenario, out="found", only=["guidance-7"], budget=3, reuse=False, strict=True, fresh=True
    )
    assert result.record.command == (
        "spacediff audit small.toml --only guidance-7 --budget 3 --no-reuse --strict --out found"
    )


APPROXIMATION = """
[[approximations]]
setting = "load.vae"
value = "float32"
where = "run.py:6"
"""


def test_approximate_scenario_stops_before_anything_is_run_unless_it_is_accepted(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.write_text(SCENARIO + APPROXIMATION)
    with pytest.raises(spacediff.ScenarioApproximate) as caught:
        spacediff.run_audit(scenario)
    said = "The script's VAE is float32 (run.py:6), which the scenario does not say."
    assert caught.value.approximations == (said,)
    assert caught.value.exit_code is spacediff.Exit.BAD_INPUT
    assert not Path("audits").exists()

    result = spacediff.run_audit(scenario, approximate=True)
    assert [each.values["value"] for each in result.record.approximations] == ["float32"]
    assert result.record.command == "spacediff audit small.toml --approximate"
    for report_format in ("html", "md", "summary", "junit"):
        text = html.unescape(spacediff.render_report(result, report_format))
        assert said in text.replace("`", ""), report_format
        assert "pproximate" in text, report_format

    with pytest.raises(spacediff.NotAcceptable, match="nothing was compared"):
        spacediff.accept_audit(scenario)
    measured = synthetic_audit(result.folder, frames=1, size=(32, 48))
    of_this = {"scenario_name": scenario.name, "approximations": result.record.approximations}
    write_record(measured.model_copy(update=of_this), result.folder)
    assert spacediff.accept_audit(scenario).approximations == (said,)
    assert main(["approve", str(scenario)]) == 0
    assert f"approximate: {said}" in capsys.readouterr().out


def test_interruption_is_raised_with_what_was_finished(scenario: Path) -> None:
    class Impatient(spacediff.SilentListener):
        def on_run_started(self, run: spacediff.Run) -> None:
            if run.name == "baseline":
                raise KeyboardInterrupt

    with pytest.raises(spacediff.AuditInterrupted) as caught:
        spacediff.run_audit(scenario, listener=Impatient())
    result = caught.value.result
    assert not result.record.finished
    assert [run.name for run in result.record.runs] == ["reference"]
    assert result.exit_code is spacediff.Exit.INTERRUPTED
    assert result.report.is_file()
    assert isinstance(caught.value, KeyboardInterrupt)


def test_an_interruption_in_the_first_run_leaves_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(spacediff.SilentListener):
        def on_run_started(self, run: spacediff.Run) -> None:
            raise KeyboardInterrupt(run.name)

    monkeypatch.chdir(tmp_path)
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    with pytest.raises(spacediff.AuditInterrupted) as caught:
        spacediff.compare_videos("a.mp4", "a.mp4", listener=Impatient())
    result = caught.value.result
    assert result.record.runs == []
    assert not result.report.exists()
    assert spacediff.read_record(result.folder) == result.record


def test_videos_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    result = spacediff.compare_videos("a.mp4", tmp_path / "a.mp4")
    assert result.comparison("candidate").verdict is spacediff.Verdict.IDENTICAL
    assert result.passed
    assert spacediff.read_record(result.folder) == result.record == spacediff.read_record(result.folder / "audit.json")


def test_comparing_videos_imports_nothing_that_generates(tmp_path: Path) -> None:
    for name, seed in (("a.mp4", 1), ("b.mp4", 2)):
        write_preview(moving_ball(2, seed=seed), tmp_path / name)
    heavy = "{'torch', 'torchvision', 'diffusers', 'transformers', 'lpips', 'skimage'}"
    program = (
        f"import os, sys, spacediff; os.chdir({str(tmp_path)!r}); "
        "found = spacediff.compare_videos('a.mp4', 'b.mp4').comparison('candidate').metrics; "
        f"print(found['lpips'].pooled > 0, {heavy} & set(sys.modules))"
    )
    assert in_fresh_python(program) == "True set()"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.timeout(60)
def test_what_never_ends_is_no_file_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_preview(moving_ball(2), tmp_path / "a.mp4")
    os.mkfifo("pipe")
    for other in ("pipe", "/dev/zero"):
        for files in (("a.mp4", other), (other, "a.mp4")):
            with pytest.raises(spacediff.VideoNotReadable, match="is not a regular file"):
                spacediff.compare_videos(*files)
    with pytest.raises(spacediff.FileNotAccessible, match="not a regular file"):
        spacediff.load_scenario("pipe")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.mp4", "pipe"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_file_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    name = tmp_path / os.fsdecode(b"b\xff.mp4")
    write_preview(moving_ball(2), name)
    with pytest.raises(spacediff.VideoNotReadable, match=r"the name of '.*b\\udcff\.mp4' is not UTF-8"):
        spacediff.compare_videos(name, name, out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()
    with pytest.raises(spacediff.VideoNotReadable, match="is not UTF-8"):
        spacediff.compare_videos(name, name)


def test_single_name_is_not_split_into_letters(scenario: Path) -> None:
    one = [run.name for run in spacediff.plan_audit(scenario, only="guidance-7").runs]
    assert one == [run.name for run in spacediff.plan_audit(scenario, only=["guidance-7"]).runs]
    write_preview(moving_ball(2), scenario.parent / "a.mp4")
    assert "flip" in spacediff.compare_videos("a.mp4", "a.mp4", metrics="flip").comparison("candidate").metrics


def test_single_part_is_not_split_into_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def plan_files(*_: object, parts: tuple[str, ...], **__: object) -> None:
        asked.append(parts)
        raise spacediff.InvalidArgument("far enough")

    monkeypatch.setattr("spacediff.plan.plan_files", plan_files)
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4"):
        write_preview(moving_ball(2), tmp_path / name)
    with pytest.raises(spacediff.InvalidArgument, match="far enough"):
        spacediff.compare_videos("a.mp4", "b.mp4", semantics="org/clip", parts="hand", out=tmp_path)
    assert asked == [("hand",)]


@pytest.mark.parametrize("wrong", [{"semantics": "org/clip"}, {"parts": ["hand"]}])
def test_semantics_and_parts_go_together(wrong: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(spacediff.InvalidArgument, match="go together"):
        spacediff.compare_videos(tmp_path / "a.mp4", tmp_path / "b.mp4", out=tmp_path, **wrong)  # type: ignore[arg-type]


def test_reports_are_rendered_and_written(tmp_path: Path) -> None:
    from spacediff.record import write_record

    folder = tmp_path / "audit"
    folder.mkdir()
    record = synthetic_audit(folder, frames=1, size=(32, 48))
    write_record(record, folder)
    assert record.command in spacediff.render_report(folder, "md")
    assert spacediff.AuditRecord.model_validate_json(spacediff.render_report(folder, "json")).title == record.title
    (one,) = spacediff.write_report(folder, "junit", out=tmp_path / "found.xml")
    assert (one.format, one.path, one.left_out) == ("junit", tmp_path / "found.xml", ())
    several = spacediff.write_report(folder, ["md", "summary", "md"], out=tmp_path / "new")
    assert [file.path for file in several] == [tmp_path / "new" / "issue.md", tmp_path / "new" / "summary.md"]
    assert all(file.path.is_file() for file in (one, *several))
    for refused in (
        lambda: spacediff.render_report(folder, "zip"),
        lambda: spacediff.write_report(folder, "pdf"),  # type: ignore[arg-type]
        lambda: spacediff.write_report(folder, variant="dpm"),
    ):
        with pytest.raises(spacediff.InvalidArgument):
            refused()


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_folder_without_an_audit_has_an_error_of_its_own(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(spacediff.NotAnAuditFolder):
        spacediff.write_report(path)


def test_file_that_cannot_be_written_or_read_has_an_error_of_its_own(scenario: Path) -> None:
    from spacediff.record import write_record

    write_record(synthetic_audit(scenario.parent, frames=1, size=(32, 48)), scenario.parent)
    for attempt in (
        lambda: spacediff.write_report(scenario.parent, "md", out="missing/issue.md"),
        lambda: spacediff.write_report(scenario.parent, ["md", "junit"], out=scenario / "folder"),
        lambda: spacediff.run_audit(scenario, out=scenario / "folder"),
    ):
        with pytest.raises(spacediff.FileNotAccessible, match="cannot be written"):
            attempt()
    (scenario.parent / "small.accepted.json").mkdir()
    with pytest.raises(spacediff.FileNotAccessible, match=r"small\.accepted\.json cannot be read"):
        spacediff.run_audit(scenario)


SCRIPT = """from diffusers import CogVideoXPipeline
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b")
pipe(prompt="a lemon", guidance_scale={scale})
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "run.py").write_text(SCRIPT.format(scale=6.0))
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "app.py").write_text(SCRIPT.format(scale=7.0))
    return tmp_path


def test_sources_are_compared_and_the_scenario_is_written(sources: Path) -> None:
    found = spacediff.compare_sources("run.py", sources / "space")
    assert [(row.path, row.left.value, row.right.value) for row in found.differences] == [
        ("call.guidance_scale", 6.0, 7.0)
    ]
    assert '+pipe(prompt="a lemon", guidance_scale=7.0)' in found.advice.patch
    path = found.write_scenario("measure.toml")
    assert path.read_text() == found.scenario_text()
    (sources / "other.toml").write_text("another")
    with pytest.raises(spacediff.FileExists):
        found.write_scenario("other.toml")


def test_script_that_a_scenario_cannot_say_is_not_measured_unless_that_is_accepted(sources: Path) -> None:
    compiled = SCRIPT.format(scale=6.0).replace("pipe(", "import torch\npipe.vae = torch.compile(pipe.vae)\npipe(")
    (sources / "run.py").write_text(compiled)
    found = spacediff.compare_sources("run.py", sources / "space")
    (said,) = found.approximations
    assert said.startswith("The script's compile of the VAE is True (run.py:4), which the scenario does not say")
    hosted = dataclasses.replace(found, space_name="org/space")
    with pytest.raises(spacediff.ScenarioApproximate) as caught:
        spacediff.measure_difference(hosted, scenario="mine.toml")
    assert caught.value.approximations == (said,)
    assert len(spacediff.load_scenario("mine.toml").approximations) == 1, "it is written, to be completed"
    assert not Path("audits").exists()


@pytest.mark.parametrize(("device", "rows"), [("cuda", {"rng.device": ("cuda", "cpu")}), ("cpu", {}), ("mps", {})])
def test_device_of_a_script_is_that_of_this_machine_and_of_a_space_that_of_zero_gpu(
    sources: Path, monkeypatch: pytest.MonkeyPatch, device: str, rows: dict[str, tuple[str, str]]
) -> None:
    monkeypatch.setattr("spacediff.devices.accelerator", lambda: None if device == "cpu" else device)
    monkeypatch.setattr("spacediff.devices.count", lambda _: 1)
    loaded = """import spaces, torch
from diffusers import CogVideoXPipeline
device = "cuda" if torch.cuda.is_available() else "cpu"
pipe = CogVideoXPipeline.from_pretrained("zai-org/CogVideoX-5b").to(device)
"""
    call = 'pipe(prompt="a lemon", generator=torch.Generator({}).manual_seed(1))\n'
    (sources / "run.py").write_text(loaded.replace("spaces, ", "") + call.format("device"))
    hosted = f"@spaces.GPU\ndef generate():\n    {call.format(repr('cpu'))}generate()\n"
    (sources / "space" / "app.py").write_text(loaded + hosted)
    found = spacediff.compare_sources("run.py", sources / "space")
    noise = {row.path: (row.left.value, row.right.value) for row in found.differences if row.path == "rng.device"}
    assert noise == rows
    placed = {row.path for row in found.differences if row.path == "placement"}
    assert placed == (set() if device == "cuda" else {"placement"})
    assert found.compared.questions == []


def test_files_to_write_are_checked_before_anything_is_read(sources: Path) -> None:
    (sources / "there.patch").write_text("another")
    with pytest.raises(spacediff.FileExists, match=r"there\.patch"):
        spacediff.explain_difference("missing.py", "org/space", patch="there.patch")
    with pytest.raises(spacediff.InvalidArgument, match="both scenario and patch"):
        spacediff.explain_difference("missing.py", "org/space", scenario="same", patch="same")
